"""The checks of one row of a referrals file: everything at once, nothing guessed, nothing that needs the database.

It is written for speed: a batch may have 200,000 rows. One function for each group of columns, each adding to the
row's errors and warnings; messages are made only when there is something to tell.
"""

import datetime as dt

from common.identifiers import (
    driver_number_mismatches,
    is_pin,
    is_usual_registration,
    normalise_email,
    normalise_ni_driver_number,
    normalise_offence_code,
    normalise_phone,
    normalise_postcode,
    normalise_registration,
    parse_gb_driver_number,
)
from referrals.rules import eligibility, messages
from referrals.rules.cells import Row, accepted, check_force, check_reference, in_order, rejected, screen, wrong
from referrals.rules.checked import Checked, ReferralValues
from referrals.rules.columns import MAX_LENGTHS, REFERRALS
from referrals.rules.context import Context
from referrals.rules.problems import Problem, problem
from referrals.rules.values import COUNTRIES, read_date, read_datetime, read_number

LICENCE_TYPES = frozenset({"GB", "NI", "EU", "OTHER", "NONE"})
HOME = "GB"

# Columns whose text is kept as it comes; the others are measured where they are read.
_KEPT = ("offence_location", "title", "forenames", "surname", "address_1", "address_2", "address_3", "town")
_LENGTHS = tuple((name, REFERRALS.index[name], MAX_LENGTHS[name]) for name in _KEPT)
_SHORTEST = min(longest for _, _, longest in _LENGTHS)


def check_referral(row: Row, *, context: Context) -> Checked[ReferralValues]:
    """Check a referrals row and return its clean values, or all that is the matter with it.

    `row` is text by column name, or a sequence of text in the order of `REFERRAL_COLUMNS` (faster); a cell that the
    file does not have is "". A check that depends on a value already in error is not made.
    """
    cells, bad_characters = screen(in_order(row, REFERRALS), REFERRALS)
    (force_code, reference, pin, course_code, offence_code, offence_at, offence_location) = cells[:7]
    (speed_limit, recorded_speed, registration, title, forenames, surname, date_of_birth) = cells[7:14]
    (licence_type, driver_number, licence_country, address_1, address_2, address_3, town) = cells[14:21]
    (postcode, country, email, mobile, landline, offer_date, book_by, complete_by) = cells[21:]
    errors: list[Problem] = []
    warnings: list[Problem] = []

    force_code = check_force(force_code, context, errors)
    reference = check_reference(reference, errors)
    pin = pin.strip()
    if not is_pin(pin):
        wrong(errors, "pin", "invalid_pin", messages.PIN, pin)
    course_code = course_code.strip().upper()
    if course_code not in context.courses:
        errors.append(
            messages.unknown_course(course_code, context.courses) if course_code else messages.required("course_code")
        )
    clean_offence_code = normalise_offence_code(offence_code)
    if clean_offence_code is None:
        wrong(errors, "offence_code", "invalid_offence_code", messages.OFFENCE_CODE, offence_code)
    offence_instant, offence_on = _offence(offence_at, context, errors)
    limit_mph, speed_mph = _speeds(speed_limit, recorded_speed, context, errors, warnings)
    registration = registration and _registration(registration, errors, warnings)
    _presence(forenames, surname, address_1, errors)
    born_on = _birth(date_of_birth, offence_on, context, errors)
    licence_type = licence_type.strip().upper()
    driver_number = _licence(licence_type, driver_number, surname, forenames, born_on, errors, warnings)
    licence_country = (licence_country and _country("licence_country", licence_country, errors)) or ""
    clean_country = _country("country", country, errors) if country and not country.isspace() else HOME
    if postcode and clean_country is not None:
        postcode = _postcode(postcode, clean_country, errors)
    email, mobile, landline = _contact(email, mobile, landline, errors, warnings)
    offered_on = _offer(offer_date, offence_on, context, errors)
    last_days = _last_days(book_by, complete_by, offence_on, offered_on, context, errors, warnings)
    if max(map(len, cells)) > _SHORTEST:
        for column, n, longest in _LENGTHS:
            if len(cells[n]) > longest:
                errors.append(messages.too_long(column, cells[n], longest))

    if (
        errors
        or bad_characters
        or clean_offence_code is None
        or offence_instant is None
        or born_on is None
        or clean_country is None
        or offered_on is None
        or last_days is None
    ):
        return rejected(errors, bad_characters, REFERRALS)
    return accepted(
        ReferralValues(
            force_code,
            reference,
            pin,
            course_code,
            clean_offence_code,
            offence_instant,
            offence_location,
            limit_mph,
            speed_mph,
            registration,
            title,
            forenames,
            surname,
            born_on,
            licence_type,
            driver_number,
            licence_country,
            address_1,
            address_2,
            address_3,
            town,
            postcode,
            clean_country,
            email,
            mobile,
            landline,
            offered_on,
            *last_days,
        ),
        force_code,
        context,
        warnings,
    )


def _offence(text: str, context: Context, errors: list[Problem]) -> tuple[dt.datetime, dt.date] | tuple[None, None]:
    """Return the instant and the London day of the offence, or nothing on which other checks could rest."""
    read = read_datetime(text)
    if read is None:
        wrong(errors, "offence_at", "invalid_datetime", messages.DATETIME, text)
        return None, None
    instant, day = read
    if instant > context.now:
        errors.append(problem("offence_at", "in_future", messages.OFFENCE_IN_FUTURE, text))
        return None, None
    if eligibility.is_time_barred(day, context.today):
        errors.append(messages.time_barred(text, day, eligibility.TIME_LIMIT_MONTHS))
        return None, None
    return instant, day


def _speeds(
    limit_text: str, speed_text: str, context: Context, errors: list[Problem], warnings: list[Problem]
) -> tuple[int | None, int | None]:
    limit = limit_text and _speed("speed_limit_mph", limit_text, errors)
    speed = speed_text and _speed("recorded_speed_mph", speed_text, errors)
    if limit and speed:
        band = context.speed_bands.get(limit)
        if band is None or not band[0] <= speed <= band[1]:
            warnings.append(messages.speed_outside_band(speed_text, limit, band))
    return limit or None, speed or None


def _speed(column: str, text: str, errors: list[Problem]) -> int | None:
    speed = read_number(text, 3)
    if not speed and not text.isspace():
        errors.append(problem(column, "invalid_number", messages.SPEED, text))
    return speed


def _registration(text: str, errors: list[Problem], warnings: list[Problem]) -> str:
    registration = normalise_registration(text)
    if len(registration) > MAX_LENGTHS["vehicle_registration"]:
        errors.append(messages.too_long("vehicle_registration", text, MAX_LENGTHS["vehicle_registration"]))
    elif registration and not is_usual_registration(registration):
        warnings.append(problem("vehicle_registration", "odd_vehicle_registration", messages.REGISTRATION, text))
    return registration


def _presence(forenames: str, surname: str, address_1: str, errors: list[Problem]) -> None:
    """Names and address are kept as they are: only that they are there is checked."""
    if not forenames or forenames.isspace():
        errors.append(messages.required("forenames"))
    if not surname or surname.isspace():
        errors.append(messages.required("surname"))
    if not address_1 or address_1.isspace():
        errors.append(messages.required("address_1"))


def _birth(text: str, offence_on: dt.date | None, context: Context, errors: list[Problem]) -> dt.date | None:
    born_on = read_date(text)
    if born_on is None:
        wrong(errors, "date_of_birth", "invalid_date", messages.DATE, text)
    elif born_on > context.today:
        errors.append(problem("date_of_birth", "in_future", messages.BIRTH_IN_FUTURE, text))
        return None
    elif offence_on is not None and eligibility.is_too_young(born_on, offence_on):
        errors.append(messages.too_young(text, eligibility.MINIMUM_AGE_YEARS))
        return None
    return born_on


def _licence(
    licence_type: str,
    number: str,
    surname: str,
    forenames: str,
    born_on: dt.date | None,
    errors: list[Problem],
    warnings: list[Problem],
) -> str:
    """Check the kind of licence and its driver number, and return the number as it is kept."""
    if licence_type not in LICENCE_TYPES:
        wrong(errors, "licence_type", "invalid_licence_type", messages.LICENCE_TYPE, licence_type)
        return ""
    if licence_type not in ("GB", "NI"):
        if len(number) > MAX_LENGTHS["driver_number"]:
            errors.append(messages.too_long("driver_number", number, MAX_LENGTHS["driver_number"]))
        return number.strip()
    if not number or number.isspace():
        errors.append(messages.driver_number_required(licence_type))
        return ""
    if licence_type == "NI":
        clean = normalise_ni_driver_number(number)
        if clean is None:
            errors.append(problem("driver_number", "invalid_driver_number", messages.NI_DRIVER_NUMBER, number))
        return clean or ""
    parsed = parse_gb_driver_number(number)
    if parsed is None:
        errors.append(problem("driver_number", "invalid_driver_number", messages.GB_DRIVER_NUMBER, number))
        return ""
    if parsed.issue_number:
        warnings.append(messages.issue_number_removed(number, parsed.issue_number))
    mismatches = driver_number_mismatches(
        parsed.number, surname=surname or None, forenames=forenames or None, born=born_on
    )
    if mismatches:
        warnings.append(messages.driver_number_mismatch(number, mismatches))
    return parsed.number


def _country(column: str, text: str, errors: list[Problem]) -> str | None:
    """Return the country's code, "" for a blank, and `None` with its error for one that is none."""
    country = text.strip().upper()
    if country in COUNTRIES or not country:
        return country
    errors.append(problem(column, "invalid_country", messages.COUNTRY, text))
    return None


def _postcode(text: str, country: str, errors: list[Problem]) -> str:
    """Return a UK postcode in its one form; abroad there is none, and what stands there is kept as it is."""
    if country != HOME:
        text = text.strip()
        if len(text) > MAX_LENGTHS["postcode"]:
            errors.append(messages.too_long("postcode", text, MAX_LENGTHS["postcode"]))
        return text
    postcode = normalise_postcode(text)
    if postcode is None and not text.isspace():
        errors.append(problem("postcode", "invalid_postcode", messages.POSTCODE, text))
    return postcode or ""


def _contact(
    email: str, mobile: str, landline: str, errors: list[Problem], warnings: list[Problem]
) -> tuple[str, str, str]:
    if email and not email.isspace():
        address = normalise_email(email)
        if address is None:
            errors.append(problem("email", "invalid_email", messages.EMAIL, email))
        email = address or ""
    else:
        email = ""
    mobile = mobile and _phone("mobile", mobile, errors)
    landline = landline and _phone("landline", landline, errors)
    if not email and not mobile:
        warnings.append(messages.no_contact())
    return email, mobile, landline


def _phone(column: str, text: str, errors: list[Problem]) -> str:
    number = normalise_phone(text)
    if number is None and not text.isspace():
        errors.append(problem(column, "invalid_phone", messages.PHONE, text))
    return number or ""


def _offer(text: str, offence_on: dt.date | None, context: Context, errors: list[Problem]) -> dt.date | None:
    offered_on = read_date(text)
    if offered_on is None:
        wrong(errors, "offer_date", "invalid_date", messages.DATE, text)
    elif offered_on > context.today:
        errors.append(problem("offer_date", "in_future", messages.OFFER_IN_FUTURE, text))
        return None
    elif offence_on is not None and offered_on < offence_on:
        errors.append(problem("offer_date", "before_offence", messages.BEFORE_OFFENCE, text))
        return None
    return offered_on


def _last_days(
    book_by_text: str,
    complete_by_text: str,
    offence_on: dt.date | None,
    offered_on: dt.date | None,
    context: Context,
    errors: list[Problem],
    warnings: list[Problem],
) -> tuple[dt.date, dt.date] | None:
    """Return *book by* and *complete by*, filled in where the file leaves them empty; `None` where one is in error."""
    book_by = complete_by = None
    if book_by_text and not book_by_text.isspace():
        book_by = _last_day("book_by", book_by_text, offence_on, offered_on, errors)
    elif offence_on is not None and offered_on is not None:
        book_by = eligibility.default_book_by(offered_on, offence_on, days=context.book_by_days)
        _fill_in("book_by", book_by, offered_on, errors, warnings)
    if complete_by_text and not complete_by_text.isspace():
        complete_by = _last_day("complete_by", complete_by_text, offence_on, offered_on, errors)
        if complete_by is not None and offence_on is not None:
            latest = eligibility.time_limit(offence_on)
            if complete_by > latest:
                errors.append(messages.after_time_limit(complete_by_text, latest, eligibility.TIME_LIMIT_MONTHS))
    elif offence_on is not None:
        complete_by = eligibility.default_complete_by(offence_on, months=context.complete_by_months)
        _fill_in("complete_by", complete_by, offered_on, errors, warnings)
    return None if book_by is None or complete_by is None else (book_by, complete_by)


def _last_day(
    column: str, text: str, offence_on: dt.date | None, offered_on: dt.date | None, errors: list[Problem]
) -> dt.date | None:
    day = read_date(text)
    if day is None:
        errors.append(problem(column, "invalid_date", messages.DATE, text))
    elif offence_on is not None and day < offence_on:
        errors.append(problem(column, "before_offence", messages.BEFORE_OFFENCE, text))
        return None
    elif offered_on is not None and day < offered_on:
        errors.append(problem(column, "before_offer", messages.BEFORE_OFFER, text))
        return None
    return day


def _fill_in(
    column: str, day: dt.date, offered_on: dt.date | None, errors: list[Problem], warnings: list[Problem]
) -> None:
    if offered_on is not None and day < offered_on:
        errors.append(messages.default_before_offer(column, day))
    else:
        warnings.append(messages.filled_in(column, day))
