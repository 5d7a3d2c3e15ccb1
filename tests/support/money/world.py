"""Money as a state machine: people, staff, police, banks and a Stripe that fails do anything in any order.

After every step the database's own rules hold (each journal balances), nobody is confirmed who has not paid, nobody
who paid is left without place or refund for longer than the policy says, and the clearing account is the sum of
Stripe's balance transactions that we have heard of, one journal for each. When it is calm again, nothing is unheard.
"""

import datetime as dt
import json
import urllib.request
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from django.conf import settings as portal
from django.db import connection, transaction
from django.db.models import F, Q, Sum
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition

from audit.context import Actor
from bookings import services as bookings
from bookings.constants import UNSETTLED_LATE, BookingStatus, MoveStatus
from bookings.models import Booking, LatePayment
from common.errors import PortalError
from courses.models import Session
from devtools.stripe_sandbox.deliveries import signature
from payments import services
from payments.constants import Account, ChargeStatus, Purpose, RefundStatus
from payments.gateway import StripeError
from payments.models import Attempt, Charge, Posting, Refund, StripeEvent
from referrals.models import Referral
from tests.factories import courses as c
from tests.factories import referrals as r

if TYPE_CHECKING:
    from devtools.stripe_sandbox.testing import Sandbox
STAFF, SECOND, POLICE, STRIPE = (Actor(*who) for who in (
    ("staff", "7"), ("staff", "8"), ("officer", "1"), ("job", "apply_stripe_events")
))  # fmt: skip
CARDS = {
    "pays": "4242424242424242",
    "is declined": "4000000000000002",
    "refunds late": "4000000000007726",
    "refuses refunds": "4000000000005126",
}
IDLE = object()
PEOPLE, SESSIONS = 4, 3
# Not those by which this machine itself looks at Stripe.
CALLS = [
    "POST *",
    "POST /v1/refunds",
    "POST /v1/checkout/sessions",
    "POST *expire",
    "GET /v1/checkout*",
    "GET /v1/refunds*",
]
PLACED = (BookingStatus.CONFIRMED, BookingStatus.COMPLETED, BookingStatus.NOT_COMPLETED)
ENDED = (BookingStatus.CANCELLED, BookingStatus.COMPLETED, BookingStatus.NOT_COMPLETED)
_THERE_ARE = """
    SELECT array_remove(ARRAY[
        CASE WHEN EXISTS (SELECT FROM bookings_booking) THEN 'bookings' END,
        CASE WHEN EXISTS (SELECT FROM bookings_booking WHERE status IN ('HELD', 'CONFIRMED')) THEN 'live' END,
        CASE WHEN EXISTS (SELECT FROM bookings_booking WHERE status NOT IN ('HELD', 'LAPSED', 'CANCELLED'))
            THEN 'placed' END,
        CASE WHEN EXISTS (SELECT FROM payments_attempt WHERE checkout_session_id <> '') THEN 'pages' END,
        CASE WHEN EXISTS (SELECT FROM payments_attempt WHERE paid_pence > 0) THEN 'payments' END,
        CASE WHEN EXISTS (SELECT FROM bookings_placeoffer WHERE status = 'OPEN') THEN 'offers' END,
        CASE WHEN EXISTS (SELECT FROM payments_refund) THEN 'refunds' END,
        CASE WHEN EXISTS (SELECT FROM payments_dispute) THEN 'disputes' END
    ], NULL)
"""


def there_are(what: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A step that needs something to be done to is tried once there is something."""
    wanted: Callable[..., Callable[..., None]] = precondition(lambda self: what in self.there_are)
    return wanted


person = st.integers(0, PEOPLE - 1)
session = st.integers(0, SESSIONS - 1)
some = st.integers(0, 7)
# For what should happen seldom: the plainest values, which are tried most, do not bring it about.
luck = st.integers(0, 7)
LUCKY = 5


class MoneyWorld(RuleBasedStateMachine):
    """Four offers, three sessions of two places each. Every example runs in a transaction that is rolled back."""

    sandbox: ClassVar["Sandbox"]
    steps: ClassVar[int] = 0
    did: ClassVar[dict[str, int]] = {}

    def __init__(self) -> None:
        super().__init__()
        self.atomic = transaction.atomic()
        # As django.test.TestCase marks its own: the durable services below may begin inside it.
        self.atomic._from_testcase = True  # type: ignore[attr-defined]
        self.atomic.__enter__()
        self.now = r.NOW
        self.sandbox.reset()
        self.sandbox.control("endpoints", endpoints=[])
        self.sync()
        days = [dt.datetime(2026, 12, day, 9, tzinfo=dt.UTC) for day in (14, 15, 16)]
        self.sessions: list[Session] = [
            c.OpenSessionFactory.create(starts_at=day, ends_at=day + dt.timedelta(minutes=165), capacity=2)
            for day in days
        ]
        self.referrals: list[Referral] = [r.LiveReferralFactory.create() for _ in range(PEOPLE)]
        self.is_changed = True
        self.there_are: set[str] = set()

    def teardown(self) -> None:
        """What ends is calmed, compared to the penny, and forgotten."""
        try:
            self.calm()
        finally:
            transaction.set_rollback(True)
            self.atomic.__exit__(None, None, None)

    # --- What the steps are made of ----------------------------------------------------------------------------
    def sync(self) -> None:
        """Stripe's clock is ours."""
        self.sandbox.control("clock", now=str(self.now.timestamp()))

    def candidate(self, who: int) -> Actor:
        return Actor("candidate", self.referrals[who].key)

    def booking(self, who: int) -> Booking | None:
        """The last booking of a person, whatever became of it."""
        return Booking.objects.filter(referral=self.referrals[who]).order_by("-pk").first()

    def attempt(self, act: Callable[[], Any]) -> None:
        """Do something that may be refused in words, or fail at Stripe; what had nothing to be done to is no step."""
        name = act.__qualname__.split(".")[1]
        try:
            if act() is IDLE:
                return
        except (PortalError, StripeError):
            name = f"{name}: refused"
        self.is_changed = True
        MoneyWorld.steps += 1
        MoneyWorld.did[name] = MoneyWorld.did.get(name, 0) + 1

    def latest(self) -> list[dict[str, Any]]:
        """Stripe's events, newest first, as it would post them."""
        listed = gateway_get(f"{self.sandbox.url}/v1/events?limit=100", self.sandbox.secret_key)
        found: list[dict[str, Any]] = listed["data"]
        return found

    def deliver(self, event: dict[str, Any]) -> None:
        body = json.dumps(event).encode()
        # Signed by our clock, which is what the tolerance is measured against.
        header = signature(body, [portal.STRIPE_WEBHOOK_SECRETS[0]], at=int(self.now.timestamp()))
        services.receive_webhook(payload=body, signature=header, now=self.now)

    def sandbox_or_refused(self, switch: str, **given: Any) -> None:
        try:
            self.sandbox.control(switch, **given)
        except ValueError as refused:  # disputed or decided already
            raise PortalError(str(refused)) from refused

    def calm(self) -> None:
        """No chaos, every event delivered, every job at rest: then nothing is open and all agree to the penny."""
        self.sandbox.control("api", reset=True)
        told: set[str] = set()
        for _ in range(12):
            self.now += dt.timedelta(minutes=36)
            self.sync()
            for event in reversed(self.latest()):
                if event["id"] not in told:
                    self.deliver(event)
                    told.add(event["id"])
            done = services.apply_stripe_events(now=self.now, by=STRIPE)
            settled = services.settle_payments(now=self.now)
            sent = services.send_refunds(now=self.now)
            held = bookings.release_holds(now=self.now, by=STRIPE)
            bookings.offer_places(now=self.now, by=STRIPE)
            waiting = Refund.objects.filter(status__in=[RefundStatus.REQUESTED, RefundStatus.PENDING]).exists()
            if not any([*done.values(), *settled.values(), *sent.values(), *held.values(), waiting]):
                break
        assert not Refund.objects.filter(status__in=[RefundStatus.REQUESTED, RefundStatus.PENDING]).exists()
        assert not StripeEvent.objects.filter(status="PARKED").exists()
        for late in LatePayment.objects.filter(status__in=UNSETTLED_LATE).select_related("booking__policy"):
            until = late.created_at + dt.timedelta(hours=late.booking.policy.late_offer_hours)
            assert self.now <= until, f"{late} waits for longer than the policy says"
        self.nothing_ended_is_in_advance()
        self.nobody_paid_for_a_move_that_was_not_made()
        unheard = self.compare()
        assert unheard == {}, f"nothing is unheard when it is calm: {unheard}"

    # --- What always holds -------------------------------------------------------------------------------------
    @invariant()
    def all_of_it_holds(self) -> None:
        """After every step that did something."""
        if self.is_changed:
            self.the_ledger_balances()
            self.nobody_is_confirmed_unpaid()
            self.nobody_who_paid_is_forgotten()
            self.compare()
            self.is_changed = False
            with connection.cursor() as cursor:
                cursor.execute(_THERE_ARE)
                self.there_are = set(*cursor.fetchone())

    def the_ledger_balances(self) -> None:
        """By the database's own deferred triggers, and in all."""
        connection.check_constraints()
        assert (Posting.objects.aggregate(pence=Sum("amount_pence"))["pence"] or 0) == 0

    def nobody_is_confirmed_unpaid(self) -> None:
        """A place is theirs only where a course fee was paid."""
        paid = Charge.objects.filter(purpose=Purpose.COURSE_FEE, status=ChargeStatus.PAID)
        unpaid = Booking.objects.filter(status__in=PLACED).exclude(reference__in=paid.values("booking_reference"))
        assert not unpaid.exists()

    def nobody_who_paid_is_forgotten(self) -> None:
        """A paid course fee has a booking that was confirmed, or it is on its way back, or its payer may still choose.

        A refund that failed is a task, not forgotten. How long they may choose is looked at when it is calm.
        """
        kept = Charge.objects.filter(purpose=Purpose.COURSE_FEE, refunded_pence__lt=F("paid_pence"))
        kept = kept.exclude(refunds__status=RefundStatus.FAILED)
        never = Booking.objects.filter(confirmed_at=None, reference__in=kept.values("booking_reference"))
        for booking in never.select_related("late_payment"):
            late = getattr(booking, "late_payment", None)
            may_choose = late is not None and late.status in UNSETTLED_LATE
            assert may_choose, f"{booking.reference} is paid and has no place"

    def nobody_paid_for_a_move_that_was_not_made(self) -> None:
        """The fee of a change of date is kept where the date was changed, and is sent back otherwise.

        What is disputed, or could not be sent back, is for people to decide.
        """
        fees = Charge.objects.filter(purpose__in=[Purpose.MOVE_FEE, Purpose.REBOOK_FEE], status=ChargeStatus.PAID)
        kept = fees.filter(refunded_pence__lt=F("paid_pence")).exclude(attempts__disputes__isnull=False)
        kept = kept.exclude(refunds__status__in=[RefundStatus.FAILED, RefundStatus.REPLACED, RefundStatus.ELSEWHERE])
        assert not kept.exclude(move__status=MoveStatus.DONE).exists()

    def nothing_ended_is_in_advance(self) -> None:
        """Of a booking that has ended, the fee fell due, was kept, or went back.

        What is paid twice, is disputed, or could not be sent back is for people to decide.
        """
        odd = Attempt.objects.filter(Q(is_extra=True) | Q(disputes__isnull=False))
        failed = Refund.objects.filter(status__in=[RefundStatus.FAILED, RefundStatus.REPLACED, RefundStatus.ELSEWHERE])
        ended = Booking.objects.filter(status__in=ENDED).exclude(reference__in=odd.values("charge__booking_reference"))
        ended = ended.exclude(reference__in=failed.values("charge__booking_reference"))
        in_advance = Posting.objects.filter(
            account=Account.FEES_IN_ADVANCE, journal__booking_reference__in=ended.values("reference")
        )
        by_booking = in_advance.values_list("journal__booking_reference").annotate(pence=Sum("amount_pence"))
        assert not {reference: pence for reference, pence in by_booking if pence}

    def compare(self) -> dict[str, int]:
        """The clearing account is the sum of Stripe's balance transactions that we heard of, one journal for each.

        Returns those that we did not hear of yet.
        """
        url = f"{self.sandbox.url}/v1/balance_transactions?limit=100"
        at_stripe = gateway_get(url, self.sandbox.secret_key)
        assert not at_stripe["has_more"]
        booked = dict(
            Posting.objects.filter(account=Account.STRIPE_CLEARING).values_list("journal__source", "amount_pence")
        )
        intents = dict(
            Attempt.objects.exclude(stripe_charge_id="").values_list("stripe_charge_id", "payment_intent_id")
        )
        unheard: dict[str, int] = {}
        for moved in at_stripe["data"]:
            source = {
                "charge": f"paid:{intents.get(moved['source'])}",
                "refund": f"refunded:{moved['source']}",
                "refund_failure": f"refund-failed:{moved['source']}",
            }.get(moved["type"], f"disputed:{moved['id']}")
            for key, pence in ((source, moved["amount"]), (f"stripe-fee:{moved['id']}", -moved["fee"])):
                if key in booked:
                    assert booked.pop(key) == pence, f"{key} is {pence} at Stripe"
                elif pence and not key.startswith("stripe-fee:"):  # fees are booked by each day's reconciliation
                    unheard[moved["id"]] = pence
        assert booked == {}, f"in the ledger and not at Stripe: {booked}"
        return unheard


def gateway_get(url: str, key: str) -> dict[str, Any]:
    """A list at the sandbox, past the chaos that its API's callers meet."""
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {key}"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        found: dict[str, Any] = json.load(answer)
    return found
