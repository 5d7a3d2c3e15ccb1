"""What the checks hand back: the clean values of a row, or what is the matter with it."""

import datetime as dt
from typing import Generic, NamedTuple, TypeVar

from referrals.rules.problems import Problem

Values = TypeVar("Values")


class ReferralValues(NamedTuple):
    """The clean values of a referrals row. Text that may be empty is "", never `None`.

    `offence_at` is a UTC instant; dates are London days. `driver_number` is without an issue number; names,
    addresses and `offence_location` are byte for byte as they came.
    """

    force_code: str
    reference: str
    pin: str
    course_code: str
    offence_code: str
    offence_at: dt.datetime
    offence_location: str
    speed_limit_mph: int | None
    recorded_speed_mph: int | None
    vehicle_registration: str
    title: str
    forenames: str
    surname: str
    date_of_birth: dt.date
    licence_type: str
    driver_number: str
    licence_country: str
    address_1: str
    address_2: str
    address_3: str
    town: str
    postcode: str
    country: str
    email: str
    mobile: str
    landline: str
    offer_date: dt.date
    book_by: dt.date
    complete_by: dt.date

    @property
    def key(self) -> tuple[str, ...]:
        """What makes the row the same referral: force and reference."""
        return self[:2]


class WithdrawalValues(NamedTuple):
    """The clean values of a withdrawals row; `effective_at` is a UTC instant where the force said one."""

    force_code: str
    reference: str
    reason: str
    effective_at: dt.datetime | None

    @property
    def key(self) -> tuple[str, ...]:
        """What makes the row the same withdrawal: force and reference."""
        return self[:2]


class ForecastValues(NamedTuple):
    """The clean values of a forecast row; `month` is its first day."""

    force_code: str
    month: dt.date
    course_code: str
    expected_referrals: int

    @property
    def key(self) -> tuple[str, ...]:
        """What makes the row the same line of a forecast: force, month and course."""
        return self.force_code, self.month.isoformat(), self.course_code


class Checked(NamedTuple, Generic[Values]):
    """A row after its checks.

    With `errors` the row is rejected and `values` is `None`, and nothing else is told. Without, `values` is there,
    `quarantine` says why a person must decide on it, if so, and `warnings` what is odd.
    """

    values: Values | None
    errors: tuple[Problem, ...] = ()
    quarantine: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


AnyValues = ReferralValues | WithdrawalValues | ForecastValues
AnyChecked = Checked[ReferralValues] | Checked[WithdrawalValues] | Checked[ForecastValues]
