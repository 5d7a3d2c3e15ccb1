"""Scenario 20: every referral that ends is in exactly one return, and nothing waits longer than a working day."""

import datetime as dt

import pytest

from audit.context import Actor
from bookings import services as bookings
from common.working_time import add_working_days
from referrals import selectors
from referrals import services as referrals
from referrals.models import Outcome, OutcomeReturn, Referral
from tests.factories.bookings import NOW, ConfirmedBookingFactory
from tests.factories.referrals import LiveReferralFactory, force

pytestmark = pytest.mark.django_db(transaction=True)
TRAINER, JOB, OFFICER = Actor("trainer", "1"), Actor("job", "expire_referrals"), Actor("officer", "3")


def written(now: dt.datetime) -> list[tuple[int, str, str]]:
    """The lines of the return that is due: sequence, reference, outcome."""
    made = referrals.write_outcome_return(force=force("46"), by=OFFICER, now=now)
    if made is None:
        return []
    lines = [line.split(",") for line in made.content.decode().splitlines()[1:]]
    return [(int(line[0]), line[2], line[3]) for line in lines]


def test_s20_every_way_to_end_is_in_one_return_and_a_correction_is_a_line_of_its_own() -> None:
    completed, failed, unmarked = (ConfirmedBookingFactory.create() for _ in range(3))
    unbooked = LiveReferralFactory.create(now=NOW)
    ended = max(booking.place.session.ends_at for booking in (completed, failed, unmarked))
    bookings.record_outcome(booking_id=completed.pk, is_completed=True, reason="", by=TRAINER, now=ended)
    bookings.record_outcome(booking_id=failed.pk, is_completed=False, reason="DID_NOT_ATTEND", by=TRAINER, now=ended)
    first = written(ended)
    assert first == [(1, completed.referral.reference, "COMPLETED"), (2, failed.referral.reference, "NOT_COMPLETED")]

    long_past = max(Referral.objects.values_list("complete_by", flat=True)) + dt.timedelta(days=30)
    later = dt.datetime.combine(long_past, dt.time(9), dt.UTC)
    bookings.record_outcome(booking_id=failed.pk, is_completed=True, reason="", by=TRAINER, now=later)
    for _ in range(2):
        referrals.expire_referrals(by=JOB, now=later)
    second = written(later)
    assert second[0] == (3, failed.referral.reference, "COMPLETED")
    assert sorted(line[1:] for line in second[1:]) == sorted(
        [(unbooked.reference, "EXPIRED_UNBOOKED"), (unmarked.referral.reference, "EXPIRED_BOOKED")]
    )
    assert [line[0] for line in second] == [3, 4, 5]
    assert written(later) == []
    assert Outcome.objects.filter(returned_in=None).count() == 0
    assert OutcomeReturn.objects.count() == 2


def test_s20_what_is_older_than_a_working_day_is_told_until_it_is_returned() -> None:
    booking = ConfirmedBookingFactory.create()
    ended = booking.place.session.ends_at
    bookings.record_outcome(booking_id=booking.pk, is_completed=True, reason="", by=TRAINER, now=ended)
    due = dt.datetime.combine(add_working_days(ended.date(), 1), dt.time(17), dt.UTC)
    assert selectors.unreported(now=due) == []
    too_late = dt.datetime.combine(add_working_days(ended.date(), 2), dt.time(9), dt.UTC)
    assert [each.count for each in selectors.unreported(now=too_late)] == [1]
    assert written(too_late) == [(1, booking.referral.reference, "COMPLETED")]
    assert selectors.unreported(now=too_late) == []
