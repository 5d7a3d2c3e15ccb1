"""The outbox, its words by version, and when reminders are due."""

import datetime as dt

from django.db import models
from django.db.models import F, Q

from audit.history import History, append_only
from notifications.constants import WAITING, Anchor, Channel, MessageStatus


class Message(models.Model):
    """One message to one person. `dedupe_key` is unique: the same reason to write never writes twice."""

    kind = models.CharField(max_length=32, help_text="names the words: templates/email/<kind>.*, templates/sms/<kind>")
    channel = models.CharField(max_length=5, choices=Channel, default=Channel.EMAIL)
    to = models.CharField(max_length=254)
    fallback_to = models.CharField(max_length=20, blank=True, help_text="mobile to text where the e-mail is refused")
    dedupe_key = models.CharField(max_length=160, unique=True)
    referral_key = models.CharField(max_length=28, blank=True, db_index=True)
    context = models.JSONField(default=dict, help_text="plain values for the words")
    attachments = models.JSONField(default=list, help_text="[{name, content_type, text}]")
    subject = models.CharField(max_length=200, blank=True, help_text="as sent")
    body = models.TextField(blank=True, help_text="as sent")
    version = models.PositiveIntegerField(
        null=True, blank=True, help_text="of the words it was sent with; 0 is the one that comes with the software"
    )

    status = models.CharField(max_length=9, choices=MessageStatus, default=MessageStatus.QUEUED)
    created_at = models.DateTimeField()
    send_at = models.DateTimeField(help_text="not before; pushed back after a failure")
    useless_at = models.DateTimeField(null=True, blank=True, help_text="dropped and listed if not sent by then")
    sent_at = models.DateTimeField(null=True, blank=True)
    provider_id = models.CharField(max_length=36, blank=True, help_text="GOV.UK Notify's id")
    delivered_at = models.DateTimeField(null=True, blank=True, help_text="when Notify said it had arrived")
    claimed_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    error = models.CharField(max_length=200, blank=True)
    told_at = models.DateTimeField(null=True, blank=True, help_text="when staff told the person some other way")
    told_by = models.CharField(max_length=80, blank=True)
    told_note = models.CharField(max_length=300, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["send_at"], condition=Q(status__in=WAITING), name="notifications_message_due"),
            models.Index(fields=["status", "created_at"], name="notifications_message_status"),
            models.Index(
                fields=["created_at"],
                condition=Q(status=MessageStatus.DEAD, told_at=None),
                name="notifications_message_untold",
            ),
        ]
        constraints = [
            # A message that bounced was sent all the same.
            models.CheckConstraint(
                name="notifications_sent_has_time",
                condition=Q(status=MessageStatus.SENT, sent_at__isnull=False)
                | Q(status__in=[MessageStatus.DEAD, MessageStatus.PASSED_ON])
                | Q(status__in=[*WAITING, MessageStatus.DROPPED], sent_at__isnull=True),
            ),
            models.CheckConstraint(
                name="notifications_told_has_who",
                condition=Q(told_at__isnull=True, told_by="") | Q(told_at__isnull=False) & ~Q(told_by=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} ({self.get_status_display()})"


class Untold(Message):
    """Messages that nobody got: staff send them again or tell the person some other way."""

    class Meta:
        proxy = True
        verbose_name = "person who could not be told"
        verbose_name_plural = "people who could not be told"


class TemplateVersion(models.Model):
    """The words of one kind on one channel from a moment on. Never edited: new words are a new version.

    Version 0 is not here: it is the file that comes with the software.
    """

    kind = models.CharField(max_length=32)
    channel = models.CharField(max_length=5, choices=Channel)
    version = models.PositiveIntegerField()
    subject = models.CharField(max_length=200, blank=True, help_text="empty for text messages")
    body = models.TextField()
    html = models.TextField(blank=True, help_text="empty for text messages")
    valid_from = models.DateTimeField()
    created_at = models.DateTimeField()
    by = models.CharField(max_length=80)

    class Meta:
        ordering = ["kind", "channel", "-version"]
        verbose_name = "version of the words"
        verbose_name_plural = "versions of the words"
        constraints = [
            models.UniqueConstraint(fields=["kind", "channel", "version"], name="notifications_words_version"),
            models.CheckConstraint(name="notifications_words_from_one", condition=Q(version__gte=1)),
        ]
        triggers = [append_only(retention=False)]

    def __str__(self) -> str:
        return f"{self.kind} {self.get_channel_display().lower()} v{self.version}"


class ReminderRuleQuerySet(models.QuerySet["ReminderRule"]):
    """Rules by the day they are asked for."""

    def on(self, day: dt.date) -> "ReminderRuleQuerySet":
        """The rules of a London day."""
        return self.filter(valid_from__lte=day).exclude(valid_to__lt=day)


class ReminderRule(models.Model):
    """When one reminder or chaser is due, between two dates (DOMAIN.md §4, defaults).

    A rule is never edited once it has begun: it is ended, and the next one begins the day after.
    """

    kind = models.CharField(max_length=32)
    anchor = models.CharField(max_length=12, choices=Anchor)
    days = models.SmallIntegerField(default=0, help_text="London days from the anchor, minus for before it")
    hours = models.SmallIntegerField(default=0, help_text="hours by the clock from the anchor, minus for before it")
    at = models.TimeField(null=True, blank=True, help_text="London time of day; empty: that of the anchor itself")
    useful_hours = models.PositiveSmallIntegerField(help_text="dropped when it cannot be sent for so long")
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True, help_text="last day, inclusive; empty while it runs")

    objects = ReminderRuleQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ["anchor", "days", "hours", "valid_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "anchor", "days", "hours"],
                condition=Q(valid_to=None),
                name="notifications_rule_one_running",
            ),
            models.CheckConstraint(name="notifications_rule_days_or_hours", condition=Q(days=0) | Q(hours=0)),
            models.CheckConstraint(
                name="notifications_rule_ends_after_start",
                condition=Q(valid_to=None) | Q(valid_to__gte=F("valid_from")),
            ),
        ]

    def __str__(self) -> str:
        amount, unit = (self.days, "days") if self.days else (self.hours, "hours")
        side = "before" if amount < 0 else "after"
        return f"{self.kind}: {abs(amount)} {unit} {side} {self.get_anchor_display().lower()}"
