"""What a referral holds of the row that police sent: its columns, and how another row differs from them."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from common.clock import date_words, london
from referrals.models import Referral
from referrals.rules.checked import ReferralValues
from referrals.services.checking import Hashes

# Columns of the table, in the order of `content_of`.
CONTENT_COLUMNS = (
    "force_id",
    "reference",
    "pin_hash",
    "course_type_id",
    "offence_code",
    "offence_at",
    "offence_location",
    "speed_limit_mph",
    "recorded_speed_mph",
    "vehicle_registration",
    "title",
    "forenames",
    "surname",
    "surname_key",
    "date_of_birth",
    "licence_type",
    "driver_number_encrypted",
    "driver_number_hash",
    "person_hash",
    "licence_country",
    "address_1",
    "address_2",
    "address_3",
    "town",
    "postcode",
    "country",
    "email",
    "mobile",
    "landline",
    "offer_on",
    "book_by",
    "complete_by",
    "content_hash",
)
# What an officer is not shown, old or new.
_SECRET = "(not shown)"  # noqa: S105
# The file's column and the attribute that holds it, where the same value stands in both.
_SAME = {
    "offence_code": "offence_code",
    "offence_at": "offence_at",
    "offence_location": "offence_location",
    "speed_limit_mph": "speed_limit_mph",
    "recorded_speed_mph": "recorded_speed_mph",
    "vehicle_registration": "vehicle_registration",
    "title": "title",
    "forenames": "forenames",
    "surname": "surname",
    "date_of_birth": "date_of_birth",
    "licence_type": "licence_type",
    "licence_country": "licence_country",
    "address_1": "address_1",
    "address_2": "address_2",
    "address_3": "address_3",
    "town": "town",
    "postcode": "postcode",
    "country": "country",
    "email": "email",
    "mobile": "mobile",
    "landline": "landline",
    "offer_date": "offer_on",
    "book_by": "book_by",
    "complete_by": "complete_by",
}


def content_of(values: ReferralValues, hashes: Hashes, content: bytes, courses: Mapping[str, int]) -> tuple[Any, ...]:
    """A row's values as the table's `CONTENT_COLUMNS` hold them."""
    return (
        values.force_code,
        values.reference,
        hashes.pin,
        courses[values.course_code],
        values.offence_code,
        values.offence_at,
        values.offence_location,
        values.speed_limit_mph,
        values.recorded_speed_mph,
        values.vehicle_registration,
        values.title,
        values.forenames,
        values.surname,
        values.surname.upper(),
        values.date_of_birth,
        values.licence_type,
        hashes.driver_number_encrypted,
        hashes.driver_number,
        hashes.person,
        values.licence_country,
        values.address_1,
        values.address_2,
        values.address_3,
        values.town,
        values.postcode,
        values.country,
        values.email,
        values.mobile,
        values.landline,
        values.offer_date,
        values.book_by,
        values.complete_by,
        content,
    )


def changed_columns(held: Referral, values: ReferralValues, hashes: Hashes) -> dict[str, list[str]]:
    """What a row would change: {column of the file: [old, new]} in words; PIN and driver number without their values.

    `held` has its course type loaded.
    """
    changes: dict[str, list[str]] = {}
    if bytes(held.pin_hash) != hashes.pin:
        changes["pin"] = [_SECRET, _SECRET]
    if held.course_type.code != values.course_code:
        changes["course_code"] = [held.course_type.code, values.course_code]
    if bytes(held.driver_number_hash) != hashes.driver_number:
        changes["driver_number"] = [_SECRET, _SECRET]
    for column, attribute in _SAME.items():
        old, new = getattr(held, attribute), getattr(values, column)
        if old != new:
            changes[column] = [in_words(old), in_words(new)]
    return changes


def in_words(value: object) -> str:
    """A value as an officer reads it."""
    if isinstance(value, datetime):
        return f"{london(value):%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return date_words(value)
    return "" if value is None else str(value)


def listed(columns: Iterable[str]) -> str:
    """Column names as words: "surname, date of birth"."""
    return ", ".join(column.replace("_", " ") for column in columns)
