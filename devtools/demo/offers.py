"""Offers as police send them: rows of a batch file, and the fate that the story has in store for each."""

import csv
import datetime as dt
import io
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from common.working_time import add_months
from devtools.demo.people import People, Person, gb_driver_number
from referrals.rules import REFERRAL_COLUMNS

DEMO_REFERENCE, DEMO_PIN = "46DEMO0001", "424242"


class Fate(StrEnum):
    """What becomes of an offer within the story."""

    WAITS = "waits"
    COMPLETES = "completes"
    STAYS_AWAY = "stays away"
    TAUGHT_YESTERDAY = "taught yesterday"
    TAUGHT_TOMORROW = "taught tomorrow"
    BOOKS_AHEAD = "books ahead"
    CANCELS = "cancels"
    KCC_CANCELS = "KCC cancels"
    LAPSES = "lapses"
    LEAVES_PAYMENT = "leaves the payment page"
    WITHDRAWN = "withdrawn"
    WITHDRAWN_BOOKED = "withdrawn though booked"
    EXPIRES = "expires"
    EXPIRES_AFTER_AWAY = "stays away, then expires"
    HOLDS_NOW = "holds a place just now"
    PAYS_NOW = "is on the payment page just now"


# Course, offence code, limits and places where it happens; the speed is taken from the limit's band.
_COURSES = {
    "NSAC": ("SP30", (20, 30, 30, 30, 40, 50, 60), ("A20 London Road", "A249 Sittingbourne Road", "High Street")),
    "NMAC": ("SP50", (50, 60, 70), ("M20 J5-J6", "M2 J4", "M26 westbound")),
    "WDU": ("TS10", (), ("A28 Ashford", "A229 Maidstone", "Rochester Bridge")),
    "NRRAC": ("SP30", (40, 50, 60), ("A21 Tonbridge Bypass", "A256 Whitfield")),
    "SCD": ("CD10", (), ("A2070 Kennington", "Canterbury ring road")),
}
_BANDS = {20: (24, 31), 30: (35, 42), 40: (46, 53), 50: (57, 64), 60: (68, 75), 70: (79, 86)}
_MIX = ("NSAC", "NMAC", "WDU", "NRRAC", "SCD"), (74, 8, 8, 4, 6)
_OF_ONE_COURSE = (Fate.TAUGHT_YESTERDAY, Fate.TAUGHT_TOMORROW, Fate.KCC_CANCELS, Fate.HOLDS_NOW, Fate.PAYS_NOW)


@dataclass(kw_only=True)
class Offer:
    """A row of a batch file. `course` and `complete_by` are as the portal will hold them."""

    force_code: str
    reference: str
    pin: str
    course: str
    person: Person
    offered_on: dt.date
    complete_by: dt.date
    fate: Fate
    row: dict[str, str]
    referral_id: int = 0

    @property
    def key(self) -> str:
        """The referral key: "46/46DEMO0001"."""
        return f"{self.force_code}/{self.reference}"


@dataclass
class Offers:
    """Makes offers, each with a person and a fate, and remembers them all."""

    rng: random.Random
    today: dt.date
    made: list[Offer] = field(default_factory=list)
    last_number: int = 20_000

    def __post_init__(self) -> None:
        self.people = People(self.rng)

    def make(self, *, force_code: str, offered_on: dt.date, fates: Mapping[Fate, int], size: int) -> list[Offer]:
        """A batch of `size` offers; who has no fate waits. In no order."""
        wanted = [fate for fate, count in fates.items() for _ in range(count)]
        wanted += [Fate.WAITS] * (size - len(wanted))
        self.rng.shuffle(wanted)
        return [self._make(force_code, offered_on, fate) for fate in wanted]

    def of(self, *fates: Fate) -> list[Offer]:
        """All offers with one of these fates, oldest first."""
        return [offer for offer in self.made if offer.fate in fates]

    def the_candidate(self, *, offered_on: dt.date) -> Offer:
        """The fixed offer that a visitor signs in with: live, nothing booked, both dates well ahead."""
        born_on = dt.date(1984, 5, 12)
        person = Person(
            title="Mx",
            forenames="Rowan Jamie",
            surname="Ashdown",
            born_on=born_on,
            licence_type="GB",
            driver_number=gb_driver_number("Ashdown", ["Rowan", "Jamie"], born_on, is_woman=False, tail="9AA"),
            licence_country="GB",
            address_1="14 Oast View",
            town="Maidstone",
            postcode="ME15 6XX",
            email="rowan.ashdown@example.org",
            mobile="07700 900646",
            vehicle_registration="GK21OAK",
        )
        offence_on = offered_on - dt.timedelta(days=14)
        complete_by = add_months(offence_on, 4)
        row = _row("46", DEMO_REFERENCE, DEMO_PIN, "NSAC", person, offence_on, offered_on)
        row |= {"offence_at": f"{offence_on}T08:47", "offence_location": "A20 London Road, Aylesford"}
        row |= {"speed_limit_mph": "30", "recorded_speed_mph": "37", "complete_by": complete_by.isoformat()}
        offer = Offer(
            force_code="46",
            reference=DEMO_REFERENCE,
            pin=DEMO_PIN,
            course="NSAC",
            person=person,
            offered_on=offered_on,
            complete_by=complete_by,
            fate=Fate.WAITS,
            row=row,
        )
        self.made.append(offer)
        return offer

    def again(self, offer: Offer, *, offered_on: dt.date) -> dict[str, str]:
        """A later offer of the same course to the same person, which the three-year rule bars."""
        reference = self._reference(offer.force_code)
        offence_on = offered_on - dt.timedelta(days=12)
        row = _row(offer.force_code, reference, self._pin(), offer.course, offer.person, offence_on, offered_on)
        return row | self._offence(offer.course, offence_on)

    def _make(self, force_code: str, offered_on: dt.date, fate: Fate) -> Offer:
        rng = self.rng
        person = self.people.make(force_code=force_code, today=self.today)
        course = "NSAC" if fate in _OF_ONE_COURSE else rng.choices(*_MIX)[0]
        offence_on = offered_on - dt.timedelta(days=rng.randint(9, 24))
        complete_by = add_months(offence_on, 4)
        row = _row(force_code, self._reference(force_code), self._pin(), course, person, offence_on, offered_on)
        row |= self._offence(course, offence_on)
        book_by = offered_on + dt.timedelta(days=rng.choice((28, 28, 56)))
        if fate in (Fate.EXPIRES, Fate.EXPIRES_AFTER_AWAY):  # police may give less time than usual
            complete_by = self.today - dt.timedelta(days=rng.randint(1, 9) if fate == Fate.EXPIRES else 4)
            book_by = complete_by - dt.timedelta(days=7)
        elif fate == Fate.WAITS and rng.random() < 0.06:
            book_by = complete_by = self.today + dt.timedelta(days=rng.randint(3, 14))
        may_be_plain = fate in (Fate.WAITS, Fate.COMPLETES) and book_by < complete_by
        is_plain = may_be_plain and rng.random() < 0.15  # now and then the usual dates are left to us
        if not is_plain:
            row |= {"book_by": book_by.isoformat(), "complete_by": complete_by.isoformat()}
        offer = Offer(
            force_code=force_code,
            reference=row["reference"],
            pin=row["pin"],
            course=course,
            person=person,
            offered_on=offered_on,
            complete_by=complete_by,
            fate=fate,
            row=row,
        )
        self.made.append(offer)
        return offer

    def _offence(self, course: str, offence_on: dt.date) -> dict[str, str]:
        rng = self.rng
        code, limits, places = _COURSES[course]
        cells = {
            "offence_code": code,
            "offence_at": f"{offence_on}T{rng.randint(6, 22):02d}:{rng.randint(0, 59):02d}",
            "offence_location": rng.choice(places),
        }
        if limits:
            limit = rng.choice(limits)
            slowest, fastest = _BANDS[limit]
            # Now and then a speed outside the band: a warning for police to look at.
            speed = fastest + 4 if rng.random() < 0.04 else rng.randint(slowest, fastest)
            cells |= {"speed_limit_mph": str(limit), "recorded_speed_mph": str(speed)}
        return cells

    def _reference(self, force_code: str) -> str:
        self.last_number += self.rng.randint(3, 60)
        return f"{force_code}{'KD' if force_code == '46' else 'EX'}{self.last_number:08d}"

    def _pin(self) -> str:
        return f"{self.rng.randint(0, 999_999):06d}"


def _row(
    force_code: str,
    reference: str,
    pin: str,
    course: str,
    person: Person,
    offence_on: dt.date,
    offered_on: dt.date,
) -> dict[str, str]:
    return {
        "force_code": force_code,
        "reference": reference,
        "pin": pin,
        "course_code": course,
        "offence_code": _COURSES[course][0],
        "offence_at": f"{offence_on}T12:00",
        "vehicle_registration": person.vehicle_registration,
        "title": person.title,
        "forenames": person.forenames,
        "surname": person.surname,
        "date_of_birth": person.born_on.isoformat(),
        "licence_type": person.licence_type,
        "driver_number": person.driver_number,
        "licence_country": person.licence_country,
        "address_1": person.address_1,
        "town": person.town,
        "postcode": person.postcode,
        "country": "GB",
        "email": person.email,
        "mobile": person.mobile,
        "offer_date": offered_on.isoformat(),
    }


def as_csv(columns: Sequence[str], rows: Iterable[Mapping[str, str]]) -> io.BytesIO:
    """A batch file as a force's system writes it: UTF-8, commas, CRLF."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return io.BytesIO(text.getvalue().encode())


def referrals_csv(rows: Iterable[Mapping[str, str]]) -> io.BytesIO:
    """A referrals file."""
    return as_csv(REFERRAL_COLUMNS, rows)
