"""What happens to money, a step each: what people, staff, police, banks, Stripe and our jobs do."""

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from audit.context import Actor
from bookings import services as bookings
from bookings.constants import BookingStatus, CancelCause
from bookings.models import PlaceOffer
from courses import services as courses
from payments import services
from payments.constants import RefundReason
from payments.models import Attempt, Charge, Dispute, Refund
from referrals import services as referrals
from tests.factories import referrals as r
from tests.support.money.world import (
    CALLS,
    CARDS,
    IDLE,
    LUCKY,
    PLACED,
    POLICE,
    SECOND,
    SESSIONS,
    STAFF,
    STRIPE,
    MoneyWorld,
    luck,
    person,
    session,
    some,
    there_are,
)  # fmt: skip

if TYPE_CHECKING:
    pass


class Candidates(MoneyWorld):
    """What candidates do."""

    # --- Candidates --------------------------------------------------------------------------------------------
    @rule(who=person, where=session)
    def hold(self, who: int, where: int) -> None:
        """Choose a date and say all that is asked."""
        by = self.candidate(who)

        def hold() -> None:
            held = bookings.hold(
                referral_id=self.referrals[who].pk, session_id=self.sessions[where].pk, by=by, now=self.now
            )
            bookings.give_details(booking_id=held.pk, email="a@example.org", mobile="", by=by, now=self.now)
            texts = [text.pk for text in bookings.texts_needed(held, now=self.now)]
            bookings.give_consents(booking_id=held.pk, text_ids=texts, by=by, now=self.now)

        self.attempt(hold)

    @rule(who=person, where=session, card=st.sampled_from(sorted(CARDS)), is_heard=st.booleans())
    def buy(self, who: int, where: int, card: str, is_heard: bool) -> None:
        """The straight way: choose, pay, and mostly come back to the return page."""
        self.hold(who, where)
        self.click_pay(who)
        booking = self.booking(who)
        page = booking and Attempt.objects.filter(charge__booking_reference=booking.reference, status="OPEN").first()

        def buy() -> Any:
            if not page:
                return IDLE
            return self.sandbox.pay(page.checkout_session_id, CARDS[card])

        self.attempt(buy)
        if is_heard:
            self.come_back(who)

    @rule(who=person)
    @there_are("live")
    def click_pay(self, who: int) -> None:
        """Go to the payment page; perhaps again."""
        booking = self.booking(who)

        def click_pay() -> Any:
            if booking is None:
                return IDLE
            self.sync()
            return bookings.start_payment(
                booking_id=booking.pk, by=self.candidate(who), now=self.now, **self.addresses()
            )

        self.attempt(click_pay)

    @staticmethod
    def addresses() -> dict[str, str]:
        return {"success_url": "http://testserver/paid/", "cancel_url": "http://testserver/pay/"}

    @rule(which=some, card=st.sampled_from(sorted(CARDS)))
    @there_are("pages")
    def pay(self, which: int, card: str) -> None:
        """Pay, or be declined, on any payment page that was ever opened: in time, late or a second time."""
        pages = list(Attempt.objects.exclude(checkout_session_id="").order_by("-pk"))

        def pay() -> Any:
            if not pages:
                return IDLE
            return self.sandbox.pay(pages[which % len(pages)].checkout_session_id, CARDS[card])

        self.attempt(pay)

    @rule(who=person, where=session)
    @there_are("placed")
    def move(self, who: int, where: int) -> None:
        """Choose another date: free, or for a fee on the payment page."""
        booking, by = self.booking(who), self.candidate(who)

        def move() -> Any:
            if booking is None or booking.status != BookingStatus.CONFIRMED:
                return IDLE
            self.sync()
            held = bookings.hold_move(booking_id=booking.pk, session_id=self.sessions[where].pk, by=by, now=self.now)
            if held.fee_pence:
                return bookings.pay_move(move_id=held.pk, by=by, now=self.now, **self.addresses())
            return bookings.confirm_move(move_id=held.pk, by=by, now=self.now)

        self.attempt(move)

    @rule(who=person)
    @there_are("live")
    def cancel(self, who: int) -> None:
        """The candidate gives it up."""
        booking = self.booking(who)

        def cancel() -> Any:
            if booking is None or not booking.is_live:
                return IDLE
            return bookings.cancel(booking_id=booking.pk, by=self.candidate(who), now=self.now)

        self.attempt(cancel)

    @rule(which=some, is_taken=st.booleans())
    @there_are("offers")
    def answer(self, which: int, is_taken: bool) -> None:
        """Choose one of the dates held for who paid too late, or none."""
        open_ones = list(PlaceOffer.objects.open().filter(payment__isnull=False).order_by("pk"))

        def answer() -> Any:
            if not open_ones:
                return IDLE
            offer = open_ones[which % len(open_ones)]
            by = Actor("candidate", offer.referral.key)
            if is_taken:
                return bookings.choose_late_date(offer_id=offer.pk, by=by, now=self.now)
            return bookings.decline_late_dates(booking_id=offer.payment.booking_id, by=by, now=self.now)

        self.attempt(answer)

    @rule(who=person)
    @there_are("pages")
    def come_back(self, who: int) -> None:
        """The return page asks Stripe."""
        booking = self.booking(who)

        def come_back() -> Any:
            if booking is None:
                return IDLE
            charges = Charge.objects.filter(booking_reference=booking.reference)
            return [services.refresh_charge(charge_id=charge.pk, now=self.now) for charge in charges]

        self.attempt(come_back)


class Others(MoneyWorld):
    """What staff, police, registers and banks do."""

    # --- Staff, police, the course -----------------------------------------------------------------------------
    @rule(who=person)
    @there_are("live")
    def kcc_cancels(self, who: int) -> None:
        """Staff cancel one booking."""
        booking = self.booking(who)

        def kcc_cancels() -> Any:
            if booking is None or not booking.is_live:
                return IDLE
            return bookings.cancel(
                booking_id=booking.pk, cause=CancelCause.KCC, reason="trainer ill", by=STAFF, now=self.now
            )

        self.attempt(kcc_cancels)

    @rule(where=session, luck=luck)
    @there_are("payments")
    def cancel_session(self, where: int, luck: int) -> None:
        """A whole session goes, now and then."""

        def cancel_session() -> Any:
            if luck < LUCKY:
                return IDLE
            return courses.cancel_session(
                session_id=self.sessions[where].pk, reason="trainer ill", by=STAFF, now=self.now
            )

        self.attempt(cancel_session)

    @rule(
        who=person,
        luck=luck,
        why=st.sampled_from(["FIXED_PENALTY_PAID", "COURT", "FAILED_TO_COMPLETE"]),
    )
    @there_are("live")
    def withdraw(self, who: int, luck: int, why: str) -> None:
        """Police take the offer back, perhaps while its candidate is paying."""
        referral = self.referrals[who]

        def withdraw() -> Any:
            if luck != LUCKY:
                return IDLE
            return referrals.withdraw(
                force_code=referral.force_id,
                reference=referral.reference,
                reason=why,
                effective_at=None,
                received_at=self.now,
                by=POLICE,
                now=self.now,
            )

        self.attempt(withdraw)

    @rule(who=person, is_completed=st.booleans(), luck=luck)
    @there_are("placed")
    def outcome(self, who: int, is_completed: bool, luck: int) -> None:
        """A register says how it went, or corrects what it said."""
        booking = self.booking(who)

        def outcome() -> Any:
            if booking is None or booking.status not in PLACED or luck < LUCKY:
                return IDLE
            with transaction.atomic():
                return bookings.record_outcome(
                    booking_id=booking.pk,
                    is_completed=is_completed,
                    reason="" if is_completed else "DID_NOT_ATTEND",
                    by=STAFF,
                    now=self.now,
                )

        self.attempt(outcome)

    @rule(which=some, pence=st.integers(1, 9300), policy=st.sampled_from([0, 9200]))
    @there_are("payments")
    def ask_refund(self, which: int, pence: int, policy: int) -> None:
        """Finance ask for any sum by hand."""
        charges = list(Charge.objects.order_by("-pk"))

        def ask_refund() -> Any:
            if not charges:
                return IDLE
            return services.ask_refund(
                charge_id=charges[which % len(charges)].pk,
                amount_pence=pence,
                reason=RefundReason.GOODWILL,
                note="bereavement",
                policy_pence=policy,
                by=STAFF,
                now=self.now,
            )

        self.attempt(ask_refund)

    @rule(
        which=some,
        what=st.sampled_from(["approve", "reject", "again", "elsewhere"]),
        by=st.sampled_from([STAFF, SECOND]),
    )
    @there_are("refunds")
    def decide(self, which: int, what: str, by: Actor) -> None:
        """Decide on a refund, or settle a failed one, whoever one is and however it stands."""
        known = list(Refund.objects.order_by("-pk"))
        acts: dict[str, Callable[..., Refund]] = {
            "approve": services.approve_refund,
            "reject": services.reject_refund,
            "again": services.try_refund_again,
            "elsewhere": services.settle_refund_elsewhere,
        }

        def decide() -> Any:
            if not known:
                return IDLE
            return acts[what](refund_id=known[which % len(known)].pk, note="seen", by=by, now=self.now)

        self.attempt(decide)

    # --- Banks -------------------------------------------------------------------------------------------------
    @rule(which=some, luck=luck)
    @there_are("payments")
    def dispute(self, which: int, luck: int) -> None:
        """A payer's bank takes the money back."""
        paid = list(Attempt.objects.filter(paid_pence__gt=0, refunded_pence=0).order_by("-pk"))

        def dispute() -> Any:
            disputed = set(Dispute.objects.values_list("attempt_id", flat=True))
            open_to_it = [one for one in paid if one.pk not in disputed]
            if not open_to_it or luck < LUCKY:
                return IDLE
            return self.sandbox_or_refused("dispute", charge=open_to_it[which % len(open_to_it)].payment_intent_id)

        self.attempt(dispute)

    @rule(which=some, outcome=st.sampled_from(["won", "lost"]))
    @there_are("disputes")
    def verdict(self, which: int, outcome: str) -> None:
        """The card scheme decides."""
        known = list(Dispute.objects.order_by("-pk"))

        def verdict() -> Any:
            if not known:
                return IDLE
            return self.sandbox_or_refused("settle", id=known[which % len(known)].stripe_dispute_id, outcome=outcome)

        self.attempt(verdict)


class MoneyMachine(Candidates, Others):
    """All of it, with Stripe's chaos and our jobs."""

    @rule(who=person, where=session, then=st.sampled_from(["move", "withdraw", "outcome", "dispute"]))
    def buy_and_go_on(self, who: int, where: int, then: str) -> None:
        """What needs a booked place happens to one; left to chance it would be seldom."""
        self.buy(who, where, "pays", True)
        if then == "move":
            self.move(who, (where + 1) % SESSIONS)
        elif then == "withdraw":
            self.withdraw(who, LUCKY, "COURT")
        elif then == "outcome":
            self.outcome(who, True, LUCKY)
        elif "payments" in self.there_are:
            self.dispute(0, LUCKY)

    # --- Stripe and our jobs -----------------------------------------------------------------------------------
    @rule(call=st.sampled_from(CALLS), how=st.sampled_from(["time_out_next", "error_next"]), kept=st.booleans())
    @there_are("bookings")
    def chaos(self, call: str, how: str, kept: bool) -> None:
        """The next call is cut after Stripe acted, or answered 500, perhaps for ever under its key."""

        def chaos() -> None:
            self.sandbox.control("api", match=call, keep_error=kept, **{how: 1})

        self.attempt(chaos)

    @rule(first=some, count=st.integers(1, 4), copies=st.integers(1, 3), is_turned=st.booleans())
    @there_are("pages")
    def webhooks(self, first: int, count: int, copies: int, is_turned: bool) -> None:
        """Some of the latest events are delivered, each several times, perhaps the other way round."""

        def webhooks() -> Any:
            events = self.latest()[first : first + count]
            if not events:
                return IDLE
            for event in events if is_turned else events[::-1]:
                for _ in range(copies):
                    self.deliver(event)
            return services.apply_stripe_events(now=self.now, by=STRIPE)

        self.attempt(webhooks)

    @rule(job=st.sampled_from(["settle", "refunds", "holds", "offers"]))
    @there_are("bookings")
    def sweep(self, job: str) -> None:
        """One of the jobs takes its turn."""

        def sweep() -> None:
            if job == "settle":
                services.settle_payments(now=self.now)
            elif job == "refunds":
                services.send_refunds(now=self.now)
            elif job == "offers":
                bookings.offer_places(now=self.now, by=STRIPE)
            else:
                bookings.release_holds(now=self.now, by=STRIPE)

        self.attempt(sweep)

    @rule(minutes=st.sampled_from([1, 4, 16, 40, 24 * 60]))
    @precondition(lambda self: bool(self.there_are) and self.now < r.NOW + dt.timedelta(days=20))
    def time_passes(self, minutes: int) -> None:
        """Ours and Stripe's."""

        def time_passes() -> None:
            self.now += dt.timedelta(minutes=minutes)
            self.sync()

        self.attempt(time_passes)

    @rule(luck=luck)
    @there_are("payments")
    def a_quiet_hour(self, luck: int) -> None:
        """Now and then everything is heard of and done."""

        def a_quiet_hour() -> Any:
            return self.calm() if luck == LUCKY else IDLE

        self.attempt(a_quiet_hour)
