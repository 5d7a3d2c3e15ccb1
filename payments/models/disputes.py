"""Payments that a card holder's bank takes back."""

from django.db import models
from django.db.models import Q

from audit.history import History
from payments.constants import DISPUTES_WAITING, DisputeStatus
from payments.models.charges import Attempt, Charge


class Dispute(models.Model):
    """A payment that the card holder's bank disputes: a task with a deadline until it is answered."""

    stripe_dispute_id = models.CharField(max_length=100, unique=True)
    charge = models.ForeignKey(Charge, on_delete=models.PROTECT, related_name="disputes")
    attempt = models.ForeignKey(Attempt, on_delete=models.PROTECT, related_name="disputes")
    reason = models.CharField(max_length=60, help_text="the bank's, in Stripe's words, such as fraudulent")
    amount_pence = models.PositiveIntegerField(help_text="what the bank disputes")
    status = models.CharField(max_length=14, choices=DisputeStatus)
    status_at = models.DateTimeField()
    opened_at = models.DateTimeField(help_text="Stripe's time")
    evidence_due_by = models.DateTimeField(null=True, blank=True, help_text="after it the bank decides without us")
    has_evidence = models.BooleanField(default=False, help_text="whether an answer was handed in at Stripe")
    taken_by = models.CharField(max_length=80, blank=True, help_text="who sees to the answer")
    taken_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=200, blank=True)

    history = History()

    class Meta:
        ordering = ["evidence_due_by", "pk"]
        indexes = [
            models.Index(
                fields=["evidence_due_by"], condition=Q(status__in=DISPUTES_WAITING), name="payments_dispute_waiting"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                name="payments_dispute_taken_pair",
                condition=Q(taken_at__isnull=True, taken_by="") | Q(taken_at__isnull=False) & ~Q(taken_by=""),
            ),
        ]

    def __str__(self) -> str:
        return f"Dispute about {self.charge.booking_reference}: {self.get_status_display().lower()}"
