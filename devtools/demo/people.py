"""Fictional people of Kent and Essex: telephone numbers that Ofcom keeps for fiction, mail to example.org."""

import datetime as dt
import random
from dataclasses import dataclass

from common.identifiers import name_key, surname_parts

SEED = 46


def _words(text: str) -> list[str]:
    return text.split("|")


_WOMEN = _words(
    "Aisha|Alice|Amelia|Beata|Chloe|Claire|Daniela|Ewa|Fatima|Fiona|Gwen|Harriet|Ifeoma|Jasmine|Katarzyna|Leila|"
    "Maeve|Margaret|Nadia|Niamh|Olivia|Priya|Ruth|Sarah|Siân|Tanisha|Ursula|Yvonne|Zoë"
)
_MEN = _words(
    "Adam|Ahmed|Andrzej|Ben|Callum|Carlos|Darren|Emeka|Euan|Farid|Gareth|Graham|Hamish|Ian|Jack|José|Kevin|Kwame|"
    "Leo|Mateusz|Mohammed|Nathan|Oisín|Paul|Ravi|Samuel|Thomas|Viktor|Wei|William"
)
_SURNAMES = _words(
    "Adeyemi|Ahmed|Allen|Baker|Begum|Bennett|Brown|Campbell|Carter|Clarke|Costa|Davies|de la Cruz|Dogan|Evans|"
    "Fletcher|Gill|Green|Hall|Harris|Hughes|Iqbal|Jackson|Jones|Kaur|Khan|Kowalski|Lewis|MacDonald|Martin|"
    "McKenna|Mensah|Miller|Mitchell|Morgan|Murphy|Müller|Nguyen|Nowak|O'Brien|O'Neil|Okafor|Osei|Owen|Parker|"
    "Patel|Phillips|Popescu|Reid|Roberts|Robinson|Scott|Shah|Singh|Smith|Smith-Jones|Stewart|Taylor|Thomas|"
    "Thompson|Turner|van Dijk|Walker|Ward|Watson|White|Wilson|Wright|Yilmaz|Young"
)
_STREETS = _words(
    "Bluebell Lane|Chapel Street|Church Road|Cobnut Close|High Street|Hop Pocket Way|London Road|Mill Lane|"
    "Oast View|Orchard Way|Park Avenue|Queen's Road|School Lane|Station Approach|The Green|Victoria Road|"
    "Weald Rise|Windmill Hill"
)
_TOWNS = {
    "46": (
        ("Ashford", "TN23"),
        ("Canterbury", "CT1"),
        ("Dartford", "DA1"),
        ("Dover", "CT16"),
        ("Folkestone", "CT20"),
        ("Gravesend", "DA11"),
        ("Maidstone", "ME15"),
        ("Margate", "CT9"),
        ("Sevenoaks", "TN13"),
        ("Tonbridge", "TN9"),
    ),
    "42": (
        ("Basildon", "SS14"),
        ("Brentwood", "CM14"),
        ("Chelmsford", "CM1"),
        ("Colchester", "CO1"),
        ("Grays", "RM17"),
    ),
}
_LETTERS = "ABCDEFGHJKLMNOPRSTUVWXY"
_POSTCODE_LETTERS = "ABDEFGHJLNPQRSTUWXYZ"


@dataclass(frozen=True, kw_only=True)
class Person:
    """A driver as police know one."""

    title: str
    forenames: str
    surname: str
    born_on: dt.date
    licence_type: str
    driver_number: str
    licence_country: str
    address_1: str
    town: str
    postcode: str
    email: str
    mobile: str
    vehicle_registration: str


class People:
    """Makes one person after the other, the same ones in the same order each time."""

    def __init__(self, rng: random.Random) -> None:
        """`rng` is drawn from for everything."""
        self.rng = rng
        self.made = 0

    def make(self, *, force_code: str, today: dt.date) -> Person:
        """The next person, of driving age on `today`."""
        rng = self.rng
        self.made += 1
        is_woman = rng.random() < 0.45
        names = rng.sample(_WOMEN if is_woman else _MEN, k=1 if rng.random() < 0.6 else 2)
        surname = rng.choice(_SURNAMES)
        born_on = dt.date(today.year - rng.randint(19, 78), rng.randint(1, 12), rng.randint(1, 28))
        licence_type, number, country = self._licence(surname, names, born_on, is_woman)
        town, outward = rng.choice(_TOWNS[force_code])
        return Person(
            title=rng.choice(("Ms", "Mrs", "Dr") if is_woman else ("Mr", "Mr", "Dr")),
            forenames=" ".join(names),
            surname=surname,
            born_on=born_on,
            licence_type=licence_type,
            driver_number=number,
            licence_country=country,
            address_1=f"{rng.randint(1, 220)} {rng.choice(_STREETS)}",
            town=town,
            postcode=f"{outward} {rng.randint(1, 9)}{''.join(rng.choices(_POSTCODE_LETTERS, k=2))}",
            email=self._email(names[0], surname),
            mobile=f"07700 900{rng.randint(0, 999):03d}" if rng.random() < 0.85 else "",
            vehicle_registration=self._registration(),
        )

    def _licence(self, surname: str, names: list[str], born_on: dt.date, is_woman: bool) -> tuple[str, str, str]:
        kind = self.rng.choices(("GB", "NI", "EU", "OTHER", "NONE"), weights=(93, 1, 3, 2, 1))[0]
        if kind == "GB":
            number = gb_driver_number(
                surname, names, born_on, is_woman=is_woman, tail=f"9{''.join(self.rng.choices(_LETTERS, k=2))}"
            )
            return kind, number, "GB"
        if kind == "NI":
            return kind, f"{self.rng.randint(10_000_000, 99_999_999)}", "GB"
        number = "" if kind == "NONE" else f"X{self.rng.randint(100_000, 999_999)}"
        return kind, number, {"EU": "PL", "OTHER": "AU", "NONE": ""}[kind]

    def _email(self, forename: str, surname: str) -> str:
        if self.rng.random() < 0.12:
            return ""
        return f"{name_key(forename)}.{name_key(surname)}{self.made}@example.org".lower()

    def _registration(self) -> str:
        letters = self.rng.choices(_LETTERS, k=5)
        return f"{letters[0]}{letters[1]}{self.rng.choice(('19', '20', '21', '70', '71', '72'))}{''.join(letters[2:])}"


def gb_driver_number(surname: str, names: list[str], born_on: dt.date, *, is_woman: bool, tail: str) -> str:
    """A GB driver number that fits the person; `tail` is its arbitrary character and check letters."""
    year = f"{born_on.year % 100:02d}"
    initials = "".join(name_key(name)[0] for name in names[:2]).ljust(2, "9")
    month = born_on.month + (50 if is_woman else 0)
    return f"{min(surname_parts(surname))}{year[0]}{month:02d}{born_on.day:02d}{year[1]}{initials}{tail}"
