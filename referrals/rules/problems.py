"""What can be the matter with a row: codes, and the form in which each is told to the officer.

An **error** rejects the row, a **quarantine** reason has a person decide on it, a **warning** only says so.
"""

import re
from typing import NamedTuple

ERROR_CODES = frozenset(
    {
        "required",
        "invalid_date",
        "invalid_datetime",
        "in_future",
        "before_offence",
        "before_offer",
        "time_barred",
        "after_time_limit",
        "unknown_force",
        "unknown_course",
        "invalid_reference",
        "invalid_pin",
        "invalid_postcode",
        "invalid_driver_number",
        "invalid_licence_type",
        "invalid_country",
        "invalid_email",
        "invalid_phone",
        "invalid_number",
        "invalid_offence_code",
        "invalid_reason",
        "invalid_character",
        "too_long",
        "too_young",
        "duplicate_in_file",
        "row_too_short",
        "row_too_long",
    }
)
WARNING_CODES = frozenset(
    {
        "speed_outside_band",
        "driver_number_mismatch",
        "driver_number_issue_number_removed",
        "odd_vehicle_registration",
        "complete_by_filled_in",
        "book_by_filled_in",
        "no_contact",
    }
)
# The first is decided here; the others need what we already hold.
QUARANTINE_CODES = frozenset({"other_force", "three_year_bar", "unknown_reference", "changed_while_booked"})

LONGEST_VALUE = 200

# Control characters (line breaks and tabs too: no cell of ours has lines), halves of surrogate pairs, the characters
# that mean "unknown" or nothing at all, and the invisible line and paragraph separators.
BAD_CHARACTER = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffd-\uffff]")


class Problem(NamedTuple):
    """One thing the matter with one cell: `column` is "" for the row as a whole, `value` is what stood there."""

    column: str
    code: str
    message: str
    value: str


def problem(column: str, code: str, message: str, value: str = "") -> Problem:
    """Make a problem whose value can be stored and shown: bad characters made visible, cut when very long."""
    if len(value) > LONGEST_VALUE:
        value = value[: LONGEST_VALUE - 1] + "…"
    return Problem(column, code, message, BAD_CHARACTER.sub(lambda match: character_name(match[0]), value))


def character_name(character: str) -> str:
    """Return a visible stand-in for a bad character: `<U+0000>`."""
    return f"<U+{ord(character):04X}>"
