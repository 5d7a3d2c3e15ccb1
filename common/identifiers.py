"""Identifiers everybody uses: references, PINs, driver numbers, postcodes, registrations, phone and mail.

Pure functions over text (DOMAIN.md §9). A `normalise_…` function returns the one written form in which a thing
is stored and compared, or `None` where the text is not such a thing; nothing is guessed and nothing is repaired
beyond case, spaces and punctuation. Names are never changed: they are only folded to be compared.
"""

import datetime as dt
import re
import secrets
import unicodedata
from functools import lru_cache
from typing import NamedTuple

# Letters and figures that cannot be taken for one another when read aloud or from paper; no vowels, so no words.
BOOKING_REFERENCE_ALPHABET = "CDFGHJKMNPQRTVWXY34679"

_REFERENCE = re.compile(r"[A-Z0-9/-]{6,25}", re.ASCII)
_PIN = re.compile(r"[0-9]{4,8}")
_FORCE_CODE = re.compile(r"[0-9]{2}")
_OFFENCE_CODE = re.compile(r"[A-Z]{2}[0-9]{2}")
_POSTCODE = re.compile(r"([A-Z]{1,2}[0-9][A-Z0-9]?) ?([0-9][A-Z]{2})")
_REGISTRATION = re.compile(r"[A-Z0-9]{2,8}")
_NI_DRIVER_NUMBER = re.compile(r"[0-9]{8}")
# Patterns without groups, for whoever matches more than one thing at once.
GB_DRIVER_NUMBER = (
    r"[A-Z](?:[A-Z]{4}|[A-Z]{3}9|[A-Z]{2}99|[A-Z]999|9999)"  # surname, padded with 9 to five
    r"[0-9](?:0[1-9]|1[0-2]|5[1-9]|6[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]"  # birth; month + 50 for women
    r"(?:[A-Z]{2}|[A-Z]9|99)[A-Z0-9][A-Z]{2}"  # initials, an arbitrary character, check letters
)
_DROPPED_FROM_NUMBERS = str.maketrans("", "", " -\u00a0")
EMAIL = (
    r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+(?:[A-Za-z]{2,63}|[Xx][Nn]--[A-Za-z0-9-]{2,59})"
)
PHONE = r"0[1-9][0-9]{8,9}|(?:\+|00)[1-9][0-9]{6,14}"
_GB_DRIVER_NUMBER = re.compile(GB_DRIVER_NUMBER)
_EMAIL = re.compile(EMAIL)
_PHONE = re.compile(PHONE)
_PHONE_PUNCTUATION = str.maketrans("", "", " -.()\u00a0")
_BOOKING_REFERENCE = re.compile(rf"KCC([{BOOKING_REFERENCE_ALPHABET}]{{4}})([{BOOKING_REFERENCE_ALPHABET}]{{4}})")
_NOT_A_LETTER = re.compile(r"[^A-Z]+")
# Letters that Unicode does not take apart into a base letter and its accent.
_LETTERS = str.maketrans(
    {
        "Æ": "AE",
        "Œ": "OE",
        "Ø": "O",
        "Ł": "L",
        "Đ": "D",
        "Ð": "D",
        "Þ": "TH",
        "ẞ": "SS",
        "Ħ": "H",
        "Ŧ": "T",
        "Ŋ": "N",
        "ı": "I",
    }
)
_GERMAN = str.maketrans({"Ä": "AE", "Ö": "OE", "Ü": "UE"})

MAX_EMAIL_LENGTH = 254


def normalise_reference(text: str) -> str | None:
    """Return an offer's reference upper-cased, or `None`. It is opaque: 6–25 of A–Z, 0–9, `/` and `-`."""
    reference = text.strip().upper()
    return reference if _REFERENCE.fullmatch(reference) else None


def is_pin(text: str) -> bool:
    """Say whether the text has the shape of a PIN: 4–8 digits, leading zeros counting."""
    return _PIN.fullmatch(text) is not None


def is_force_code(text: str) -> bool:
    """Say whether the text has the shape of a force's code: two digits. Whether the force exists is data."""
    return _FORCE_CODE.fullmatch(text) is not None


def normalise_offence_code(text: str) -> str | None:
    """Return an offence (endorsement) code such as `SP30` upper-cased, or `None`."""
    code = text.strip().upper()
    return code if _OFFENCE_CODE.fullmatch(code) else None


def normalise_postcode(text: str) -> str | None:
    """Return a UK postcode as `TN23 3UT`, or `None`. Case and spaces may be anything."""
    compact = "".join(text.split()).upper()
    match = _POSTCODE.fullmatch(compact)
    return f"{match[1]} {match[2]}" if match else None


def normalise_registration(text: str) -> str:
    """Return a vehicle registration upper-cased without spaces, however odd it is."""
    return "".join(text.split()).upper()


def is_usual_registration(text: str) -> bool:
    """Say whether a normalised vehicle registration is 2–8 of A–Z and 0–9; others earn a warning, no more."""
    return _REGISTRATION.fullmatch(text) is not None


def normalise_email(text: str) -> str | None:
    """Return an e-mail address without surrounding spaces, its case kept, or `None`."""
    address = text.strip()
    if len(address) > MAX_EMAIL_LENGTH or address.find("@") > 64:
        return None
    return address if _EMAIL.fullmatch(address) else None


def normalise_phone(text: str) -> str | None:
    """Return a telephone number as digits with at most a leading `+`, or `None`.

    UK numbers begin with 0, others with + or 00: a number whose leading zero was lost is not repaired.
    The zero in brackets after a country code, `+44 (0)7700…`, is not dialled and is left out.
    """
    number = text.strip()
    if number[:1] == "+":
        number = number.replace("(0)", "", 1)
    number = number.translate(_PHONE_PUNCTUATION)
    return number if _PHONE.fullmatch(number) else None


# Driver numbers


class GBDriverNumber(NamedTuple):
    """A GB driver number of 16 characters, and the issue number that was written after it (or "")."""

    number: str
    issue_number: str


def parse_gb_driver_number(text: str) -> GBDriverNumber | None:
    """Take a GB driver number apart from its 2-digit issue number, or return `None`.

    Spaces and hyphens do not count. The check letters cannot be verified: how they are made is not public.
    """
    number = text.translate(_DROPPED_FROM_NUMBERS).upper()
    issue_number = ""
    if len(number) == 18 and number[16:].isdecimal() and number.isascii():
        number, issue_number = number[:16], number[16:]
    return GBDriverNumber(number, issue_number) if _GB_DRIVER_NUMBER.fullmatch(number) else None


def normalise_ni_driver_number(text: str) -> str | None:
    """Return a Northern Ireland driver number, 8 digits, or `None`."""
    number = text.translate(_DROPPED_FROM_NUMBERS)
    return number if _NI_DRIVER_NUMBER.fullmatch(number) else None


def driver_number_key(text: str) -> str:
    """Return the form in which any driver number, of any country, is looked up: the issue number is not part of it."""
    parsed = parse_gb_driver_number(text)
    return parsed.number if parsed else text.translate(_DROPPED_FROM_NUMBERS).strip().upper()


def driver_number_mismatches(
    number: str, *, surname: str | None, forenames: str | None, born: dt.date | None
) -> tuple[str, ...]:
    """Name what a normalised GB driver number says otherwise: of "surname", "date of birth", "forenames".

    What is `None` is not compared, nor is a name that has no Latin letter. A second initial in the number where only
    one forename is given is no contradiction: files often leave middle names out.
    """
    found = []
    if surname is not None and (parts := surname_parts(surname)) and number[:5] not in parts:
        found.append("surname")
    if born is not None and number[5:11] not in _birth_figures(born):
        found.append("date of birth")
    if forenames is not None and (pairs := _initials(forenames)) and not _initials_match(number[11:13], pairs):
        found.append("forenames")
    return tuple(found)


@lru_cache(maxsize=4_096)
def surname_parts(surname: str) -> frozenset[str]:
    """Return what the first five characters of a driver number may be for this surname; empty where nothing is known.

    Mac and Mc both give `MC`; accents go; German umlauts may be written either way.
    """
    keys = {name_key(surname), name_key(surname.upper().translate(_GERMAN))}
    return frozenset(("MC" + key[3:] if key.startswith("MAC") else key)[:5].ljust(5, "9") for key in keys if key)


@lru_cache(maxsize=4_096)
def name_key(name: str) -> str:
    """Fold a name to A–Z for comparing: upper case, no accents, spaces, hyphens or apostrophes. Never for showing."""
    if name.isascii():
        return _NOT_A_LETTER.sub("", name.upper())
    upper = name.upper().translate(_LETTERS)
    return _NOT_A_LETTER.sub("", unicodedata.normalize("NFKD", upper))


@lru_cache(maxsize=4_096)
def _birth_figures(born: dt.date) -> tuple[str, str]:
    """Return the six figures of a driver number that tell the birth of a man, and those of a woman."""
    decade, year = divmod(born.year % 100, 10)
    day = f"{born.day:02d}{year}"
    return f"{decade}{born.month:02d}{day}", f"{decade}{born.month + 50:02d}{day}"


@lru_cache(maxsize=4_096)
def _initials(forenames: str) -> tuple[str, str] | None:
    """Return the first initial and those allowed for the second, "" for any; `None` where nothing is known.

    A hyphen may or may not part two forenames.
    """
    whole = [key for word in forenames.split() if (key := name_key(word))]
    parted = [key for word in forenames.replace("-", " ").split() if (key := name_key(word))]
    if not whole:
        return None
    if len(whole) == 1:
        return whole[0][0], ""
    return whole[0][0], whole[1][0] + parted[1][0]


def _initials_match(initials: str, allowed: tuple[str, str]) -> bool:
    first, seconds = allowed
    return initials[0] == first and (not seconds or initials[1] in seconds)


# Booking references


def new_booking_reference() -> str:
    """Make a booking reference, `KCC-XXXX-XXXX`, at random. It tells nothing; the database sees that it is unique."""
    letters = [secrets.choice(BOOKING_REFERENCE_ALPHABET) for _ in range(8)]
    return f"KCC-{''.join(letters[:4])}-{''.join(letters[4:])}"


def normalise_booking_reference(text: str) -> str | None:
    """Return a booking reference as `KCC-XXXX-XXXX` whatever its case, spaces and hyphens, or `None`."""
    match = _BOOKING_REFERENCE.fullmatch(text.translate(_DROPPED_FROM_NUMBERS).upper())
    return f"KCC-{match[1]}-{match[2]}" if match else None
