"""Promises kept: the standards as rows with dates, and each breach, recorded once."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value

from audit.history import History
from oversight.constants import Promise, Unit


class Standard(models.Model):
    """How long a promise may take, for clocks that start on these days."""

    promise = models.CharField(max_length=20, choices=Promise)
    amount = models.PositiveSmallIntegerField()
    unit = models.CharField(max_length=13, choices=Unit)
    warn_at_percent = models.PositiveSmallIntegerField(default=75, help_text="listed as at risk from here on")
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)

    history = History()

    class Meta:
        ordering = ["promise", "-valid_from"]
        constraints = [
            ExclusionConstraint(
                name="oversight_standard_no_overlap",
                expressions=[
                    (
                        Func(
                            Func(F("promise"), function="hashtext"),
                            Func(F("promise"), function="hashtext"),
                            Value("[]"),
                            function="int4range",
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                    (Func(F("valid_from"), F("valid_to"), Value("[]"), function="daterange"), RangeOperators.OVERLAPS),
                ],
                violation_error_message="Another standard for this promise is valid on some of these days.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_promise_display()}: {self.amount} {self.get_unit_display()}"


class Breach(models.Model):
    """A promise that was not kept in time. Found by `check_processing_times`; who looked at it is written here."""

    promise = models.CharField(max_length=20, choices=Promise)
    subject = models.CharField(max_length=60, help_text="what it is about, such as batch:<id> or a referral key")
    force_code = models.CharField(max_length=2, blank=True)
    started_at = models.DateTimeField()
    due_at = models.DateTimeField()
    done_at = models.DateTimeField(null=True, blank=True, help_text="when it was done after all")
    found_at = models.DateTimeField()
    seen_at = models.DateTimeField(null=True, blank=True)
    seen_by = models.CharField(max_length=80, blank=True)
    explanation = models.CharField(max_length=300, blank=True)

    history = History()

    class Meta:
        ordering = ["-due_at"]
        verbose_name_plural = "breaches"
        constraints = [
            models.UniqueConstraint(fields=["promise", "subject", "started_at"], name="oversight_breach_once"),
            models.CheckConstraint(name="oversight_breach_was_late", condition=Q(found_at__gt=F("due_at"))),
        ]
        indexes = [models.Index(fields=["promise"], condition=Q(done_at__isnull=True), name="oversight_breach_open")]

    def __str__(self) -> str:
        return f"{self.get_promise_display()}: {self.subject}"


class CheckMark(models.Model):
    """How far the check of a promise has come: what was done before `checked_to` need not be looked at again."""

    promise = models.CharField(max_length=20, choices=Promise, unique=True)
    checked_to = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.get_promise_display()} checked to {self.checked_to:%Y-%m-%d %H:%M}"
