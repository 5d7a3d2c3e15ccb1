"""Every code by its name: what is told of which cell, word for word (CONTRACT.md, batch files)."""

from typing import Any

import pytest

from referrals.rules import ERROR_CODES, QUARANTINE_CODES, WARNING_CODES, Problem, check_referral, check_withdrawal
from tests.referrals.rows import CONTEXT, good

DATE = "Write a real date as YYYY-MM-DD (1980-03-31) or DD/MM/YYYY (31/03/1980), with four figures for the year."
SPEED = "Write a speed as a whole number of miles per hour (30), or leave it empty."
# What is changed in a good row, and the one thing that is then told.
TOLD: list[tuple[dict[str, str], Problem]] = [
    ({"surname": " "}, Problem("surname", "required", "This cell must be filled.", "")),
    ({"driver_number": ""}, Problem("driver_number", "required", "A licence of type GB needs its driver number.", "")),
    ({"date_of_birth": "31/02/1980"}, Problem("date_of_birth", "invalid_date", DATE, "31/02/1980")),
    ({"date_of_birth": "03/07/65"}, Problem("date_of_birth", "invalid_date", DATE, "03/07/65")),
    ({"date_of_birth": "07/13/1965"}, Problem("date_of_birth", "invalid_date", DATE, "07/13/1965")),
    ({"offer_date": "46346"}, Problem("offer_date", "invalid_date", DATE, "46346")),
    (
        {"offence_at": "2026-11-03 18:34"},
        Problem(
            "offence_at",
            "invalid_datetime",
            "Write date and time as YYYY-MM-DDTHH:MM in UK time (2026-11-07T08:46).",
            "2026-11-03 18:34",
        ),
    ),
    (
        {"offence_at": "2026-11-21T10:00"},
        Problem(
            "offence_at", "in_future", "The offence lies in the future. Check the date and time.", "2026-11-21T10:00"
        ),
    ),
    (
        {"offer_date": "2026-11-21"},
        Problem("offer_date", "in_future", "The offer lies in the future. Check the date.", "2026-11-21"),
    ),
    (
        {"offer_date": "2026-11-02"},
        Problem("offer_date", "before_offence", "This date is before the offence. Check both dates.", "2026-11-02"),
    ),
    (
        {"book_by": "2026-11-19"},
        Problem("book_by", "before_offer", "This date is before the offer. Check both dates.", "2026-11-19"),
    ),
    (
        {"offence_at": "2026-05-19T10:00"},
        Problem(
            "offence_at",
            "time_barred",
            "6 months have passed since the offence of 19 May 2026: no course can be offered.",
            "2026-05-19T10:00",
        ),
    ),
    (
        {"complete_by": "2027-05-03"},
        Problem(
            "complete_by",
            "after_time_limit",
            "Complete by can be at most 2 May 2027, the day before 6 months from the offence.",
            "2027-05-03",
        ),
    ),
    (
        {"force_code": "99"},
        Problem(
            "force_code",
            "unknown_force",
            "Write the force's two-digit code as text (46 for Kent, 01 for the Metropolitan Police).",
            "99",
        ),
    ),
    (
        {"course_code": "XYZ"},
        Problem("course_code", "unknown_course", "Write one of NMAC, NRRAC, NSAC, SCD, WDU.", "XYZ"),
    ),
    (
        {"reference": "46 KD"},
        Problem(
            "reference",
            "invalid_reference",
            "Write the offer's reference: 6 to 25 letters A to Z, figures, slashes or hyphens, no spaces.",
            "46 KD",
        ),
    ),
    (
        {"pin": "1e5"},
        Problem("pin", "invalid_pin", "Write the PIN from the letter: 4 to 8 figures, with its leading zeros.", "1e5"),
    ),
    (
        {"postcode": "TRUE"},
        Problem(
            "postcode",
            "invalid_postcode",
            "Write a full UK postcode (ME14 1XX), or leave it empty. For an address abroad give its country.",
            "TRUE",
        ),
    ),
    (
        {"driver_number": "OBRIE607"},
        Problem(
            "driver_number",
            "invalid_driver_number",
            "Write the 16 characters of the driver number on the licence (MORGA657054SM9IJ), no issue number.",
            "OBRIE607",
        ),
    ),
    (
        {"licence_type": "UK"},
        Problem("licence_type", "invalid_licence_type", "Write GB, NI, EU, OTHER or NONE.", "UK"),
    ),
    (
        {"country": "UK"},
        Problem(
            "country",
            "invalid_country",
            "Write the country's two-letter ISO code (GB, IE, IN); the United Kingdom is GB.",
            "UK",
        ),
    ),
    (
        {"email": "a@b"},
        Problem("email", "invalid_email", "Write one e-mail address (name@example.org), or leave it empty.", "a@b"),
    ),
    (
        {"mobile": "7700900470"},
        Problem(
            "mobile",
            "invalid_phone",
            "Write the number with its leading 0 (07700 900123) or with + and the country code, or leave it empty.",
            "7700900470",
        ),
    ),
    ({"recorded_speed_mph": "1e2"}, Problem("recorded_speed_mph", "invalid_number", SPEED, "1e2")),
    ({"speed_limit_mph": "60.0"}, Problem("speed_limit_mph", "invalid_number", SPEED, "60.0")),
    (
        {"offence_code": "SP3O"},
        Problem(
            "offence_code",
            "invalid_offence_code",
            "Write the offence code as two letters and two figures (SP30).",
            "SP3O",
        ),
    ),
    (
        {"surname": "Smi\x07th"},
        Problem(
            "surname",
            "invalid_character",
            "The cell holds the character <U+0007>, which cannot stand here. Type it again.",
            "Smi<U+0007>th",
        ),
    ),
    (
        {"town": "Ash\nford"},
        Problem(
            "town",
            "invalid_character",
            "The cell holds a line break or tab, which cannot stand here. Type it again.",
            "Ash<U+000A>ford",
        ),
    ),
    (
        {"title": "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"},
        Problem(
            "title", "too_long", "Write at most 35 characters; there are 36.", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
        ),
    ),
    (
        {"date_of_birth": "2010-11-04"},
        Problem("date_of_birth", "too_young", "The person was under 16 at the offence. Check the date.", "2010-11-04"),
    ),
    (
        {"recorded_speed_mph": "99"},
        Problem(
            "recorded_speed_mph",
            "speed_outside_band",
            "At a limit of 60 mph a course is usually offered for 68 to 75 mph.",
            "99",
        ),
    ),
    (
        {"surname": "Smith"},
        Problem(
            "driver_number",
            "driver_number_mismatch",
            "The driver number does not fit the surname given. Names change: check if you can.",
            "OBRIE…XB",
        ),
    ),
    (
        {"driver_number": "OBRIE607035PT9XB 12"},
        Problem(
            "driver_number",
            "driver_number_issue_number_removed",
            "The issue number 12 is not part of the driver number and was left out.",
            "OBRIE…12",
        ),
    ),
    (
        {"vehicle_registration": "GJ22-SLY9"},
        Problem(
            "vehicle_registration",
            "odd_vehicle_registration",
            "This does not look like a registration: those have 2 to 8 letters and figures. It was taken as it is.",
            "GJ22-SLY9",
        ),
    ),
    (
        {"complete_by": ""},
        Problem("complete_by", "complete_by_filled_in", "It was empty; we filled in 3 March 2027.", ""),
    ),
    ({"book_by": ""}, Problem("book_by", "book_by_filled_in", "It was empty; we filled in 18 December 2026.", "")),
    (
        {"mobile": ""},
        Problem(
            "", "no_contact", "There is neither an e-mail address nor a mobile number: we can only write by post.", ""
        ),
    ),
    (
        {"force_code": "42"},
        Problem(
            "force_code",
            "other_force",
            "This row is for another force than the one that sent the file. Someone will look at it.",
            "42",
        ),
    ),
]
# These need the rest of a file, or what is held: test_files, test_in_file, test_importing and test_withdrawals.
ELSEWHERE = {
    "duplicate_in_file",
    "row_too_short",
    "row_too_long",
    "three_year_bar",
    "unknown_reference",
    "changed_while_booked",
}


@pytest.mark.parametrize(("changes", "expected"), TOLD, ids=lambda each: each[1] if isinstance(each, Problem) else "")
def test_code_is_told_with_its_column_message_and_value(changes: dict[str, str], expected: Problem) -> None:
    checked = check_referral(good(**changes), context=CONTEXT)
    assert (*checked.errors, *checked.quarantine, *checked.warnings) == (expected,)
    kind: Any = {"errors": ERROR_CODES, "quarantine": QUARANTINE_CODES, "warnings": WARNING_CODES}
    (where,) = [name for name in kind if getattr(checked, name)]
    assert expected.code in kind[where]


def test_invalid_reason_is_told_with_its_column_message_and_value() -> None:
    row = {"force_code": "46", "reference": "46KD00000126", "reason": "BECAUSE"}
    assert check_withdrawal(row, context=CONTEXT).errors == (
        Problem(
            "reason",
            "invalid_reason",
            "Write FIXED_PENALTY_PAID, TIME_EXPIRED, FAILED_TO_COMPLETE, COURT or OTHER.",
            "BECAUSE",
        ),
    )


def test_no_code_is_left_out() -> None:
    told = {problem.code for _, problem in TOLD} | {"invalid_reason"}
    assert told | ELSEWHERE == ERROR_CODES | WARNING_CODES | QUARANTINE_CODES
    assert not told & ELSEWHERE
