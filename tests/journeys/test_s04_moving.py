"""Scenario 4 over HTTP, paying at the Stripe sandbox: both places swap at once, or nothing changes."""

import datetime as dt
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from audit.models import AuditEvent
from bookings import services
from bookings.constants import BookingStatus, MoveStatus
from bookings.models import Booking, Move
from common import clock
from courses.constants import PlaceState
from courses.models import Place, Session
from notifications import services as notifications
from notifications.models import Message
from payments import services as payments
from payments.constants import ChargeStatus, Purpose, RefundStatus
from payments.models import Attempt, Charge, Journal, Refund
from referrals import services as referrals
from referrals.models import Referral
from rosters import selectors as rosters
from tests.factories import courses as c
from tests.factories import referrals as r
from tests.journeys.test_booking import JOB, Candidate

if TYPE_CHECKING:
    from devtools.stripe_sandbox.testing import Sandbox
    from tests.support.mail import SmtpSink

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.filterwarnings("ignore:No directory at")]


def session_in(days: int) -> Session:
    """With one place, at 9am so many days from today."""
    day = clock.london_day(clock.now()) + dt.timedelta(days=days)
    return c.OpenSessionFactory.create(starts_at=clock.from_london(day, dt.time(9)), capacity=1)


@pytest.fixture
def offer(transactional_db: None) -> Referral:
    return r.LiveReferralFactory.create(now=clock.now(), reference="46TEST0001X", email="jo@example.org")


@pytest.fixture
def jo(stripe_sandbox: "Sandbox", offer: Referral) -> Candidate:
    """Somebody who has booked and paid for a date three days from now: moving it costs £25."""
    candidate = Candidate(stripe_sandbox)
    candidate.up_to_paying(session_in(3))
    candidate.pay_page()
    assert candidate.come_back(candidate.pay().url) == "/booking/?booked"
    return candidate


def to_payment(jo: Candidate, session: Session) -> str:
    """Choose the date, see the fee, click Continue to payment; the address of Stripe's page."""
    assert "It costs £25 to change your date." in jo.page("/booking/move/")
    assert jo.post("/booking/move/hold/", session=session.pk) == "/booking/move/check/"
    assert "£25" in jo.page("/booking/move/check/")
    jo.checkout = jo.post("/booking/move/confirm/", move=Move.objects.latest("pk").pk)
    assert jo.checkout.startswith(jo.sandbox.url)
    return jo.checkout


def booking() -> Booking:
    return Booking.objects.with_session().get()


def fees() -> list[tuple[str, int, str]]:
    """What was charged for moves: purpose, pence, status."""
    moves = Charge.objects.exclude(purpose=Purpose.COURSE_FEE).order_by("pk")
    return list(moves.values_list("purpose", "amount_pence", "status"))


def test_s04_paid_with_the_news_lost_the_fee_is_not_asked_again(jo: Candidate) -> None:
    new = session_in(20)
    to_payment(jo, new)
    jo.pay()
    assert jo.come_back("/booking/move/check/?unpaid") == "/booking/move/return/"
    assert jo.come_back("/booking/move/return/") == "/booking/?moved"
    assert booking().place.session_id == new.pk


def test_s04_paid_the_places_swap_and_everything_follows(jo: Candidate, smtp_sink: "SmtpSink") -> None:
    old, new = booking().place.session, session_in(20)
    to_payment(jo, new)
    assert booking().place.session_id == old.pk  # while they are on Stripe's page
    assert jo.come_back(jo.pay().url) == "/booking/?moved"
    made = booking()
    assert (made.place.session_id, made.status, made.place.state) == (
        new.pk,
        BookingStatus.CONFIRMED,
        PlaceState.TAKEN,
    )
    assert list(Place.objects.claiming().values_list("session_id", flat=True)) == [new.pk]
    assert fees() == [(Purpose.MOVE_FEE, 2500, ChargeStatus.PAID)]  # the fee shown is the fee charged
    assert list(Journal.objects.order_by("pk").values_list("kind", "total_pence")) == [("PAID", 9200), ("PAID", 2500)]
    page = jo.page("/booking/?moved")
    assert "Your date has changed" in page
    assert "Change of date</dt>" in page
    assert '<span class="portal-number">£25.00</span>' in page
    notifications.send_messages(now=clock.now())
    letter = smtp_sink.messages[-1]
    assert letter["Subject"] == f"Your driver course is moved: {made.reference}"
    first, second = (
        next(part.get_content() for part in mail.iter_attachments()) for mail in (smtp_sink.messages[0], letter)
    )
    uid, sequence = (
        [next(line for line in text.splitlines() if line.startswith(name)) for text in (first, second)]
        for name in ("UID", "SEQUENCE")
    )
    assert uid[0] == uid[1]
    assert int(sequence[1].partition(":")[2]) >= int(sequence[0].partition(":")[2])
    # The old session's roster has lost them, and the story of the offer tells why.
    assert [len(rosters.roster(session)) for session in (old, new)] == [0, 1]
    story = AuditEvent.objects.filter(referral_key=made.referral.key).order_by("pk")
    told = list(story.values_list("action", flat=True))
    assert [action for action in told if "move" in action] == ["booking.move_held", "booking.moved"]
    # The place left behind can be booked by somebody else at once.
    other = r.LiveReferralFactory.create(now=clock.now())
    services.hold(referral_id=other.pk, session_id=old.pk, by=JOB, now=clock.now())


def test_s04_declined_or_abandoned_the_old_place_is_still_theirs(jo: Candidate) -> None:
    before, new = booking(), session_in(20)
    to_payment(jo, new)
    assert jo.pay("4000000000000002").outcome == "declined"
    assert jo.come_back("/booking/move/return/") == "/booking/move/check/?unpaid"
    assert "You have not been charged" in jo.page("/booking/move/check/?unpaid")
    assert jo.pay("4000000000003220", "abandon").outcome == "abandoned"
    until = Move.objects.get().place.held_until
    assert until is not None
    assert services.release_holds(now=until - dt.timedelta(seconds=1), by=JOB) == {"released": 0}
    assert services.release_holds(now=until, by=JOB) == {"released": 1}
    after = booking()
    assert (after.place_id, after.status, after.place.state) == (
        before.place_id,
        BookingStatus.CONFIRMED,
        PlaceState.TAKEN,
    )
    assert (Move.objects.get().status, fees()) == (
        MoveStatus.LAPSED,
        [(Purpose.MOVE_FEE, 2500, ChargeStatus.CANCELLED)],
    )
    new.refresh_from_db()
    assert new.places_claimed == 0
    assert list(Message.objects.order_by("pk").values_list("kind", flat=True)) == ["confirmation", "move_lapsed"]


def test_s04_browser_closed_after_paying_is_moved_by_the_mop_up(jo: Candidate) -> None:
    new = session_in(20)
    to_payment(jo, new)
    assert jo.pay().outcome == "paid"
    payments.settle_payments(now=clock.now() + dt.timedelta(minutes=4))
    assert booking().place.session_id == new.pk


def test_s04_clicked_in_several_tabs_is_one_page_and_one_charge(jo: Candidate) -> None:
    new = session_in(20)
    pages = {to_payment(jo, new) for _ in range(5)}
    assert len(pages) == 1
    paid = jo.pay()
    for _ in range(3):
        assert jo.come_back(paid.url) == "/booking/?moved"
    assert jo.post("/booking/move/confirm/", move=Move.objects.get().pk) == "/booking/?moved"  # a tab left open
    assert fees() == [(Purpose.MOVE_FEE, 2500, ChargeStatus.PAID)]
    assert Message.objects.filter(kind="moved").count() == 1


def test_s04_stripe_out_of_reach_says_what_is_true(jo: Candidate) -> None:
    new = session_in(20)
    to_payment(jo, new)
    path = "/booking/move/return/?" + urlsplit(jo.pay().url).query
    jo.sandbox.kill()
    try:
        page = jo.page(path)
    finally:
        jo.sandbox.start()
    assert "We have your payment and are changing your date" in page
    assert jo.come_back(path) == "/booking/?moved"


def test_s04_paid_after_the_seat_went_is_told_and_refunded_and_the_old_place_stays(jo: Candidate) -> None:
    before, new = booking(), session_in(20)
    to_payment(jo, new)
    gone = clock.now() + dt.timedelta(minutes=40)
    assert services.release_holds(now=gone, by=JOB) == {"released": 1}
    c.TakenPlaceFactory.create(session=new)
    assert jo.pay().outcome == "paid"  # the sandbox's clock stands still: its page is still open
    page = jo.page("/booking/move/return/")
    assert "We could not change your date" in page
    assert "You are still booked on" in page
    payments.send_refunds(now=clock.now())
    assert (Refund.objects.get().amount_pence, Refund.objects.get().status) == (2500, RefundStatus.SUCCEEDED)
    assert (booking().place_id, booking().status) == (before.place_id, BookingStatus.CONFIRMED)
    assert Message.objects.filter(kind="move_not_made").count() == 1


def test_s13_withdrawn_on_the_payment_page_of_a_move_frees_both_and_sends_all_back(jo: Candidate) -> None:
    new = session_in(20)
    to_payment(jo, new)
    now = clock.now()
    referrals.withdraw(
        force_code="46",
        reference="46TEST0001X",
        reason="OTHER",
        effective_at=None,
        received_at=now,
        by=JOB,
        now=now,
    )
    services.release_holds(now=now, by=JOB)
    assert Place.objects.claiming().count() == 0
    assert jo.pay().outcome == "paid"  # quicker than the sweep
    payments.settle_payments(now=now)
    payments.send_refunds(now=now)
    assert sorted(Refund.objects.values_list("amount_pence", "status")) == [
        (2500, RefundStatus.SUCCEEDED),
        (9200, RefundStatus.SUCCEEDED),
    ]
    assert "The police have withdrawn your offer" in jo.page("/booking/move/check/")


def test_s04_within_a_day_the_full_fee_is_charged_again(jo: Candidate) -> None:
    Session.objects.filter(pk=booking().place.session_id).update(
        starts_at=clock.now() + dt.timedelta(hours=5), ends_at=clock.now() + dt.timedelta(hours=8)
    )
    new = session_in(20)
    assert jo.post("/booking/move/hold/", session=new.pk) == "/booking/move/check/"
    assert "£92" in jo.page("/booking/move/check/")
    jo.checkout = jo.post("/booking/move/confirm/", move=Move.objects.get().pk)
    assert jo.come_back(jo.pay().url) == "/booking/?moved"
    assert fees() == [(Purpose.REBOOK_FEE, 9200, ChargeStatus.PAID)]
    assert Attempt.objects.filter(charge__purpose=Purpose.REBOOK_FEE).count() == 1
