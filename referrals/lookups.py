"""The keyed hashes by which referrals are found again. Every door that looks up or checks one goes through here."""

import datetime as dt

from common.crypto import keyed_hash
from common.identifiers import driver_number_key, name_key


def pin_hash(force_code: str, reference: str, pin: str) -> bytes:
    """The stored form of a PIN: it belongs to one reference, so that equal PINs do not look equal."""
    return keyed_hash("pin", force_code, reference, pin)


def driver_number_hash(driver_number: str) -> bytes:
    """What a driver number of any country is found by, however it was written; empty where there is none."""
    key = driver_number_key(driver_number)
    return clean_number_hash(key) if key else b""


def clean_number_hash(driver_number: str) -> bytes:
    """As `driver_number_hash`, of a number that is in its one form and is there."""
    return keyed_hash("driver-number", driver_number)


def person_hash(surname: str, date_of_birth: dt.date, postcode: str) -> bytes:
    """What a person without a driver number is found by (DOMAIN.md §3: name, date of birth and postcode)."""
    return keyed_hash("person", name_key(surname) or surname.upper(), date_of_birth.isoformat(), postcode)


def content_hash(values: str) -> bytes:
    """What tells whether police sent the same row again."""
    return keyed_hash("row", values)


def token_digest(token: str) -> bytes:
    """The stored form of an API token."""
    return keyed_hash("token", token)
