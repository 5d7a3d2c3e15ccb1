"""Charges, attempts and refunds in every state, as the services leave them. Stripe's identifiers are invented."""

import datetime as dt
import uuid
from typing import Any

import factory
from factory.django import DjangoModelFactory

from common.identifiers import new_booking_reference
from payments.constants import (
    AttemptStatus,
    ChargeStatus,
    DisputeStatus,
    EventStatus,
    ExportKind,
    Purpose,
    RefundReason,
    RefundStatus,
)
from payments.models import Attempt, Charge, Dispute, Export, FeeSchedule, Refund, StripeEvent

NOW = dt.datetime(2026, 11, 20, 10, tzinfo=dt.UTC)  # as `NOW` of tests.factories.referrals
PARTS = {"police": 4500, "levy": 300, "vat": 0, "provider": 4400}
BY = "candidate:46/46TEST0001"


def fee(code: str = "NSAC", mode: str = "DIGITAL") -> FeeSchedule:
    """The fee of the reference data."""
    return FeeSchedule.objects.get(course_type__code=code, mode=mode, force=None, valid_to=None)


class ChargeFactory(DjangoModelFactory[Charge]):
    """Open: a course fee of £92 nobody has tried to pay."""

    class Meta:
        model = Charge
        exclude = ("now",)

    now: Any = NOW
    booking_reference = factory.LazyFunction(new_booking_reference)
    referral_key = "46/46TEST0001"
    force_code = "46"
    purpose: Any = Purpose.COURSE_FEE
    amount_pence = 9200
    parts = factory.LazyFunction(lambda: dict(PARTS))
    description = "National Speed Awareness Course"
    email = "candidate@example.org"
    status: Any = ChargeStatus.OPEN
    status_at = factory.SelfAttribute("now")
    status_by = BY
    created_at = factory.SelfAttribute("now")


class CancelledChargeFactory(ChargeFactory):
    """Given up before anybody paid."""

    status = ChargeStatus.CANCELLED


class PaidChargeFactory(ChargeFactory):
    """Paid in full by one attempt, which is `charge.attempts.get()`; the ledger knows nothing of it."""

    status = ChargeStatus.PAID
    paid_pence = factory.SelfAttribute("amount_pence")

    @classmethod
    def _create(cls, model_class: type[Charge], *args: Any, **kwargs: Any) -> Charge:
        charge = super()._create(model_class, *args, **kwargs)
        PaidAttemptFactory.create(charge=charge, now=charge.created_at)
        return charge


class AttemptFactory(DjangoModelFactory[Attempt]):
    """Creating: the intent is committed, Stripe not yet asked."""

    class Meta:
        model = Attempt
        exclude = ("now",)

    now: Any = NOW
    charge: Any = factory.SubFactory(ChargeFactory)
    idempotency_key = factory.LazyFunction(lambda: uuid.uuid4().hex)
    status: Any = AttemptStatus.CREATING
    status_at = factory.SelfAttribute("now")
    created_at = factory.SelfAttribute("now")
    expires_at = factory.LazyAttribute(lambda attempt: attempt.now + dt.timedelta(minutes=31))
    success_url = "http://testserver/booking/paid/"
    cancel_url = "http://testserver/booking/pay/"


class OpenAttemptFactory(AttemptFactory):
    """Open: the payer may be on Stripe's page."""

    status = AttemptStatus.OPEN
    checkout_session_id = factory.Sequence(lambda n: f"cs_test_invented_{n}")
    url: Any = factory.LazyAttribute(
        lambda attempt: f"https://checkout.stripe.com/c/pay/{attempt.checkout_session_id}"
    )


class ExpiredAttemptFactory(OpenAttemptFactory):
    """Expired unpaid."""

    status = AttemptStatus.EXPIRED
    url = ""


class FailedAttemptFactory(AttemptFactory):
    """Refused by Stripe."""

    status = AttemptStatus.FAILED
    error = "checkout.sessions.create: parameter_unknown"


class PaidAttemptFactory(OpenAttemptFactory):
    """Paid by card; give it a paid charge."""

    charge = factory.SubFactory(PaidChargeFactory)
    status = AttemptStatus.PAID
    url = ""
    payment_intent_id = factory.Sequence(lambda n: f"pi_invented_{n}")
    paid_at = factory.SelfAttribute("now")
    paid_pence = factory.SelfAttribute("charge.amount_pence")
    card_last4 = "4242"
    card_brand = "visa"


class RefundFactory(DjangoModelFactory[Refund]):
    """Asked for, whole, not yet sent."""

    class Meta:
        model = Refund
        exclude = ("now",)

    now: Any = NOW
    charge: Any = factory.SubFactory(PaidChargeFactory)
    attempt: Any = factory.LazyAttribute(lambda refund: refund.charge.attempts.get())
    amount_pence = factory.SelfAttribute("charge.amount_pence")
    cause: Any = RefundReason.CANCELLED_IN_TIME
    status: Any = RefundStatus.REQUESTED
    status_at = factory.SelfAttribute("now")
    requested_at = factory.SelfAttribute("now")
    requested_by = BY
    idempotency_key = factory.LazyFunction(lambda: uuid.uuid4().hex)


class WaitingRefundFactory(RefundFactory):
    """Asked for by hand, waits for a second person."""

    status = RefundStatus.WAITING
    needs_approval = True
    cause = RefundReason.GOODWILL
    requested_by = "staff:7"


class PendingRefundFactory(RefundFactory):
    """With Stripe, not yet arrived."""

    status = RefundStatus.PENDING
    stripe_refund_id = factory.Sequence(lambda n: f"re_invented_{n}")


class SucceededRefundFactory(PendingRefundFactory):
    """Done."""

    status = RefundStatus.SUCCEEDED


class FailedRefundFactory(PendingRefundFactory):
    """Come back: needs a person."""

    status = RefundStatus.FAILED
    error = "expired_or_canceled_card"


class DisputeFactory(DjangoModelFactory[Dispute]):
    """A payment that its payer's bank disputes and holds."""

    class Meta:
        model = Dispute

    class Params:
        now = NOW

    stripe_dispute_id = factory.Sequence(lambda n: f"du_made_{n}")
    charge = factory.SubFactory(PaidChargeFactory)
    attempt = factory.LazyAttribute(lambda made: made.charge.attempts.get(status=AttemptStatus.PAID))
    reason = "fraudulent"
    amount_pence = factory.SelfAttribute("charge.amount_pence")
    status = DisputeStatus.NEEDS_RESPONSE
    status_at = factory.SelfAttribute("now")
    opened_at = factory.SelfAttribute("now")


class StripeEventFactory(DjangoModelFactory[StripeEvent]):
    """Waiting in the inbox, about a session nobody knows."""

    class Meta:
        model = StripeEvent
        exclude = ("now",)

    now: Any = NOW
    event_id = factory.Sequence(lambda n: f"evt_invented_{n}")
    type = "checkout.session.completed"
    created_at = factory.SelfAttribute("now")
    received_at = factory.SelfAttribute("now")
    object_id = "cs_test_nobody"
    payload = factory.LazyAttribute(
        lambda event: {
            "id": event.event_id,
            "type": event.type,
            "created": int(event.now.timestamp()),
            "livemode": False,
            "data": {"object": {"id": event.object_id, "object": "checkout.session", "metadata": {}}},
        }
    )


class AppliedEventFactory(StripeEventFactory):
    """Applied."""

    status = EventStatus.APPLIED
    applied_at = factory.SelfAttribute("now")
    attempts = 1


class ParkedEventFactory(StripeEventFactory):
    """Parked after its eight tries."""

    status = EventStatus.PARKED
    attempts = 8
    error = "MismatchError: invented"


class ExportFactory(DjangoModelFactory[Export]):
    """Waiting to be made: the journal lines of the month before."""

    class Meta:
        model = Export
        exclude = ("now",)

    now: Any = NOW
    kind: Any = ExportKind.JOURNALS
    first_on = dt.date(2026, 10, 1)
    last_on = dt.date(2026, 10, 31)
    purpose = "Month end for the finance system"
    asked_at = factory.SelfAttribute("now")
    asked_by = "staff:7"
    status_at = factory.SelfAttribute("now")
