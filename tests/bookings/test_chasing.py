"""Telling that an offer can be booked, and chasing who has not booked: whom, when, once, and until when."""

import datetime as dt

import pytest
from django.db import connection

from bookings import messages, services, waiting_messages
from bookings.services import chasing
from common import clock
from notifications.catalogue import KINDS
from notifications.constants import MessageStatus
from notifications.models import Message, ReminderRule
from referrals.models import Referral
from tests.bookings.conftest import NOW, STAFF
from tests.factories import bookings as b
from tests.factories import courses as c
from tests.factories import referrals as r

pytestmark = pytest.mark.django_db
OFFER = clock.london_day(NOW) - dt.timedelta(days=1)
DAY = dt.timedelta(days=1)
MINUTE = dt.timedelta(minutes=1)


def ten(day: dt.date) -> dt.datetime:
    return clock.from_london(day, dt.time(10))


def run(now: dt.datetime) -> list[str]:
    """What the sweep adds when it runs then, twice."""
    before = set(Message.objects.values_list("pk", flat=True))
    services.schedule_reminders(now=now, by=STAFF)
    services.schedule_reminders(now=now + dt.timedelta(seconds=1), by=STAFF)
    return sorted(Message.objects.exclude(pk__in=before).values_list("kind", flat=True))


def test_an_offer_is_told_once_to_who_can_be_reached() -> None:
    referral = r.LiveReferralFactory.create()
    r.LiveReferralFactory.create(email="", mobile="07700900999")  # no text messages here
    r.WithdrawnReferralFactory.create()
    b.ConfirmedBookingFactory.create()
    assert run(NOW + MINUTE) == ["offer_ready"]
    message = Message.objects.get()
    assert (message.to, message.referral_key) == (referral.email, referral.key)
    assert message.context["book_by"] == clock.day_words(referral.book_by)
    assert message.useless_at == clock.end_of_london_day(referral.book_by)


def test_offers_are_told_by_the_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chasing, "SLICE", 3)
    r.LiveReferralFactory.create_batch(7)
    assert chasing.tell_of_offers(now=NOW) == 7
    assert chasing.tell_of_offers(now=NOW) == 0
    assert Message.objects.filter(kind="offer_ready").count() == 7


def test_an_old_offer_that_was_never_told_of_is_left_to_the_chasers() -> None:
    r.LiveReferralFactory.create()
    assert "offer_ready" not in run(NOW + 8 * DAY)


def test_chasers_after_the_offer_come_on_their_days_at_ten() -> None:
    referral = r.LiveReferralFactory.create(book_by=OFFER + 60 * DAY)
    run(NOW)
    for days in (7, 14, 21):
        due = ten(OFFER + days * DAY)
        assert run(due - MINUTE) == []
        assert run(due) == ["chaser_offer"]
    assert Message.objects.filter(kind="chaser_offer", referral_key=referral.key).count() == 3


def test_chasers_before_complete_by_and_the_last_day_to_book() -> None:
    referral = r.LiveReferralFactory.create(book_by=OFFER + 110 * DAY, complete_by=OFFER + 110 * DAY)
    end = referral.complete_by
    for days in (14, 7, 3):
        assert run(ten(end - days * DAY) - MINUTE) == []
        assert run(ten(end - days * DAY)) == ["chaser_complete_by"]
    assert run(ten(end - DAY) - MINUTE) == []
    assert run(ten(end - DAY)) == ["expiring"]
    assert Message.objects.get(kind="expiring").useless_at == clock.end_of_london_day(end)
    assert run(ten(end + DAY)) == []


def test_nobody_is_chased_twice_in_two_days() -> None:
    r.LiveReferralFactory.create(book_by=OFFER + 35 * DAY, complete_by=OFFER + 35 * DAY)
    assert run(ten(OFFER + 21 * DAY)) == ["chaser_complete_by"]  # both fall on this day: the more urgent one goes


def test_nobody_is_chased_about_what_they_just_heard_of() -> None:
    r.LiveReferralFactory.create(offer_on=OFFER - 5 * DAY, book_by=OFFER + 40 * DAY)
    assert run(ten(OFFER + 2 * DAY)) == ["offer_ready"]


def test_who_has_booked_holds_or_may_not_book_is_not_chased() -> None:
    due = ten(OFFER + 7 * DAY)
    b.ConfirmedBookingFactory.create()
    b.ReadyBookingFactory.create()
    r.WithdrawnReferralFactory.create()
    r.LiveReferralFactory.create(book_by=OFFER + 6 * DAY)
    assert run(due) == []


def test_a_chaser_two_days_late_is_not_sent() -> None:
    r.LiveReferralFactory.create()
    assert run(ten(OFFER + 9 * DAY)) == []


def test_the_days_are_data_with_dates() -> None:
    r.LiveReferralFactory.create(book_by=OFFER + 60 * DAY)
    run(NOW)
    rule = ReminderRule.objects.get(kind="chaser_offer", days=7)
    ReminderRule.objects.filter(pk=rule.pk).update(valid_to=OFFER + 6 * DAY)
    rule.pk, rule.days, rule.valid_from = None, 8, OFFER + 7 * DAY
    rule.save()
    assert run(ten(OFFER + 7 * DAY)) == []
    assert run(ten(OFFER + 8 * DAY)) == ["chaser_offer"]


def test_booking_takes_waiting_chasers_along() -> None:
    booking = b.ConfirmedBookingFactory.create()
    draft = messages.offer_ready(Referral.objects.select_related("force", "course_type").get(pk=booking.referral_id))
    from notifications import services as notifications

    notifications.tell(draft, now=NOW)
    messages.confirmation(booking, now=NOW)
    assert Message.objects.get(kind="offer_ready").status == MessageStatus.DROPPED


def test_a_withdrawal_with_nothing_booked_is_told_and_ends_the_chasing() -> None:
    referral = r.LiveReferralFactory.create()
    run(NOW)
    services.end_with_referral(referral=referral, kind="withdrawn", reason="COURT", by=STAFF, now=NOW)
    assert dict(Message.objects.values_list("kind", "status")) == {"offer_ready": "DROPPED", "withdrawn": "QUEUED"}


def test_the_joining_link_goes_to_who_has_not_had_it_and_once() -> None:
    session = c.OpenSessionFactory.create(joining_url="")
    b.ConfirmedBookingFactory.create(session=session)
    start = session.starts_at
    assert run(start - dt.timedelta(hours=48)) == ["reminder_48h"]
    session.joining_url = "https://meet.example.org/j/99"
    session.save()
    assert run(start - dt.timedelta(hours=30)) == ["joining_link"]
    assert Message.objects.get(kind="joining_link").context["joining_url"] == session.joining_url
    assert run(start - dt.timedelta(hours=2)) == ["reminder_2h"]


def test_every_message_of_bookings_has_all_the_values_its_words_may_name() -> None:
    """The samples in the catalogue promise editors what there is; what is really sent must keep the promise."""
    booking = b.ConfirmedBookingFactory.create()
    held = b.ReadyBookingFactory.create()
    referral = Referral.objects.select_related("force", "course_type").get(pk=held.referral_id)
    start = booking.place.session.starts_at
    messages.confirmation(booking, now=NOW)
    messages.moved(booking, was_at=start - DAY, fee_pence=2500, now=NOW)
    messages.hold_lapsed(held, now=NOW)
    messages.session_changed(booking, now=NOW)
    messages.cancelled(booking, refund_pence=9200, by_kcc=False, now=NOW)
    messages.cancelled(held, refund_pence=9200, by_kcc=True, now=NOW)
    messages.withdrawn(booking, refund_pence=9200, was_confirmed=True, now=NOW)
    messages.offer_withdrawn(referral, now=NOW)
    messages.move_to_pay(b.PaidMoveFactory.create(), now=NOW)
    messages.move_lapsed(b.PaidMoveFactory.create(), now=NOW)
    messages.move_not_made(booking, move_id=1, wanted=start, refund_pence=2500, now=NOW)
    messages.paid_too_late(booking, refund_pence=9200, can_book_again=True, now=NOW)
    offer = b.PlaceOfferFactory.create()
    waiting_messages.offered(offer, session=offer.place.session, now=NOW)
    waiting_messages.passed(offer, now=NOW)
    waiting_messages.ended(referral, entry_id=1, now=NOW)
    messages.late_dates(held, [offer], amount_pence=9200, now=NOW)
    messages.payment_refunded(booking_reference=booking.reference, refund_id=1, amount_pence=9200, now=NOW)
    messages.refund_refused(booking_reference=booking.reference, refund_id=1, amount_pence=9200, now=NOW)
    messages.payment_failed(held, attempt_id=1, amount_pence=9200, now=NOW)
    messages.outcome(booking, is_completed=True, reason="", now=NOW)
    messages.pay_link(held, number=1, until=start, now=NOW)
    messages.contact_changed(booking, was_email="old@example.org", was_mobile="", now=NOW)
    for kind in messages.REMINDERS:
        messages.reminder(booking, kind, now=NOW, useless_at=start)
    drafts = [messages.offer_ready(referral)] + [
        messages.chaser(referral, kind, dedupe_key=f"{kind}:x", useless_at=start) for kind in messages.CHASERS
    ]
    from notifications import services as notifications

    notifications.enqueue_many(drafts, now=NOW)
    missing = {
        message.kind: set(KINDS[message.kind].sample) - set(message.context) for message in Message.objects.all()
    }
    assert missing == {
        kind: set()
        for kind in KINDS
        if kind not in ("batch_left", "batch_receipt", "money_task", "unreported_outcomes")
    }
    assert not Message.objects.filter(useless_at=None).exists()  # each has an end after which it is no news
    news = ["cancelled", "session_cancelled", "withdrawn", "move_not_made", "paid_too_late", "payment_refunded"]
    news += ["refund_refused", "outcome", "contact_changed"]
    ends = set(Message.objects.filter(kind__in=news).values_list("useless_at"))
    assert ends == {(NOW + 28 * DAY,)}


def test_looking_for_untold_offers_goes_by_index() -> None:
    """Not by a walk over all referrals or all messages: the sweep runs every five minutes."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("EXPLAIN " + _sql())
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Seq Scan on notifications_message" not in plan
    assert "referrals_ref_bookable" in plan or "Index" in plan


def _sql() -> str:
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as seen:
        chasing.tell_of_offers(now=NOW)
    return next(query["sql"] for query in seen if "EXISTS" in query["sql"]).removeprefix("SELECT set_config")
