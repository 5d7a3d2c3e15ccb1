"""Each day's comparison of Stripe's books, our ledger and the bookings."""

from django.db import models
from django.db.models import Q

from audit.history import History
from common.clock import date_words
from payments.constants import ExceptionKind, RunStatus


class ReconciliationRun(models.Model):
    """The comparison of one London day. Run again, it is brought up to date, never doubled."""

    day = models.DateField(unique=True)
    status = models.CharField(max_length=10, choices=RunStatus, default=RunStatus.RUNNING)
    turn = models.PositiveIntegerField(default=0, help_text="how often it was begun: each turn reads Stripe anew")
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    done_by = models.CharField(max_length=80)
    transactions = models.PositiveIntegerField(default=0, help_text="of Stripe's balance, on that day")
    payments_pence = models.BigIntegerField(default=0)
    refunds_pence = models.BigIntegerField(default=0, help_text="failed ones counted back")
    disputes_pence = models.BigIntegerField(default=0)
    fees_pence = models.BigIntegerField(default=0)
    payouts_pence = models.BigIntegerField(default=0, help_text="failed ones counted back")
    other_pence = models.BigIntegerField(default=0)
    stripe_balance_pence = models.BigIntegerField(default=0, help_text="Stripe's balance at the end of the day")
    ledger_balance_pence = models.BigIntegerField(default=0, help_text="the clearing account at the end of the day")
    repaired = models.PositiveIntegerField(default=0, help_text="facts found at Stripe and written down by this run")

    class Meta:
        ordering = ["-day"]
        verbose_name = "reconciliation"

    def __str__(self) -> str:
        return f"{date_words(self.day)}: {self.get_status_display()}"


class ReconciliationException(models.Model):
    """One thing that does not agree: a task until it is gone by itself or a person has explained it."""

    run = models.ForeignKey(ReconciliationRun, on_delete=models.PROTECT, related_name="exceptions")
    kind = models.CharField(max_length=14, choices=ExceptionKind)
    subject = models.CharField(max_length=120, help_text="Stripe's id, or our name of the entry or booking")
    booking_reference = models.CharField(max_length=14, blank=True)
    ours_pence = models.BigIntegerField(null=True, blank=True)
    theirs_pence = models.BigIntegerField(null=True, blank=True)
    effect_pence = models.BigIntegerField(
        default=0, help_text="by how much it makes the clearing account differ from Stripe's balance"
    )
    note = models.CharField(max_length=300, blank=True)
    found_at = models.DateTimeField()
    gone_at = models.DateTimeField(null=True, blank=True, help_text="when a later run no longer found it")
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.CharField(max_length=80, blank=True)
    resolution = models.CharField(max_length=300, blank=True)

    history = History()

    class Meta:
        ordering = ["run", "kind", "subject"]
        indexes = [
            models.Index(
                fields=["found_at"],
                condition=Q(gone_at__isnull=True, resolved_at__isnull=True),
                name="payments_exception_open",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["run", "kind", "subject"], name="payments_exception_once"),
            models.CheckConstraint(
                name="payments_exception_resolved_whole",
                condition=Q(resolved_at__isnull=True, resolved_by="", resolution="")
                | Q(resolved_at__isnull=False) & ~Q(resolved_by="") & ~Q(resolution=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.subject}"


class StripeTransaction(models.Model):
    """Stripe's balance transactions of a day as the run read them: their side, beside which ours is laid."""

    run = models.ForeignKey(ReconciliationRun, on_delete=models.CASCADE, related_name="lines")
    turn = models.PositiveIntegerField()
    transaction_id = models.CharField(max_length=100)
    type = models.CharField(max_length=60, help_text="Stripe's")
    kind = models.CharField(max_length=10, help_text="what it is to us; see rules.movement_of")
    amount_pence = models.BigIntegerField()
    fee_pence = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    source = models.CharField(max_length=100, help_text="Stripe's id of what it is about")
    created_at = models.DateTimeField()
    ledger_source = models.CharField(max_length=120, help_text="the source its journal must have; empty: not known")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["run", "turn", "transaction_id"], name="payments_stripe_line_once"),
        ]

    def __str__(self) -> str:
        return self.transaction_id
