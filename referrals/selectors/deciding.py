"""What police have to decide: about other courses, and about those who failed to complete one."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Q, QuerySet

from common.clock import date_words, london_day, start_of_london_day
from common.working_time import add_months
from courses.models import CourseType
from referrals import rules
from referrals.constants import ReferralStatus
from referrals.models import CourseBlock, Force, Referral

FAILED = (ReferralStatus.NOT_COMPLETED, ReferralStatus.EXPIRED)


@dataclass(frozen=True)
class Bar:
    """An earlier course that stands against an offer for three years."""

    course_code: str
    offence_on: date
    allowed_from: date

    @property
    def words(self) -> str:
        """What is told to who decides."""
        return (
            f"The same person completed {self.course_code} for an offence on {date_words(self.offence_on)}. "
            f"This course is allowed for offences from {date_words(self.allowed_from)}."
        )


def bar_of(referral: Referral, *, course: CourseType, now: datetime) -> Bar | None:
    """What the three-year rule has against the offer being of this course, the latest offence first."""
    blockers = CourseBlock.objects.filter(
        Q(valid_to__isnull=True) | Q(valid_to__gte=referral.offer_on),
        course_type=course,
        valid_from__lte=referral.offer_on,
    ).values("blocked_by")
    same_person = Q(person_hash=referral.person_hash)
    number = bytes(referral.driver_number_hash)
    if number:
        # Two numbers tell two people apart, whatever their names.
        same_person = (same_person & Q(driver_number_hash=b"")) | Q(driver_number_hash=number)
    earlier = Referral.objects.filter(same_person, status=ReferralStatus.COMPLETED, course_type__in=blockers)
    offence_on = london_day(referral.offence_at)
    for code, offence_at in (
        earlier.exclude(pk=referral.pk).order_by("-offence_at").values_list("course_type__code", "offence_at")
    ):
        other_on = london_day(offence_at)
        if rules.is_barred(offence_on, other_on):
            return Bar(code, other_on, rules.allowed_from(other_on))
    return None


@dataclass(frozen=True)
class Countdown:
    """By when police must decide to prosecute (Magistrates' Courts Act 1980 s.127), and how long that is."""

    by: date
    days_left: int


def countdown(referral: Referral, *, now: datetime) -> Countdown | None:
    """How long police have for who failed to complete a course; None for anybody else."""
    if referral.status not in FAILED:
        return None
    by = rules.decide_by(london_day(referral.offence_at))
    return Countdown(by, (by - london_day(now)).days)


def to_be_decided(*, force: Force | str, now: datetime) -> "QuerySet[Referral]":
    """Those who failed and can still be prosecuted, the most urgent first. One range of an index of the failed."""
    failed = failed_since(force=force, since=prosecutable_since(now=now))
    return failed.select_related("course_type").order_by("offence_at", "pk")


def failed_since(*, force: Force | str, since: datetime) -> "QuerySet[Referral]":
    """Those of a force who failed to complete a course about an offence of `since` or later."""
    return Referral.objects.of_force(force).filter(status__in=FAILED, offence_at__gte=since)


def prosecutable_since(*, now: datetime) -> datetime:
    """Offences before this instant can be prosecuted no more; three days early, as months differ in length."""
    first = add_months(london_day(now), -rules.TIME_LIMIT_MONTHS) - timedelta(days=3)
    return start_of_london_day(first)
