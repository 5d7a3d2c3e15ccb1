"""What an officer is told about a cell: what should stand there, in words fit for a sergeant with a spreadsheet."""

import datetime as dt
from functools import lru_cache

from common.clock import date_words
from referrals.rules.problems import Problem, character_name, problem

DATE = "Write a real date as YYYY-MM-DD (1980-03-31) or DD/MM/YYYY (31/03/1980), with four figures for the year."
DATETIME = "Write date and time as YYYY-MM-DDTHH:MM in UK time (2026-11-07T08:46)."
EFFECTIVE_AT = DATETIME + " Leave it empty if it took effect at once."
MONTH = "Write the month as YYYY-MM (2026-12)."
FORCE = "Write the force's two-digit code as text (46 for Kent, 01 for the Metropolitan Police)."
OTHER_FORCE = "This row is for another force than the one that sent the file. Someone will look at it."
REFERENCE = "Write the offer's reference: 6 to 25 letters A to Z, figures, slashes or hyphens, no spaces."
PIN = "Write the PIN from the letter: 4 to 8 figures, with its leading zeros."
OFFENCE_CODE = "Write the offence code as two letters and two figures (SP30)."
SPEED = "Write a speed as a whole number of miles per hour (30), or leave it empty."
FORECAST_NUMBER = "Write the number expected as a whole number (3900), without commas."
REGISTRATION = "This does not look like a registration: those have 2 to 8 letters and figures. It was taken as it is."
OFFENCE_IN_FUTURE = "The offence lies in the future. Check the date and time."
OFFER_IN_FUTURE = "The offer lies in the future. Check the date."
BIRTH_IN_FUTURE = "The date of birth lies in the future. Check the date."
BEFORE_OFFENCE = "This date is before the offence. Check both dates."
BEFORE_OFFER = "This date is before the offer. Check both dates."
LICENCE_TYPE = "Write GB, NI, EU, OTHER or NONE."
GB_DRIVER_NUMBER = "Write the 16 characters of the driver number on the licence (MORGA657054SM9IJ), no issue number."
NI_DRIVER_NUMBER = "Write the 8 figures of the Northern Ireland driver number."
COUNTRY = "Write the country's two-letter ISO code (GB, IE, IN); the United Kingdom is GB."
POSTCODE = "Write a full UK postcode (ME14 1XX), or leave it empty. For an address abroad give its country."
EMAIL = "Write one e-mail address (name@example.org), or leave it empty."
PHONE = "Write the number with its leading 0 (07700 900123) or with + and the country code, or leave it empty."
REASON = "Write FIXED_PENALTY_PAID, TIME_EXPIRED, FAILED_TO_COMPLETE, COURT or OTHER."
_NO_CONTACT = "There is neither an e-mail address nor a mobile number: we can only write by post."
DUPLICATE = "This file has an earlier row with the same key and other content. Only the first one stands; remove one."


def still_duplicate(value: str) -> str:
    """What `rejected.csv` says of a row of an earlier row's key. While it stands there, the row is no change."""
    return f"{DUPLICATE} ({value}) If this row is the right one, empty this cell: it then changes what stands."


def required(column: str) -> Problem:
    """Make the error for an empty cell that must be filled."""
    return Problem(column, "required", "This cell must be filled.", "")


def bad_character(column: str, value: str, character: str) -> Problem:
    """Make the error for a cell with a control character or the like."""
    name = "a line break or tab" if character in "\t\r\n" else f"the character {character_name(character)}"
    return problem(
        column, "invalid_character", f"The cell holds {name}, which cannot stand here. Type it again.", value
    )


def no_text(column: str, value: str, *, is_needed: bool) -> Problem:
    """Make the error for a workbook's cell with an error or a logical value, where text was meant."""
    meant = column.replace("_", " ")
    if value.startswith("#"):
        or_nothing = "" if is_needed else ", or leave the cell empty"
        message = f"The cell shows {value}, the error of a formula. Write the {meant} itself{or_nothing}."
    else:
        message = f"The cell holds the logical value {value}. Make it a cell of text and write the {meant} again."
    return problem(column, "invalid_character", message, value)


def too_long(column: str, value: str, longest: int) -> Problem:
    """Make the error for text that is longer than can be kept."""
    return problem(column, "too_long", f"Write at most {longest} characters; there are {len(value)}.", value)


def unknown_course(value: str, courses: frozenset[str]) -> Problem:
    """Make the error for a course code that is not known."""
    return problem("course_code", "unknown_course", f"Write one of {', '.join(sorted(courses))}.", value)


def time_barred(value: str, offence_on: dt.date, months: int) -> Problem:
    """Make the error for an offence too old to be prosecuted."""
    message = f"{months} months have passed since the offence of {date_words(offence_on)}: no course can be offered."
    return problem("offence_at", "time_barred", message, value)


def after_time_limit(value: str, latest: dt.date, months: int) -> Problem:
    """Make the error for a complete-by date that leaves no time to prosecute."""
    message = f"Complete by can be at most {date_words(latest)}, the day before {months} months from the offence."
    return problem("complete_by", "after_time_limit", message, value)


def default_before_offer(column: str, day: dt.date) -> Problem:
    """Make the error for an empty date whose default lies before the offer."""
    message = f"Left empty this would be {date_words(day)}, before the offer. Write the date."
    return problem(column, "before_offer", message)


def too_young(value: str, years: int) -> Problem:
    """Make the error for a person younger than anybody who may drive."""
    return problem(
        "date_of_birth", "too_young", f"The person was under {years} at the offence. Check the date.", value
    )


def driver_number_required(licence_type: str) -> Problem:
    """Make the error for a licence that has a driver number which is not given."""
    return Problem("driver_number", "required", f"A licence of type {licence_type} needs its driver number.", "")


def issue_number_removed(value: str, issue_number: str) -> Problem:
    """Make the warning that the licence's issue number was left out."""
    message = f"The issue number {issue_number} is not part of the driver number and was left out."
    return problem("driver_number", "driver_number_issue_number_removed", message, _masked(value))


def driver_number_mismatch(value: str, parts: tuple[str, ...]) -> Problem:
    """Make the warning that the driver number speaks of another name or birth."""
    message = f"The driver number does not fit the {' and the '.join(parts)} given. Names change: check if you can."
    return problem("driver_number", "driver_number_mismatch", message, _masked(value))


def _masked(number: str) -> str:
    """A good driver number without the birth and sex in it: warnings are kept in the clear, the number is not."""
    number = number.strip()
    return f"{number[:5]}…{number[-2:]}"


def speed_outside_band(value: str, limit: int, band: tuple[int, int] | None) -> Problem:
    """Make the warning that the speed does not usually lead to a course."""
    message = (
        f"At a limit of {limit} mph a course is usually offered for {band[0]} to {band[1]} mph."
        if band
        else f"There is no usual band of speeds for a limit of {limit} mph."
    )
    return problem("recorded_speed_mph", "speed_outside_band", message, value)


@lru_cache(maxsize=1_024)
def filled_in(column: str, day: dt.date) -> Problem:
    """Make the warning that an empty book-by or complete-by date was filled in."""
    return Problem(column, f"{column}_filled_in", f"It was empty; we filled in {date_words(day)}.", "")


def no_contact() -> Problem:
    """Make the warning that neither mail nor message can reach the person."""
    return Problem("", "no_contact", _NO_CONTACT, "")
