"""A good row to spoil, and the setting it is checked in."""

import json
from pathlib import Path
from typing import Any

from common.clock import parse_instant
from referrals.rules import Context

DATA = Path(__file__).resolve().parent.parent / "data"
GOOD_FILE = DATA / "referrals-good.csv"
UGLY_FILE = DATA / "referrals-ugly.csv"
UGLY_EXPECTED = json.loads((DATA / "referrals-ugly.expected.json").read_text())

_CODES = """
01 03 04 05 06 07 10 11 12 13 14 16 17 20 21 22 23 30 31 32 33 34 35 36 37 40 41 42 43 44 45 46 47 48 50 52 53 54 55
60 61 62 63
"""
FORCES = frozenset(_CODES.split())
COURSES = frozenset({"NSAC", "NMAC", "WDU", "NRRAC", "SCD"})


def context(**changes: Any) -> Context:
    """The setting of the scheme as it is in 2026, at noon on a Friday in November, with changes."""
    scheme = {
        "force": "46",
        "now": parse_instant("2026-11-20T12:00"),
        "forces": FORCES,
        "courses": COURSES,
        "speed_bands": {20: (24, 31), 30: (35, 42), 40: (46, 53), 50: (57, 64), 60: (68, 75), 70: (79, 86)},
        "book_by_days": 28,
        "complete_by_months": 4,
    }
    return Context(**{**scheme, **changes})


CONTEXT = context()

GOOD = {
    "force_code": "46",
    "reference": "46KD00000126",
    "pin": "097435",
    "course_code": "NSAC",
    "offence_code": "SP30",
    "offence_at": "2026-11-03T18:34",
    "offence_location": "A21 Tonbridge Bypass",
    "speed_limit_mph": "60",
    "recorded_speed_mph": "68",
    "vehicle_registration": "GJ22 SLY",
    "title": "Mr",
    "forenames": "Paul Tomasz",
    "surname": "Ó'Brien",
    "date_of_birth": "1965-07-03",
    "licence_type": "GB",
    "driver_number": "OBRIE607035PT9XB",
    "licence_country": "GB",
    "address_1": "123 Church Road",
    "address_2": "",
    "address_3": "",
    "town": "Ashford",
    "postcode": "TN23 3UT",
    "country": "GB",
    "email": "",
    "mobile": "07700900470",
    "landline": "",
    "offer_date": "2026-11-20",
    "book_by": "2026-12-18",
    "complete_by": "2027-03-03",
}


def good(**changes: str) -> dict[str, str]:
    """Return the good row with some of its cells changed."""
    assert set(changes) <= set(GOOD)
    return GOOD | changes
