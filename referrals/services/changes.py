"""What a referral holds of the row that police sent: its columns, and how another row differs from them."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple

from common.clock import date_words, london
from common.crypto import encrypt_all
from referrals import lookups
from referrals.models import Referral
from referrals.rules.checked import ReferralValues

# COPY's word for nothing.
NULL = "\\N"
# What bytes begin with there.
_HEX = "\\\\x"

# Columns of the table, in the order of `content_text`.
CONTENT_COLUMNS = (
    "force_id",
    "reference",
    "course_type_id",
    "offence_code",
    "offence_at",
    "speed_limit_mph",
    "recorded_speed_mph",
    "date_of_birth",
    "licence_type",
    "licence_country",
    "country",
    "offer_on",
    "book_by",
    "complete_by",
    "offence_location",
    "vehicle_registration",
    "title",
    "forenames",
    "surname",
    "surname_key",
    "address_1",
    "address_2",
    "address_3",
    "town",
    "postcode",
    "email",
    "mobile",
    "landline",
)
SECRET_COLUMNS = ("pin_hash", "driver_number_encrypted", "driver_number_hash", "person_hash", "content_hash")
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


# Licences whose driver number the checks have brought into its one form.
_CLEANED = frozenset({"GB", "NI"})


class Hashes(NamedTuple):
    """What is stored of a referral instead of what must not be stored."""

    pin: bytes
    driver_number: bytes
    driver_number_encrypted: bytes
    person: bytes


def hashes_of(values: ReferralValues) -> Hashes:
    """The hashes and the encrypted driver number of a referral."""
    return hashes_of_all([values])[0]


def hashes_of_all(rows: Sequence[ReferralValues]) -> list[Hashes]:
    """The hashes and the encrypted driver number of each referral: quicker for many at a time."""
    pin, number, person = lookups.pin_hash, lookups.clean_number_hash, lookups.person_hash
    return [
        Hashes(
            pin(values.force_code, values.reference, values.pin),
            number(values.driver_number)
            if values.licence_type in _CLEANED
            else lookups.driver_number_hash(values.driver_number),
            encrypted,
            person(values.surname, values.date_of_birth, values.postcode),
        )
        for values, encrypted in zip(rows, encrypt_all([values.driver_number for values in rows]), strict=True)
    ]


def content_text(values: ReferralValues, course_type_id: int) -> str:
    """A row's values as the table's `CONTENT_COLUMNS` hold them, in COPY's text format.

    Written out for speed: it is done for every row of every batch. The checks have let no control character through,
    so that a backslash is all that needs another one.
    """
    limit, speed = values.speed_limit_mph, values.recorded_speed_mph
    text = (
        f"{values.force_code}\t{values.reference}\t{course_type_id}\t{values.offence_code}\t"
        f"{values.offence_at.isoformat(timespec='minutes')}\t"
        f"{NULL if limit is None else limit}\t{NULL if speed is None else speed}\t{values.date_of_birth.isoformat()}\t"
        f"{values.licence_type}\t{values.licence_country}\t{values.country}\t"
        f"{values.offer_date.isoformat()}\t{values.book_by.isoformat()}\t{values.complete_by.isoformat()}\t"
    )
    free = (
        f"{values.offence_location}\t{values.vehicle_registration}\t{values.title}\t{values.forenames}\t"
        f"{values.surname}\t{values.surname.upper()}\t{values.address_1}\t{values.address_2}\t{values.address_3}\t"
        f"{values.town}\t{values.postcode}\t{values.email}\t{values.mobile}\t{values.landline}"
    )
    return text + (free.replace("\\", "\\\\") if "\\" in free else free)


def secret_text(hashes: Hashes, content: bytes) -> str:
    """What is stored of a row's secrets, as `SECRET_COLUMNS`, in COPY's text format."""
    return (
        f"\\\\x{hashes.pin.hex()}\t\\\\x{hashes.driver_number_encrypted.hex()}\t\\\\x{hashes.driver_number.hex()}\t"
        f"\\\\x{hashes.person.hex()}\t\\\\x{content.hex()}"
    )


def secrets_of(line: str) -> tuple[Hashes, bytes]:
    """The hashes and the content's hash in a line that ends with `secret_text`."""
    ends = line.rsplit("\t", len(SECRET_COLUMNS))[1:]
    pin, encrypted, driver_number, person, content = (bytes.fromhex(end[len(_HEX) :]) for end in ends)
    return Hashes(pin, driver_number, encrypted, person), content


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
