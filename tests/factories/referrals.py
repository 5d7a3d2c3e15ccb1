"""A factory for each state of what `referrals` holds. Each inserts a valid row; dates follow from `now`."""

import datetime as dt
from typing import Any

import factory
from factory.django import DjangoModelFactory

from common import crypto
from common.clock import london_day
from courses.models import CourseType
from referrals import lookups
from referrals.constants import BatchKind, BatchStatus, LicenceType, OutcomeCode, ReferralStatus, WithdrawalReason
from referrals.models import Batch, Force, Officer, Outcome, OutcomeSequence, Referral, Withdrawal

NOW = dt.datetime(2026, 11, 20, 10, tzinfo=dt.UTC)
PIN = "424242"
ACTOR = "command:tests"

_NAMES = {"42": "Essex", "45": "Surrey", "46": "Kent", "47": "Sussex", "01": "Met"}


def force(code: str = "46") -> Force:
    """The force with this code: reference data where migrations put it."""
    return Force.objects.get_or_create(code=code, defaults={"name": _NAMES.get(code, f"Force {code}")})[0]


def course_type(code: str = "NSAC") -> CourseType:
    """The course type with this code: reference data where migrations put it."""
    return CourseType.objects.get_or_create(code=code, defaults={"name": code})[0]


class OfficerFactory(DjangoModelFactory[Officer]):
    """An officer of Kent with a sign-in; `force__code="42"` for another force, `user__username=` for a name."""

    class Meta:
        model = Officer

    force = factory.LazyFunction(force)

    @classmethod
    def _create(cls, model_class: type[Officer], *args: Any, **kwargs: Any) -> Officer:
        from accounts.models import Role, User

        username = kwargs.pop("username", None) or f"officer-{User.objects.count() + 1}"
        user = User.objects.create_user(username, password="demo", role=Role.OFFICER)
        return model_class.objects.create(user=user, **kwargs)


class BatchFactory(DjangoModelFactory[Batch]):
    """A batch of Kent, settled, without rows."""

    class Meta:
        model = Batch

    class Params:
        now = NOW

    force = factory.LazyFunction(force)
    kind = BatchKind.REFERRALS
    status = BatchStatus.SETTLED
    status_at = factory.SelfAttribute("now")
    file = "batches/none.csv"
    file_name = factory.Sequence(lambda n: f"batch-{n}.csv")
    sha256 = factory.Sequence(lambda n: f"{n:064x}")
    size_bytes = 1
    received_at = factory.SelfAttribute("now")
    received_by = ACTOR
    settled_at = factory.SelfAttribute("now")


class LiveReferralFactory(DjangoModelFactory[Referral]):
    """An offer of NSAC by Kent, nothing booked: offence 14 days before `now`, offered the day before.

    `pin` and `driver_number` are plain text and are hashed and encrypted as the import does it. `force` and
    `course_type` may be given by their codes.
    """

    class Meta:
        model = Referral

    class Params:
        now = NOW
        pin = PIN
        driver_number = factory.Sequence(lambda n: f"SMITH{n % 10}0115{n % 10}JA{n % 10}XX")

    force = "46"
    reference = factory.Sequence(lambda n: f"46TEST{n:06d}")
    course_type = "NSAC"
    status: str = ReferralStatus.LIVE
    status_at = factory.SelfAttribute("now")
    status_by = ACTOR
    received_at = factory.SelfAttribute("now")
    bookable_at = factory.SelfAttribute("now")
    offence_code = "SP30"
    offence_at = factory.LazyAttribute(lambda o: o.now - dt.timedelta(days=14))
    offence_location = "A28 Ashford Road"
    speed_limit_mph = 30
    recorded_speed_mph = 36
    vehicle_registration = "GJ22SLY"
    title = "Ms"
    forenames = "Jo Anne"
    surname = "Smith"
    surname_key = factory.LazyAttribute(lambda o: o.surname.upper())
    date_of_birth = dt.date(1981, 1, 15)
    licence_type = LicenceType.GB
    licence_country = "GB"
    address_1 = "1 High Street"
    town = "Ashford"
    postcode = "TN23 3UT"
    country = "GB"
    email = factory.Sequence(lambda n: f"candidate{n}@example.org")
    mobile = "07700900123"
    offer_on = factory.LazyAttribute(lambda o: london_day(o.now) - dt.timedelta(days=1))
    book_by = factory.LazyAttribute(lambda o: o.offer_on + dt.timedelta(days=28))
    complete_by = factory.LazyAttribute(lambda o: london_day(o.offence_at) + dt.timedelta(days=120))
    pin_hash = factory.LazyAttribute(lambda o: lookups.pin_hash(_code(o.force), o.reference, o.pin))
    driver_number_encrypted = factory.LazyAttribute(lambda o: crypto.encrypt(o.driver_number))
    driver_number_hash = factory.LazyAttribute(lambda o: lookups.driver_number_hash(o.driver_number))
    person_hash = factory.LazyAttribute(lambda o: lookups.person_hash(o.surname, o.date_of_birth, o.postcode))

    @classmethod
    def _create(cls, model_class: type[Referral], *args: Any, **kwargs: Any) -> Referral:
        if isinstance(kwargs["force"], str):
            kwargs["force"] = force(kwargs["force"])
        if isinstance(kwargs["course_type"], str):
            kwargs["course_type"] = course_type(kwargs["course_type"])
        return model_class.objects.create(**kwargs)


def _code(of: Force | str) -> str:
    return of if isinstance(of, str) else of.code


class BookedReferralFactory(LiveReferralFactory):
    """An offer with something booked. The booking itself is `tests.factories.bookings`'."""

    status = ReferralStatus.BOOKED
    first_booked_at = factory.SelfAttribute("now")


class NotCompletedReferralFactory(BookedReferralFactory):
    """An offer whose course was not completed; it may be booked again."""

    status = ReferralStatus.NOT_COMPLETED


class CompletedReferralFactory(BookedReferralFactory):
    """An offer whose course was completed."""

    status = ReferralStatus.COMPLETED


class ExpiredReferralFactory(LiveReferralFactory):
    """An offer whose complete by passed yesterday."""

    status = ReferralStatus.EXPIRED
    offence_at = factory.LazyAttribute(lambda o: o.now - dt.timedelta(days=122))
    offer_on = factory.LazyAttribute(lambda o: london_day(o.now) - dt.timedelta(days=110))
    complete_by = factory.LazyAttribute(lambda o: london_day(o.now) - dt.timedelta(days=1))


class WithdrawnReferralFactory(LiveReferralFactory):
    """An offer withdrawn by police, with its withdrawal."""

    status = ReferralStatus.WITHDRAWN

    @classmethod
    def _create(cls, model_class: type[Referral], *args: Any, **kwargs: Any) -> Referral:
        referral = super()._create(model_class, *args, **kwargs)
        Withdrawal.objects.create(
            referral=referral,
            reason=WithdrawalReason.COURT,
            received_at=referral.status_at,
            acted_at=referral.status_at,
            acted_by=ACTOR,
        )
        return referral


def outcome(
    referral: Referral, *, code: str = OutcomeCode.COMPLETED, now: dt.datetime = NOW, **fields: Any
) -> Outcome:
    """An outcome of the referral under the next sequence of its force, not yet returned."""
    sequence, _ = OutcomeSequence.objects.get_or_create(force=referral.force)
    sequence.last += 1
    sequence.save()
    return Outcome.objects.create(
        force=referral.force,
        sequence=sequence.last,
        referral=referral,
        outcome=code,
        course_code=referral.course_type.code,
        recorded_at=now,
        **fields,
    )
