"""Rows that already stand in the file as they will be kept: told by one pattern, instead of column by column.

Nearly all rows of a force's system are such. What is odd, wrong or written otherwise does not match and is left to
`check_referral`, which alone says what is the matter with a row; for a plain row both come to the same.
"""

import datetime as dt
import re
from collections.abc import Sequence
from typing import NamedTuple

from common.identifiers import EMAIL, GB_DRIVER_NUMBER, PHONE, driver_number_mismatches
from referrals.rules import messages
from referrals.rules.checked import Checked, ReferralValues
from referrals.rules.columns import MAX_LENGTHS, REFERRALS
from referrals.rules.context import Context
from referrals.rules.eligibility import is_too_young
from referrals.rules.problems import Problem
from referrals.rules.values import offset_all_day, read_date

# Stands between the cells: no pattern below has it, so that a row matches only where none of its cells has it.
_BETWEEN = "\\"
_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
_SPEED = "(?:[1-9][0-9]{0,2})?"


def _kept(column: str, *, needed: bool = False) -> str:
    """Text that is kept as it comes."""
    longest = MAX_LENGTHS[column]
    return rf"[^\\ ][^\\]{{0,{longest - 1}}}+" if needed else rf"[^\\]{{0,{longest}}}+"


_PATTERNS = {
    "force_code": "[0-9]{2}",
    "reference": "[A-Z0-9/-]{6,25}+",
    "pin": "[0-9]{4,8}+",
    "course_code": "[A-Z0-9-]++",
    "offence_code": "[A-Z]{2}[0-9]{2}",
    "offence_at": f"{_DAY}T(?:[01][0-9]|2[0-3]):[0-5][0-9]",
    "offence_location": _kept("offence_location"),
    "speed_limit_mph": _SPEED,
    "recorded_speed_mph": _SPEED,
    "vehicle_registration": "(?:[A-Z0-9]{2,8}+)?",
    "title": _kept("title"),
    "forenames": _kept("forenames", needed=True),
    "surname": _kept("surname", needed=True),
    "date_of_birth": _DAY,
    "licence_type": "GB",
    "driver_number": GB_DRIVER_NUMBER,
    "licence_country": "(?:GB)?",
    "address_1": _kept("address_1", needed=True),
    "address_2": _kept("address_2"),
    "address_3": _kept("address_3"),
    "town": _kept("town"),
    "postcode": "(?:[A-Z]{1,2}[0-9][A-Z0-9]? [0-9][A-Z]{2})?",
    "country": "(?:GB)?",
    "email": f"(?:{EMAIL})?",
    "mobile": f"(?:{PHONE})?",
    "landline": f"(?:{PHONE})?",
    "offer_date": _DAY,
    "book_by": f"(?:{_DAY})?",
    "complete_by": f"(?:{_DAY})?",
}
_is_plain = re.compile(re.escape(_BETWEEN).join(_PATTERNS[name] for name in REFERRALS.columns)).fullmatch
_LONGEST_EMAIL = 64  # no address as short as this breaks a limit of its parts
_DAYS_KEPT = 16_384
_FILLED_IN = frozenset({"book_by_filled_in", "complete_by_filled_in"})


class Days(NamedTuple):
    """What follows from the days of a row: London's offset at the offence, and its last days, as they are kept."""

    offence_on: dt.date
    offset: dt.timedelta
    offer_date: str
    book_by: str
    complete_by: str
    warnings: tuple[Problem, ...]
    warnings_without_contact: tuple[Problem, ...]


class PlainReferrals:
    """Tells plain rows of one batch. What their days come to is learned from rows that were checked in full."""

    def __init__(self, context: Context) -> None:
        """For rows that are checked in this setting."""
        self._context = context
        self._met: dict[tuple[str, str, str, str], Days] = {}

    def days_of(self, cells: Sequence[str]) -> Days | None:
        """What a row's days come to where it is plain, its cells in canonical order; nothing where it must be checked.

        A plain row is kept as it stands, in the country GB, with the warnings of its days; where it has neither e-mail
        nor mobile, with those without contact.
        """
        offence_at = cells[5]
        days = self._met.get((offence_at[:10], cells[26], cells[27], cells[28]))
        if days is None:
            return None
        row = _BETWEEN.join(cells)
        if not row.isprintable() or "\ufffd" in row or not _is_plain(row):
            return None
        context, born_on, email = self._context, read_date(cells[13]), cells[23]
        if (
            cells[0] != context.force
            or cells[3] not in context.courses
            or born_on is None
            or born_on > context.today
            or is_too_young(born_on, days.offence_on)
            or len(email) > _LONGEST_EMAIL
        ):
            return None
        if cells[7] and cells[8]:
            band = context.speed_bands.get(int(cells[7]))
            if band is None or not band[0] <= int(cells[8]) <= band[1]:
                return None
        if driver_number_mismatches(cells[15], surname=cells[12], forenames=cells[11], born=born_on):
            return None
        return days

    def learn(self, cells: Sequence[str], checked: Checked[ReferralValues]) -> None:
        """Remember what a good row's days came to, where that is the same for all rows with these days."""
        values = checked.values
        if values is None:
            return
        key = (cells[5][:10], cells[26], cells[27], cells[28])
        offence_on = read_date(key[0])
        offset = offset_all_day(offence_on) if offence_on else None
        # Later today is still to come; twice a year an hour is another than it seems.
        if offence_on is None or offence_on >= self._context.today or offset is None:
            return
        if len(self._met) >= _DAYS_KEPT:
            self._met.clear()
        warnings = tuple(each for each in checked.warnings if each.code in _FILLED_IN)
        self._met[key] = Days(
            offence_on,
            offset,
            values.offer_date.isoformat(),
            values.book_by.isoformat(),
            values.complete_by.isoformat(),
            warnings,
            (*warnings, messages.no_contact()),
        )
