"""Double entry: journals that balance, never changed."""

from django.db import models
from django.db.models import Q

from payments import triggers
from payments.constants import (
    Account,
    JournalKind,
)


class Journal(models.Model):
    """One balanced entry of the ledger. `source` is unique, so the same fact is never booked twice."""

    kind = models.CharField(max_length=13, choices=JournalKind)
    source = models.CharField(max_length=120, unique=True, help_text="what it records, such as paid:pi_123")
    occurred_at = models.DateTimeField(help_text="when the fact happened")
    recorded_at = models.DateTimeField()
    booking_reference = models.CharField(max_length=14, blank=True)
    total_pence = models.PositiveIntegerField(help_text="the sum of its debits, so that no posting can join it later")
    recorded_by = models.CharField(max_length=80)
    note = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["booking_reference"], name="payments_journal_booking"),
            models.Index(fields=["occurred_at"], name="payments_journal_occurred"),
        ]
        triggers = [triggers.balanced("id"), triggers.never_changed("journal_never_changed")]

    def __str__(self) -> str:
        return f"{self.kind} {self.source}"


class Posting(models.Model):
    """One side of a journal."""

    journal = models.ForeignKey(Journal, on_delete=models.PROTECT, related_name="postings")
    account = models.CharField(max_length=16, choices=Account)
    force_code = models.CharField(max_length=2, blank=True, help_text="whose, on police cost recovery payable")
    amount_pence = models.IntegerField(help_text="debit positive, credit negative")

    class Meta:
        indexes = [models.Index(fields=["account", "force_code"], name="payments_posting_account")]
        constraints = [models.CheckConstraint(name="payments_posting_not_zero", condition=~Q(amount_pence=0))]
        triggers = [triggers.balanced("journal_id"), triggers.never_changed("posting_never_changed")]

    def __str__(self) -> str:
        return f"{self.account} {self.amount_pence}p"
