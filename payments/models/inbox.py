"""Stripe's events as they came, and how many were refused."""

from django.db import models
from django.db.models import Q

from payments.constants import (
    EventStatus,
    RefusalCause,
)


class StripeEvent(models.Model):
    """The inbox: every verified webhook, once, before anything is done about it."""

    event_id = models.CharField(max_length=100, unique=True)
    type = models.CharField(max_length=80)
    created_at = models.DateTimeField(help_text="Stripe's time")
    received_at = models.DateTimeField()
    payload = models.JSONField(help_text="what Stripe sent, without what tells of the payer")
    object_id = models.CharField(max_length=100, blank=True, help_text="what the event is about")
    status = models.CharField(max_length=8, choices=EventStatus, default=EventStatus.RECEIVED)
    applied_at = models.DateTimeField(null=True, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["received_at"], condition=Q(status=EventStatus.RECEIVED), name="payments_event_waiting"
            )
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.event_id}"


class WebhookRefusal(models.Model):
    """How many webhooks were refused on a day, and why: counted, never believed, nothing of them stored."""

    day = models.DateField()
    cause = models.CharField(max_length=20, choices=RefusalCause)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["day", "cause"], name="payments_refusal_counted")]

    def __str__(self) -> str:
        return f"{self.day} {self.cause}: {self.count}"
