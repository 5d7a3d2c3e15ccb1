"""What a referral holds of the row that police sent: its columns, and how another row differs from them."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import NamedTuple

from common.clock import date_words, london
from common.crypto import encrypt, encrypt_all
from common.identifiers import driver_number_key
from referrals import lookups
from referrals.models import Referral
from referrals.rules.checked import ReferralValues
from referrals.rules.plain import Days
from referrals.rules.referral import HOME

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


# Licences whose driver number the checks have brought into the form in which it is looked up.
_CLEANED = frozenset({"GB", "NI"})


class Hashes(NamedTuple):
    """What is stored of a referral instead of what must not be stored."""

    pin: bytes
    driver_number: bytes
    driver_number_encrypted: bytes
    person: bytes


def identity_of(values: ReferralValues) -> lookups.Identity:
    """What the referral of a row is found by."""
    number = values.driver_number
    return lookups.Identity(
        values.force_code,
        values.reference,
        values.pin,
        number if values.licence_type in _CLEANED else driver_number_key(number),
        values.surname,
        values.date_of_birth.isoformat(),
        values.postcode,
    )


def hashes_of(values: ReferralValues) -> Hashes:
    """The hashes and the encrypted driver number of a referral."""
    ((pin, driver_number, person),) = lookups.hashes_of_all([identity_of(values)])
    return Hashes(pin, driver_number, encrypt(values.driver_number), person)


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


def plain_text(cells: Sequence[str], days: Days, course_type_id: int) -> str:
    """`content_text` of a plain row, of its cells in canonical order. None of them has a backslash."""
    force_code, reference, _, _, offence_code, offence_at, location, limit, speed, registration = cells[:10]
    title, forenames, surname, date_of_birth, licence_type, _, licence_country = cells[10:17]
    address_1, address_2, address_3, town, postcode, _, email, mobile, landline = cells[17:26]
    if days.offset:
        offence_at = (datetime.fromisoformat(offence_at) - days.offset).isoformat(timespec="minutes")
    return (
        f"{force_code}\t{reference}\t{course_type_id}\t{offence_code}\t{offence_at}+00:00\t{limit or NULL}\t"
        f"{speed or NULL}\t{date_of_birth}\t{licence_type}\t{licence_country}\t{HOME}\t"
        f"{days.offer_date}\t{days.book_by}\t{days.complete_by}\t"
        f"{location}\t{registration}\t{title}\t{forenames}\t{surname}\t{surname.upper()}\t"
        f"{address_1}\t{address_2}\t{address_3}\t{town}\t{postcode}\t{email}\t{mobile}\t{landline}"
    )


class Secrets(NamedTuple):
    """What is stored of a row's secrets, as `SECRET_COLUMNS` in COPY's text format, and two of the hashes in it."""

    text: str
    driver_number: str
    person: str


def secrets_of_all(
    people: Iterable[lookups.Identity], driver_numbers: Sequence[str], contents: Iterable[bytes]
) -> list[Secrets]:
    """The secrets of rows: quicker for many at a time.

    A token needs no hexadecimal: it is Base64, whose characters stand for themselves.
    """
    found = []
    hashed, tokens = lookups.hashes_of_all(people), encrypt_all(driver_numbers)
    for (pin, number, person), token, content in zip(hashed, tokens, contents, strict=True):
        number_hex, person_hex = number.hex(), person.hex()
        found.append(
            Secrets(
                f"\\\\x{pin.hex()}\t{token.decode()}\t\\\\x{number_hex}\t\\\\x{person_hex}\t\\\\x{content.hex()}",
                number_hex,
                person_hex,
            )
        )
    return found


def hashes_in(line: str) -> tuple[Hashes, bytes]:
    """The hashes and the content's hash in a line that ends with the text of `Secrets`."""
    pin, token, *others = line.rsplit("\t", len(SECRET_COLUMNS))[1:]
    driver_number, person, content = (bytes.fromhex(each[len(_HEX) :]) for each in others)
    return Hashes(bytes.fromhex(pin[len(_HEX) :]), driver_number, token.encode(), person), content


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
