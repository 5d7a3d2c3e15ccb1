"""The rules of booking: changed only from a day on, previewed, and never for who has booked."""

import datetime as dt
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from audit.models import AuditEvent
from bookings import selectors, services
from bookings.constants import CancelCause
from bookings.errors import PolicyInThePastError
from bookings.models import Booking, Policy
from common import clock
from payments.models import RefundLimit
from referrals.constants import OutcomeCode
from tests.bookings.conftest import NOW, STAFF, candidate
from tests.factories import bookings as b
from tests.factories import courses as c
from tests.factories import payments as p
from tests.factories import referrals as r

pytestmark = pytest.mark.django_db
APRIL = dt.date(2027, 4, 1)


def _change(day: dt.date = APRIL, **values: int) -> Policy:
    return services.change_policy(valid_from=day, values=values, reason="board of 1 March", by=STAFF, now=NOW)


def test_a_change_ends_the_running_policy_and_keeps_the_other_rules() -> None:
    old = Policy.objects.get()
    new = _change(move_fee_pence=3000, cancel_days=10)
    old.refresh_from_db()
    assert (old.valid_to, new.valid_to) == (dt.date(2027, 3, 31), None)
    assert new.rules == old.rules | {"move_fee_pence": 3000, "cancel_days": 10}
    assert [Policy.objects.on(day).pk for day in (dt.date(2027, 3, 31), APRIL)] == [old.pk, new.pk]
    event = AuditEvent.objects.get()
    assert event.words == "The rules of booking from 1 April 2027: cancel_days 14 to 10, move_fee_pence 2500 to 3000"
    assert (event.actor, event.reason) == ("staff:7", "board of 1 March")


@pytest.mark.parametrize("day", [NOW.date(), dt.date(2019, 1, 1)])
def test_a_day_that_has_begun_keeps_its_rules(day: dt.date) -> None:
    with pytest.raises(PolicyInThePastError):
        _change(day, move_fee_pence=1)
    assert (Policy.objects.count(), Policy.objects.get().valid_to, AuditEvent.objects.count()) == (1, None, 0)
    with pytest.raises(IntegrityError, match="policy_no_overlap"), transaction.atomic():
        Policy.objects.create(valid_from=APRIL, **Policy.objects.get().rules)


def test_who_has_booked_keeps_the_policy_they_booked_under(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    b.BookingFactory.create_batch(2)
    b.ConfirmedBookingFactory.create()
    b.LapsedBookingFactory.create()
    sold = list(Booking.objects.values())
    new = _change(move_fee_pence=3000)
    assert list(Booking.objects.values()) == sold
    with django_assert_num_queries(1):
        made = selectors.made_under()
    assert [(line.valid_from, line.held, line.confirmed) for line in made] == [
        (new.valid_from, 0, 0),
        (dt.date(2020, 1, 1), 2, 1),
    ]


# --- What had no row -------------------------------------------------------------------------------------------
def _missed(reason: str = "DID_NOT_ATTEND") -> Any:
    """An offer whose candidate missed a course they paid for."""
    booking = b.ConfirmedBookingFactory.create()
    with transaction.atomic():
        services.record_outcome(booking_id=booking.pk, is_completed=False, reason=reason, by=STAFF, now=NOW)
    assert booking.referral.outcomes.get().outcome == OutcomeCode.NOT_COMPLETED
    return booking.referral


def _hold(referral: Any) -> Booking:
    session = c.OpenSessionFactory.create()
    return services.hold(referral_id=referral.pk, session_id=session.pk, by=candidate(referral), now=NOW)


@pytest.mark.parametrize(
    ("percent", "fee", "provider"), [(100, 9200, 4400), (75, 6900, 2100), (50, 4800, 0), (0, 4800, 0)]
)
def test_who_missed_a_course_is_asked_as_much_of_the_fee_again_as_the_policy_says(
    percent: int, fee: int, provider: int
) -> None:
    referral = _missed()
    Policy.objects.update(missed_fee_percent=percent)
    booking = _hold(referral)
    # What is due to the force and to UKROEd when the course is completed is always asked.
    assert booking.fee_parts == {"police": 4500, "levy": 300, "vat": 0, "provider": provider}
    assert booking.fee_pence == fee


def test_a_hold_after_a_missed_course_reads_the_policy_once() -> None:
    referral = _missed()
    with CaptureQueriesContext(connection) as asked:
        _hold(referral)
    read = [one["sql"] for one in asked if 'FROM "bookings_policy"' in one["sql"]]
    assert len(read) == 1, read


def test_who_missed_nothing_is_asked_the_fee() -> None:
    Policy.objects.update(missed_fee_percent=0)
    assert _hold(r.LiveReferralFactory.create()).fee_pence == 9200


@pytest.mark.parametrize(("percent", "pence"), [(100, 9200), (50, 4600), (0, 0)])
def test_what_comes_back_when_kcc_cancels_is_a_row(percent: int, pence: int) -> None:
    Policy.objects.update(kcc_cancelled_refund_percent=percent)
    booking = b.ConfirmedBookingFactory.create()
    p.PaidChargeFactory.create(booking_reference=booking.reference)
    booking = Booking.objects.with_session().get(pk=booking.pk)
    assert services.refund_on_cancel(booking, cause=CancelCause.KCC, now=NOW).pence == pence


# --- The page --------------------------------------------------------------------------------------------------
def test_a_policy_is_previewed_then_set(client: Client) -> None:
    client.force_login(User.objects.create_superuser("root-test"))
    b.ConfirmedBookingFactory.create()
    address = reverse("admin:bookings_policy_add")
    tomorrow = clock.london_day(clock.now()) + dt.timedelta(days=1)
    old = Policy.objects.get()
    assert client.get(address).context["form"]["move_fee_pence"].value() == 2500
    given = {**old.rules, "move_fee_pence": 3000, "valid_from": tomorrow.isoformat(), "reason": "board"}
    preview = client.post(address, given)
    words = "".join(preview.text.split())
    assert '<thscope="row">Movefee</th><td>£25.00</td><td>£30.00</td>' in words
    assert '<thscope="row">1January2020</th><td>0</td><td>1</td>' in words
    assert [preview.context["form"][name].label for name in ("move_fee_pence", "kcc_cancelled_refund_percent")] == [
        "Move fee, in pence",
        "KCC cancelled refund, in percent",
    ]
    assert Policy.objects.count() == 1
    assert client.post(address, given | {"seen": preview.context["seen"]}).status_code == 302
    assert Policy.objects.get(valid_to=None).move_fee_pence == 3000
    assert client.post(reverse("admin:bookings_policy_change", args=[old.pk]), {"valid_to": ""}).status_code == 403


def test_rules_fees_and_limits_are_named_by_their_day() -> None:
    day = dt.date(2026, 12, 1)
    for made in (Policy(valid_from=day), RefundLimit(valid_from=day)):
        assert str(made).endswith("from 1 December 2026")
