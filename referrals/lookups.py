"""The keyed hashes by which referrals are found again. Every door that looks up or checks one goes through here."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from common.crypto import hasher, keyed_hash
from common.identifiers import driver_number_key, name_key


class Identity(NamedTuple):
    """What a referral is found by: the driver number in the form that is looked up, the birth as YYYY-MM-DD."""

    force_code: str
    reference: str
    pin: str
    driver_number: str
    surname: str
    born_on: str
    postcode: str


def hashes_of_all(people: Iterable[Identity]) -> Iterator[tuple[bytes, bytes, bytes]]:
    """`pin_hash`, `driver_number_hash` and `person_hash` of each: quicker for many at a time."""
    pin_of, number_of, person_of = hasher("pin"), hasher("driver-number"), hasher("person")
    for force_code, reference, pin, number, surname, born_on, postcode in people:
        yield (
            pin_of(force_code, reference, pin),
            number_of(number) if number else b"",
            person_of(name_key(surname) or surname.upper(), born_on, postcode),
        )


def pin_hash(force_code: str, reference: str, pin: str) -> bytes:
    """The stored form of a PIN: it belongs to one reference, so that equal PINs do not look equal."""
    return keyed_hash("pin", force_code, reference, pin)


def driver_number_hash(driver_number: str) -> bytes:
    """What a driver number of any country is found by, however it was written; empty where there is none."""
    key = driver_number_key(driver_number)
    return keyed_hash("driver-number", key) if key else b""


def person_hash(surname: str, date_of_birth: dt.date, postcode: str) -> bytes:
    """What a person without a driver number is found by (DOMAIN.md §3: name, date of birth and postcode)."""
    return keyed_hash("person", name_key(surname) or surname.upper(), date_of_birth.isoformat(), postcode)


def content_hasher() -> Callable[[str], bytes]:
    """What makes of a row's text that which tells whether police sent the same row again."""
    return hasher("row")


def token_digest(token: str) -> bytes:
    """The stored form of an API token."""
    return keyed_hash("token", token)
