"""Money that Stripe sends to our bank."""

from django.db import models

from audit.history import History
from payments.constants import PayoutStatus


class Payout(models.Model):
    """One payout. Its transactions are counted when its day is reconciled."""

    stripe_payout_id = models.CharField(max_length=100, unique=True)
    amount_pence = models.IntegerField(help_text="below nought where Stripe takes from the bank")
    status = models.CharField(max_length=10, choices=PayoutStatus, default=PayoutStatus.ON_ITS_WAY)
    status_at = models.DateTimeField()
    created_at = models.DateTimeField(help_text="Stripe's time")
    arrives_on = models.DateField(help_text="as Stripe expects")
    failure = models.CharField(max_length=60, blank=True, help_text="why it came back, in Stripe's words")
    transactions = models.PositiveIntegerField(null=True, blank=True, help_text="how many it is made of")
    transactions_pence = models.IntegerField(null=True, blank=True, help_text="what they add up to, after fees")

    history = History()

    class Meta:
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["created_at"], name="payments_payout_created")]

    def __str__(self) -> str:
        return self.stripe_payout_id
