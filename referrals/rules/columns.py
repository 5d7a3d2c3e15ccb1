"""The columns of the files that police send: their names, which are needed, and how long their text may be.

The order here is the canonical one: the checks take a row as a sequence of text in this order, whatever the order
in the file was. Names are fixed by the agreement with forces and do not change.
"""

from dataclasses import dataclass, field

REFERRAL_COLUMNS = (
    "force_code",
    "reference",
    "pin",
    "course_code",
    "offence_code",
    "offence_at",
    "offence_location",
    "speed_limit_mph",
    "recorded_speed_mph",
    "vehicle_registration",
    "title",
    "forenames",
    "surname",
    "date_of_birth",
    "licence_type",
    "driver_number",
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
    "offer_date",
    "book_by",
    "complete_by",
)
WITHDRAWAL_COLUMNS = ("force_code", "reference", "reason", "effective_at")
FORECAST_COLUMNS = ("force_code", "month", "course_code", "expected_referrals")

# What we write beside a row that we send back; where a file holds it, the file is one of ours, mended.
ERRORS_COLUMN = "errors"

# Text kept as it came, by column. Everything else has a form of its own, which bounds it.
MAX_LENGTHS = {
    "offence_location": 200,
    "vehicle_registration": 12,
    "title": 35,
    "forenames": 120,
    "surname": 120,
    "driver_number": 35,
    "address_1": 120,
    "address_2": 120,
    "address_3": 120,
    "town": 80,
    "postcode": 8,
}


@dataclass(frozen=True, slots=True)
class FileKind:
    """A kind of file: its name in the agreement, its columns in canonical order, and those that it must have.

    A needed column must be in the file; `referrals` may leave out `driver_number`, which only some rows need.
    `instants` are the columns that hold a day and a time; other dates are days.
    """

    name: str
    columns: tuple[str, ...]
    needed: frozenset[str]
    instants: frozenset[str] = frozenset()
    index: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "index", {name: n for n, name in enumerate(self.columns)})


REFERRALS = FileKind(
    "referrals",
    REFERRAL_COLUMNS,
    frozenset(
        {
            "force_code",
            "reference",
            "pin",
            "course_code",
            "offence_code",
            "offence_at",
            "forenames",
            "surname",
            "date_of_birth",
            "licence_type",
            "address_1",
            "offer_date",
        }
    ),
    instants=frozenset({"offence_at"}),
)
WITHDRAWALS = FileKind(
    "withdrawals",
    WITHDRAWAL_COLUMNS,
    frozenset({"force_code", "reference", "reason"}),
    instants=frozenset({"effective_at"}),
)
FORECAST = FileKind("forecast", FORECAST_COLUMNS, frozenset(FORECAST_COLUMNS))

KINDS = {kind.name: kind for kind in (REFERRALS, WITHDRAWALS, FORECAST)}
