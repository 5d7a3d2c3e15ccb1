"""The outbox: what is to be told to whom, written in the transaction that gave the reason to tell it."""

from django.db import models
from django.db.models import Q

from notifications.constants import Channel, MessageStatus


class Message(models.Model):
    """One message to one person. `dedupe_key` is unique: the same reason to write never writes twice."""

    kind = models.CharField(max_length=32, help_text="names the template: templates/email/<kind>.*")
    channel = models.CharField(max_length=5, choices=Channel, default=Channel.EMAIL)
    to = models.CharField(max_length=254)
    dedupe_key = models.CharField(max_length=160, unique=True)
    referral_key = models.CharField(max_length=28, blank=True, db_index=True)
    context = models.JSONField(default=dict, help_text="plain values for the template")
    attachments = models.JSONField(default=list, help_text="[{name, content_type, text}]")
    subject = models.CharField(max_length=200, blank=True, help_text="as sent")
    body = models.TextField(blank=True, help_text="as sent")

    status = models.CharField(max_length=7, choices=MessageStatus, default=MessageStatus.QUEUED)
    created_at = models.DateTimeField()
    send_at = models.DateTimeField(help_text="not before; pushed back after a failure")
    useless_at = models.DateTimeField(null=True, blank=True, help_text="dropped and listed if not sent by then")
    sent_at = models.DateTimeField(null=True, blank=True)
    claimed_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=200, blank=True)

    class Meta:
        indexes = [
            models.Index(
                fields=["send_at"],
                condition=Q(status__in=[MessageStatus.QUEUED, MessageStatus.SENDING]),
                name="notifications_message_due",
            ),
            models.Index(fields=["status", "created_at"], name="notifications_message_status"),
        ]
        constraints = [
            models.CheckConstraint(
                name="notifications_sent_has_time",
                condition=Q(status=MessageStatus.SENT, sent_at__isnull=False)
                | ~Q(status=MessageStatus.SENT) & Q(sent_at__isnull=True),
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} ({self.get_status_display()})"
