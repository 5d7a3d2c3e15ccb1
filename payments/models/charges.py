"""What a candidate owes, the attempts to pay it, and money going back."""

from django.db import models
from django.db.models import F, Q

from audit.history import History
from common.money import pounds
from payments import triggers
from payments.constants import (
    PENDING_ATTEMPTS,
    AttemptStatus,
    ChargeStatus,
    Purpose,
    RefundReason,
    RefundStatus,
)


class Charge(models.Model):
    """Something a candidate owes. One may be open per booking and purpose; `parts` is what it was sold under."""

    booking_reference = models.CharField(max_length=14)
    referral_key = models.CharField(max_length=28, help_text="such as 46/46DEMO0001")
    force_code = models.CharField(max_length=2, help_text="the originating force, for its cost recovery")
    purpose = models.CharField(max_length=10, choices=Purpose)
    amount_pence = models.PositiveIntegerField()
    parts = models.JSONField(help_text="{police, levy, vat, provider}: pence; they add up to the amount")
    description = models.CharField(max_length=120, help_text="what the candidate sees on the payment page")
    email = models.EmailField(blank=True, help_text="for Stripe's page; may be empty")
    status = models.CharField(max_length=9, choices=ChargeStatus, default=ChargeStatus.OPEN)
    status_at = models.DateTimeField()
    status_by = models.CharField(max_length=80)
    created_at = models.DateTimeField()
    paid_pence = models.PositiveIntegerField(default=0, help_text="received for it, over all attempts")
    refunded_pence = models.PositiveIntegerField(
        default=0, help_text="requested or done, never above what was received; kept by a trigger on refunds"
    )

    history = History()

    class Meta:
        indexes = [
            models.Index(fields=["booking_reference"], name="payments_charge_booking"),
            models.Index(fields=["created_at"], name="payments_charge_created"),
            models.Index(fields=["referral_key"], name="payments_charge_referral"),
            models.Index(fields=["amount_pence", "created_at"], name="payments_charge_amount"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["booking_reference", "purpose"],
                condition=Q(status=ChargeStatus.OPEN),
                name="payments_charge_one_open",
            ),
            models.CheckConstraint(
                name="payments_charge_never_over_refunded", condition=Q(refunded_pence__lte=F("paid_pence"))
            ),
            models.CheckConstraint(
                name="payments_charge_paid_in_full",
                condition=Q(status=ChargeStatus.PAID, paid_pence__gte=F("amount_pence"))
                | (~Q(status=ChargeStatus.PAID) & Q(paid_pence=0)),
            ),
            models.CheckConstraint(name="payments_charge_not_nothing", condition=Q(amount_pence__gt=0)),
        ]

    def __str__(self) -> str:
        return f"{self.booking_reference}, {self.get_purpose_display()}: {self.get_status_display()}"


class Attempt(models.Model):
    """One hosted Checkout session for a charge. Committed with its idempotency key before Stripe is asked."""

    charge = models.ForeignKey(Charge, on_delete=models.PROTECT, related_name="attempts")
    idempotency_key = models.CharField(max_length=64, unique=True)
    status = models.CharField(max_length=8, choices=AttemptStatus, default=AttemptStatus.CREATING)
    status_at = models.DateTimeField()
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField(help_text="when Stripe closes the Checkout session")
    checkout_session_id = models.CharField(max_length=100, blank=True)
    payment_intent_id = models.CharField(max_length=100, blank=True)
    stripe_charge_id = models.CharField(
        max_length=100, blank=True, help_text="the try that succeeded; Stripe's balance transactions name it"
    )
    url = models.TextField(blank=True, help_text="Stripe's page; good until expires_at")
    success_url = models.TextField(help_text="kept so that the call to Stripe can be repeated word for word")
    cancel_url = models.TextField()
    paid_at = models.DateTimeField(null=True, blank=True)
    paid_pence = models.PositiveIntegerField(default=0)
    refunded_pence = models.PositiveIntegerField(
        default=0, help_text="requested or done; kept by a trigger on refunds"
    )
    is_extra = models.BooleanField(default=False, help_text="paid when another attempt had already paid the charge")
    card_last4 = models.CharField(max_length=4, blank=True)
    card_brand = models.CharField(max_length=20, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0, help_text="how often the mop-up asked Stripe")
    error = models.CharField(max_length=200, blank=True)

    history = History(excluded_fields=["claimed_until", "attempts"])

    class Meta:
        indexes = [
            models.Index(fields=["checkout_session_id"], name="payments_attempt_checkout"),
            models.Index(fields=["payment_intent_id"], name="payments_attempt_intent"),
            models.Index(fields=["card_last4"], condition=~Q(card_last4=""), name="payments_attempt_last4"),
            models.Index(
                fields=["stripe_charge_id"], condition=~Q(stripe_charge_id=""), name="payments_attempt_stripe"
            ),
            models.Index(
                fields=["created_at"], condition=Q(status__in=PENDING_ATTEMPTS), name="payments_attempt_pending"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["charge"], condition=Q(status__in=PENDING_ATTEMPTS), name="payments_attempt_one_pending"
            ),
            models.UniqueConstraint(
                fields=["checkout_session_id"],
                condition=~Q(checkout_session_id=""),
                name="payments_attempt_checkout_once",
            ),
            models.UniqueConstraint(
                fields=["payment_intent_id"], condition=Q(paid_at__isnull=False), name="payments_attempt_intent_once"
            ),
            models.CheckConstraint(
                name="payments_attempt_never_over_refunded", condition=Q(refunded_pence__lte=F("paid_pence"))
            ),
            models.CheckConstraint(
                name="payments_attempt_paid_has_facts",
                condition=Q(status=AttemptStatus.PAID, paid_at__isnull=False, paid_pence__gt=0)
                & ~Q(payment_intent_id="")
                | ~Q(status=AttemptStatus.PAID) & Q(paid_at__isnull=True, paid_pence=0),
            ),
        ]

    def __str__(self) -> str:
        return f"attempt {self.pk} of {self.charge_id} ({self.status})"


class Refund(models.Model):
    """Money going back. Committed with its idempotency key before Stripe is asked."""

    charge = models.ForeignKey(Charge, on_delete=models.PROTECT, related_name="refunds")
    attempt = models.ForeignKey(
        Attempt, on_delete=models.PROTECT, related_name="refunds", help_text="the payment it goes back to"
    )
    amount_pence = models.PositiveIntegerField()
    cause = models.CharField(max_length=20, choices=RefundReason)
    note = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=9, choices=RefundStatus, default=RefundStatus.REQUESTED)
    status_at = models.DateTimeField()
    requested_at = models.DateTimeField()
    requested_by = models.CharField(max_length=80)
    needs_approval = models.BooleanField(
        default=False, help_text="asked for by hand, above the limit or outside the policy: a second person decides"
    )
    decided_by = models.CharField(max_length=80, blank=True, help_text="who approved or rejected it")
    decided_at = models.DateTimeField(null=True, blank=True)
    decision_note = models.CharField(max_length=200, blank=True, help_text="why it was approved, rejected or settled")
    retry_of = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="retried_as", help_text="failed before"
    )
    is_by_bank = models.BooleanField(
        default=False,
        db_default=False,
        help_text="failed before, and to be paid from the bank once a second person has agreed",
    )
    idempotency_key = models.CharField(max_length=64, unique=True)
    stripe_refund_id = models.CharField(max_length=100, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=200, blank=True)

    history = History(excluded_fields=["claimed_until", "attempts"])

    class Meta:
        indexes = [
            models.Index(
                fields=["requested_at"],
                condition=Q(status__in=[RefundStatus.REQUESTED, RefundStatus.PENDING]),
                name="payments_refund_waiting",
            ),
            models.Index(
                fields=["status", "requested_at"],
                condition=Q(status__in=[RefundStatus.WAITING, RefundStatus.FAILED]),
                name="payments_refund_to_decide",
            ),
        ]
        constraints = [
            models.CheckConstraint(name="payments_refund_positive", condition=Q(amount_pence__gt=0)),
            models.CheckConstraint(
                name="payments_refund_second_person",
                condition=Q(decided_by="") | ~Q(decided_by=F("requested_by")),
                violation_error_message="Who asked for a refund cannot be the one who decides on it.",
            ),
            models.CheckConstraint(
                name="payments_refund_decided_before_sent",
                condition=Q(needs_approval=False) & ~Q(status__in=["WAITING", "REJECTED"])
                | Q(needs_approval=True, status="WAITING", decided_by="", decided_at__isnull=True)
                | Q(needs_approval=True, decided_at__isnull=False) & ~Q(status="WAITING") & ~Q(decided_by=""),
                violation_error_message="A refund that needs a second person is not sent before one has decided.",
            ),
            models.CheckConstraint(
                name="payments_refund_by_bank_never_sent",
                condition=Q(is_by_bank=False) | Q(status__in=["WAITING", "REJECTED", "ELSEWHERE"]),
                violation_error_message="A refund from the bank is never sent to Stripe.",
            ),
            models.UniqueConstraint(
                fields=["stripe_refund_id"], condition=~Q(stripe_refund_id=""), name="payments_refund_stripe_once"
            ),
        ]
        triggers = [triggers.count_refund, triggers.refund_stays, triggers.refund_keeps_its_payment]

    def __str__(self) -> str:
        return f"{pounds(self.amount_pence)}: {self.get_status_display()}"
