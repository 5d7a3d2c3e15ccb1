"""Deciding on quarantined rows."""

import datetime as dt
from typing import Any

import pytest

from audit.context import Actor
from audit.models import AuditEvent
from courses import services as courses
from referrals import selectors, services
from referrals.constants import ReferralStatus
from referrals.errors import DecisionError, ReasonMissingError
from referrals.models import Batch, BatchRow, Referral, Withdrawal
from tests.factories import courses as c
from tests.factories import referrals as factories
from tests.referrals.files import TODAY, as_csv, import_bytes, many, table

pytestmark = pytest.mark.django_db
OFFICER = Actor("officer", "3")
STAFF = Actor("staff", "1")
LATER = TODAY + dt.timedelta(days=1)


def accept(row: BatchRow, *, by: Actor = OFFICER, reason: str = "Looked at it", now: dt.datetime = LATER) -> BatchRow:
    return services.accept_row(row_id=row.pk, reason=reason, by=by, now=now)


def quarantined(content: bytes, **options: Any) -> BatchRow:
    row = BatchRow.objects.get(batch=import_bytes(content, **options), state="quarantined")
    assert row in selectors.undecided_rows(force="46")
    return row


def barred() -> BatchRow:
    earlier = dt.datetime(2024, 12, 1, 10, tzinfo=dt.UTC)
    factories.CompletedReferralFactory(now=earlier, offence_at=earlier, driver_number="OBRIE607035PT9XB")
    return quarantined(as_csv(table()[:1]))


def test_barred_row_accepted_is_a_live_offer() -> None:
    row = barred()
    accept(row)
    held = Referral.objects.get(reference="46KD00000126")
    assert (held.status, held.surname, held.batch_id) == (ReferralStatus.LIVE, "Ó'Brien", row.batch_id)
    assert (held.received_at, held.bookable_at) == (TODAY, LATER)
    row.refresh_from_db()
    assert (row.state, row.decision, row.decided_at, row.decided_by) == ("quarantined", "accepted", LATER, "officer:3")
    event = AuditEvent.objects.get(action="row.accepted")
    assert (event.referral_key, event.reason) == ("46/46KD00000126", "Looked at it")
    assert event.words == "Row 2 of batch.csv accepted: the offer is live"
    assert not selectors.undecided_rows(force="46").exists()
    assert Batch.objects.get(pk=row.batch_id).quarantined == 1  # the receipt stays as it was


def test_barred_row_sent_again_after_it_was_accepted_is_unchanged() -> None:
    accept(barred())
    again = import_bytes(as_csv([*table()[:1], *many(1)]))
    assert (again.unchanged, again.new) == (1, 1)


def test_refused_row_changes_nothing() -> None:
    row = barred()
    before = Referral.objects.count()
    services.refuse_row(row_id=row.pk, reason="Barred indeed", by=OFFICER, now=LATER)
    row.refresh_from_db()
    assert (row.decision, Referral.objects.count()) == ("refused", before)
    assert AuditEvent.objects.get(action="row.refused").words == "Row 2 of batch.csv refused: not taken"


def test_row_is_decided_once() -> None:
    row = barred()
    services.refuse_row(row_id=row.pk, reason="No", by=OFFICER, now=LATER)
    with pytest.raises(DecisionError):
        accept(row)
    with pytest.raises(DecisionError):
        services.refuse_row(row_id=row.pk, reason="No", by=OFFICER, now=LATER)
    assert not Referral.objects.filter(reference="46KD00000126").exists()


def test_decision_needs_a_reason() -> None:
    row = barred()
    for decide in (services.accept_row, services.refuse_row):
        with pytest.raises(ReasonMissingError):
            decide(row_id=row.pk, reason=" ", by=OFFICER, now=LATER)
    row.refresh_from_db()
    assert row.decision == ""


def test_row_that_is_time_barred_by_now_cannot_be_accepted() -> None:
    row = barred()
    with pytest.raises(DecisionError, match="6 months have passed since the offence of 3 November 2026"):
        accept(row, now=dt.datetime(2027, 5, 4, 12, tzinfo=dt.UTC))
    row.refresh_from_db()
    assert row.decision == ""
    assert not Referral.objects.filter(reference="46KD00000126").exists()


def test_row_of_another_force_is_accepted_by_staff_alone() -> None:
    row = quarantined(as_csv([many(1)[0] | {"force_code": "42"}]))
    with pytest.raises(DecisionError):
        accept(row)
    assert Referral.objects.count() == 0
    accept(row, by=STAFF)
    assert Referral.objects.get().force_id == "42"


def changed_while_booked(**changes: str) -> BatchRow:
    rows = many(1)
    import_bytes(as_csv(rows))
    Referral.objects.update(status=ReferralStatus.BOOKED)
    return quarantined(as_csv([rows[0] | changes]))


def test_change_while_booked_is_applied_when_accepted() -> None:
    row = changed_while_booked(town="Dover")
    accept(row)
    held = Referral.objects.get()
    assert (held.town, held.status) == ("Dover", ReferralStatus.BOOKED)
    assert AuditEvent.objects.get(action="row.accepted").words == "Row 2 of batch.csv accepted: changed town"


def test_other_course_while_booked_cannot_be_accepted() -> None:
    row = changed_while_booked(course_code="WDU")
    with pytest.raises(DecisionError, match="Cancel the booking first"):
        accept(row)
    assert Referral.objects.get().course_type.code != "WDU"


def test_nearer_complete_by_while_booked_cannot_be_accepted() -> None:
    row = changed_while_booked(complete_by="2026-12-20", book_by="2026-12-10")
    with pytest.raises(DecisionError, match="complete by cannot come nearer"):
        accept(row)


@pytest.mark.parametrize("changes", [{"course_code": "WDU"}, {"complete_by": "2026-12-20", "book_by": "2026-12-10"}])
def test_what_a_held_place_rests_on_cannot_be_changed_before_it_is_given_back(changes: dict[str, str]) -> None:
    rows = many(1)
    import_bytes(as_csv(rows))
    place = c.HeldPlaceFactory.create(holder=Referral.objects.get().key)
    row = quarantined(as_csv([rows[0] | changes]))
    before = (Referral.objects.values().get(), AuditEvent.objects.count())
    with pytest.raises(DecisionError, match="choosing a date"):
        accept(row)
    assert (Referral.objects.values().get(), AuditEvent.objects.count()) == before
    courses.release_place(place_id=place.pk, reason="lapsed", by=STAFF, now=LATER)
    accept(row)
    assert Referral.objects.values().get() != before[0]


def test_unknown_withdrawal_is_accepted_once_the_referral_is_there() -> None:
    rows = many(1)
    sent = as_csv([{"force_code": "46", "reference": rows[0]["reference"], "reason": "COURT"}])
    row = quarantined(sent, kind="withdrawals")
    with pytest.raises(DecisionError, match="We still do not hold this reference"):
        accept(row)
    import_bytes(as_csv(rows))
    accept(row)
    assert Referral.objects.get().status == ReferralStatus.WITHDRAWN
    assert Withdrawal.objects.get().received_at == TODAY


def test_withdrawal_for_another_reason_cannot_be_accepted_and_says_which_stands() -> None:
    rows = many(1)
    import_bytes(as_csv(rows))
    one = {"force_code": "46", "reference": rows[0]["reference"]}
    import_bytes(as_csv([one | {"reason": "COURT"}]), kind="withdrawals")
    row = quarantined(as_csv([one | {"reason": "OTHER"}]), kind="withdrawals")
    with pytest.raises(DecisionError, match=r"\(COURT\), and that reason stands"):
        accept(row)
    row.refresh_from_db()
    assert (row.decision, Withdrawal.objects.get().reason) == ("", "COURT")
    services.refuse_row(row_id=row.pk, reason="The first one stands", by=OFFICER, now=TODAY)
