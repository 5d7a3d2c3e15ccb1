"""How referrals move, one service at a time; every refusal leaves everything as it was."""

import datetime as dt
from typing import Any

import pytest

from audit.context import Actor
from audit.models import AuditEvent
from referrals import services
from referrals.constants import REFERRAL_TRANSITIONS, OutcomeCode, ReferralStatus
from referrals.errors import (
    DateRefusedError,
    EvidenceMissingError,
    ReferralMoveError,
    ReferralNotFoundError,
    WithdrawnOtherwiseError,
)
from referrals.models import Outcome, OutcomeSequence, Referral, Withdrawal
from referrals.signals import referral_ended, referral_extended, referral_locking
from tests.factories import referrals as factories
from tests.factories.referrals import NOW

pytestmark = pytest.mark.django_db
BY = Actor("officer", "3")
DAY = dt.timedelta(days=1)


@pytest.fixture
def heard() -> Any:
    """What the app announced, in order."""
    told: list[tuple[str, dict[str, Any]]] = []

    def listen(name: str) -> Any:
        def receiver(sender: Any, signal: Any, **kwargs: Any) -> None:
            told.append((name, kwargs))

        return receiver

    receivers = {
        referral_locking: listen("locking"),
        referral_ended: listen("ended"),
        referral_extended: listen("extended"),
    }
    for signal, receiver in receivers.items():
        signal.connect(receiver)
    yield told
    for signal, receiver in receivers.items():
        signal.disconnect(receiver)


def snapshot() -> tuple[Any, ...]:
    return (
        list(Referral.objects.order_by("pk").values()),
        Referral.history.count(),
        AuditEvent.objects.count(),
        Outcome.objects.count(),
        Withdrawal.objects.count(),
        list(OutcomeSequence.objects.filter(last__gt=0).values()),
    )


def test_booking_and_unbooking() -> None:
    held = factories.LiveReferralFactory()
    assert services.mark_booked(referral_id=held.pk, by=BY, now=NOW + DAY) is True
    held.refresh_from_db()
    assert (held.status, held.status_at, held.status_by) == ("BOOKED", NOW + DAY, "officer:3")
    assert held.first_booked_at == NOW + DAY
    assert services.mark_booked(referral_id=held.pk, by=BY, now=NOW + 2 * DAY) is False
    assert services.mark_unbooked(referral_id=held.pk, by=BY, now=NOW + 3 * DAY) is True
    held.refresh_from_db()
    assert (held.status, held.first_booked_at) == ("LIVE", NOW + DAY)
    actions = AuditEvent.objects.order_by("id").values_list("action", "referral_key", "actor")
    assert list(actions) == [
        ("referral.booked", held.key, "officer:3"),
        ("referral.live", held.key, "officer:3"),
    ]


@pytest.mark.parametrize("status", ["COMPLETED", "WITHDRAWN"])
def test_what_has_ended_cannot_be_booked(status: str) -> None:
    held = factories.LiveReferralFactory(status=status)
    before = snapshot()
    with pytest.raises(ReferralMoveError):
        services.mark_booked(referral_id=held.pk, by=BY, now=NOW)
    assert snapshot() == before


def test_every_state_has_its_row_of_transitions() -> None:
    assert set(REFERRAL_TRANSITIONS) == set(ReferralStatus)


def record(held: Referral, outcome: str, *, reason: str = "", now: dt.datetime = NOW) -> Outcome:
    return services.record_outcome(
        referral_id=held.pk,
        outcome=outcome,
        reason=reason,
        attended_on=NOW.date(),
        provider_reference="KCC-7777-7777",
        by=BY,
        now=now,
    )


def test_outcome_closes_the_referral_and_gets_the_next_sequence() -> None:
    held = factories.BookedReferralFactory()
    written = record(held, OutcomeCode.COMPLETED)
    held.refresh_from_db()
    assert held.status == ReferralStatus.COMPLETED
    assert (written.sequence, written.outcome, written.course_code) == (1, "COMPLETED", "NSAC")
    assert (written.attended_on, written.provider_reference) == (NOW.date(), "KCC-7777-7777")
    assert OutcomeSequence.objects.get(pk="46").last == 1


def test_same_outcome_again_is_not_written_twice() -> None:
    held = factories.BookedReferralFactory()
    first = record(held, OutcomeCode.COMPLETED)
    before = snapshot()
    assert record(held, OutcomeCode.COMPLETED, now=NOW + DAY) == first
    assert snapshot() == before


def test_correction_is_a_new_sequence_for_the_same_reference() -> None:
    held = factories.BookedReferralFactory()
    record(held, OutcomeCode.COMPLETED)
    correction = record(held, OutcomeCode.NOT_COMPLETED, reason="NO_ID", now=NOW + DAY)
    held.refresh_from_db()
    assert held.status == ReferralStatus.NOT_COMPLETED
    assert correction.sequence == 2
    assert list(held.outcomes.order_by("sequence").values_list("outcome", "reason")) == [
        ("COMPLETED", ""),
        ("NOT_COMPLETED", "NO_ID"),
    ]


def test_other_reason_for_not_completed_is_a_correction_too() -> None:
    held = factories.BookedReferralFactory()
    record(held, OutcomeCode.NOT_COMPLETED, reason="LATE")
    assert record(held, OutcomeCode.NOT_COMPLETED, reason="NO_ID").sequence == 2


def test_outcome_of_an_offer_nobody_booked_is_refused() -> None:
    held = factories.LiveReferralFactory()
    before = snapshot()
    with pytest.raises(ReferralMoveError):
        record(held, OutcomeCode.COMPLETED)
    assert snapshot() == before


def withdraw(held: Referral, **changes: Any) -> tuple[Withdrawal, bool]:
    given: dict[str, Any] = {
        "force_code": held.force_id,
        "reference": held.reference,
        "reason": "FIXED_PENALTY_PAID",
        "effective_at": None,
        "received_at": NOW,
        "by": BY,
        "now": NOW + DAY,
    }
    return services.withdraw(**(given | changes))


def test_withdrawing_tells_the_apps_above_first_to_lock_and_then_that_it_ended(heard: Any) -> None:
    held = factories.BookedReferralFactory()
    withdrawal, is_new = withdraw(held)
    held.refresh_from_db()
    assert is_new is True
    assert (held.status, held.status_at) == (ReferralStatus.WITHDRAWN, NOW + DAY)
    assert (withdrawal.received_at, withdrawal.acted_at, withdrawal.acted_by) == (NOW, NOW + DAY, "officer:3")
    assert [name for name, _ in heard] == ["locking", "ended"]
    assert heard[0][1] == {"referral_id": held.pk}
    assert heard[1][1] == {
        "referral": held,
        "kind": "withdrawn",
        "reason": "FIXED_PENALTY_PAID",
        "by": BY,
        "now": NOW + DAY,
    }


def test_withdrawing_twice_changes_nothing() -> None:
    held = factories.LiveReferralFactory()
    first, _ = withdraw(held)
    before = snapshot()
    assert withdraw(held, now=NOW + 2 * DAY) == (first, False)
    with pytest.raises(WithdrawnOtherwiseError, match="fixed penalty paid"):
        withdraw(held, reason="COURT", now=NOW + 2 * DAY)
    assert snapshot() == before


def test_withdrawing_the_reference_of_another_force_is_not_found() -> None:
    held = factories.LiveReferralFactory(force="42")
    before = snapshot()
    with pytest.raises(ReferralNotFoundError):
        withdraw(held, force_code="46")
    assert snapshot() == before


def test_receiver_that_fails_undoes_the_withdrawal() -> None:
    held = factories.LiveReferralFactory()
    before = snapshot()

    def fail(**_: Any) -> None:
        raise RuntimeError

    referral_ended.connect(fail)
    try:
        with pytest.raises(RuntimeError):
            withdraw(held)
    finally:
        referral_ended.disconnect(fail)
    assert snapshot() == before


def extend(held: Referral, **changes: Any) -> Referral:
    given: dict[str, Any] = {
        "force_code": held.force_id,
        "reference": held.reference,
        "complete_by": held.complete_by + 10 * DAY,
        "evidence": "Letter of 19 November",
        "by": BY,
        "now": NOW,
    }
    return services.extend(**(given | changes))


def test_extending_moves_both_dates(heard: Any) -> None:
    held = factories.LiveReferralFactory()
    extended = extend(held)
    assert (extended.complete_by, extended.book_by) == (held.complete_by + 10 * DAY, held.book_by + 10 * DAY)
    assert [name for name, _ in heard] == ["locking", "extended"]
    event = AuditEvent.objects.get()
    assert (event.action, event.reason) == ("referral.extended", "Letter of 19 November")
    assert event.data == {
        "complete_by": [held.complete_by.isoformat(), extended.complete_by.isoformat()],
        "book_by": [held.book_by.isoformat(), extended.book_by.isoformat()],
    }


def test_extending_to_the_same_day_changes_nothing() -> None:
    held = factories.LiveReferralFactory()
    before = snapshot()
    extend(held, complete_by=held.complete_by)
    assert snapshot() == before


def test_extending_makes_an_expired_offer_live_and_bookable_again() -> None:
    held = factories.ExpiredReferralFactory()
    extended = extend(held, complete_by=NOW.date() + 20 * DAY)
    assert (extended.status, extended.complete_by) == (ReferralStatus.LIVE, NOW.date() + 20 * DAY)
    assert extended.book_by >= NOW.date()


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"complete_by": dt.date(2027, 1, 1)}, DateRefusedError),  # nearer than it was
        ({"complete_by": dt.date(2027, 5, 6)}, DateRefusedError),  # offence on 6 November 2026 + 6 months
        ({"book_by": dt.date(2028, 1, 1)}, DateRefusedError),
        ({"evidence": "  "}, EvidenceMissingError),
        ({"reference": "46NOSUCH01"}, ReferralNotFoundError),
    ],
)
def test_extension_that_cannot_be_is_refused(changes: dict[str, Any], error: type[Exception]) -> None:
    held = factories.LiveReferralFactory()
    before = snapshot()
    with pytest.raises(error):
        extend(held, **changes)
    assert snapshot() == before


def test_latest_day_of_an_extension_is_the_day_before_six_months() -> None:
    held = factories.LiveReferralFactory()
    assert extend(held, complete_by=dt.date(2027, 5, 5)).complete_by == dt.date(2027, 5, 5)


@pytest.mark.parametrize("factory", [factories.WithdrawnReferralFactory, factories.CompletedReferralFactory])
def test_what_has_ended_for_good_is_not_extended(factory: Any) -> None:
    held = factory()
    before = snapshot()
    with pytest.raises(ReferralMoveError):
        extend(held)
    assert snapshot() == before


def test_expiring_writes_outcomes_and_tells_the_apps_above(heard: Any) -> None:
    unbooked = factories.LiveReferralFactory(complete_by=NOW.date() - DAY, offer_on=NOW.date() - 30 * DAY)
    tried = factories.NotCompletedReferralFactory(complete_by=NOW.date() - DAY, offer_on=NOW.date() - 30 * DAY)
    today = factories.LiveReferralFactory(complete_by=NOW.date())
    assert services.expire_referrals(by=BY, now=NOW) == 2
    assert services.expire_referrals(by=BY, now=NOW) == 0
    for held in (unbooked, tried, today):
        held.refresh_from_db()
    assert (unbooked.status, tried.status, today.status) == ("EXPIRED", "EXPIRED", "LIVE")
    assert list(Outcome.objects.order_by("sequence").values_list("sequence", "referral_id", "outcome")) == [
        (1, unbooked.pk, "EXPIRED_UNBOOKED"),
        (2, tried.pk, "EXPIRED_BOOKED"),
    ]
    assert [name for name, _ in heard] == ["locking", "ended"] * 2
    assert {kwargs["kind"] for name, kwargs in heard if name == "ended"} == {"expired"}


def test_booked_offer_expires_only_once_its_register_is_overdue() -> None:
    # Friday 20 November 2026: two working days back is Wednesday.
    waits = factories.BookedReferralFactory(complete_by=dt.date(2026, 11, 18), offer_on=dt.date(2026, 10, 1))
    overdue = factories.BookedReferralFactory(complete_by=dt.date(2026, 11, 17), offer_on=dt.date(2026, 10, 1))
    assert services.expire_referrals(by=BY, now=NOW) == 1
    waits.refresh_from_db()
    overdue.refresh_from_db()
    assert (waits.status, overdue.status) == ("BOOKED", "EXPIRED")


def test_register_closed_late_corrects_an_expired_offer() -> None:
    held = factories.BookedReferralFactory(complete_by=dt.date(2026, 11, 1), offer_on=dt.date(2026, 10, 1))
    services.expire_referrals(by=BY, now=NOW)
    assert record(held, OutcomeCode.COMPLETED, now=NOW + DAY).sequence == 2
    held.refresh_from_db()
    assert held.status == ReferralStatus.COMPLETED
