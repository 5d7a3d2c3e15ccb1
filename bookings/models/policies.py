"""The rules of booking, between dates."""

import datetime as dt

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value

from audit.history import History
from common.clock import date_words
from common.prepared import Prepared

_ON_DAY = Prepared(
    lambda blank: Policy.objects.exclude(valid_to__lt=blank("day")).filter(valid_from__lte=blank("day"))
)


class PolicyManager(models.Manager["Policy"]):
    """Finding the policy of a day."""

    def on(self, day: dt.date) -> "Policy":
        """The policy of a London day. There is always one: the first begins in 2020 and each follows on the last."""
        return _ON_DAY.get(day=day)


class Policy(models.Model):
    """The rules of booking between two dates. A booking keeps the policy it was made under (scheme §4, defaults)."""

    valid_from = models.DateField(help_text="first London day of booking it applies to")
    valid_to = models.DateField(null=True, blank=True, help_text="last day, inclusive; empty while it runs")
    hold_minutes = models.PositiveSmallIntegerField(help_text="how long a place is held at first")
    extend_minutes = models.PositiveSmallIntegerField(help_text="how long from then, each time it is extended")
    extend_times = models.PositiveSmallIntegerField(help_text="how often a candidate may extend it")
    hold_longest_minutes = models.PositiveSmallIntegerField(help_text="after this no payment page is opened again")
    closes_minutes = models.PositiveSmallIntegerField(help_text="booking closes this long before the course starts")
    cancel_days = models.PositiveSmallIntegerField(
        help_text="days from booking in which a candidate may cancel for a full refund"
    )
    cancel_notice_days = models.PositiveSmallIntegerField(
        help_text="a full refund on cancelling needs the course to be at least this many days away"
    )
    withdrawn_notice_days = models.PositiveSmallIntegerField(
        help_text="a fixed penalty paid instead is refunded if the course is at least this many days away"
    )
    move_free_days = models.PositiveSmallIntegerField(help_text="the first move is free this many days ahead")
    move_fee_pence = models.PositiveIntegerField(help_text="a later or second move")
    full_fee_hours = models.PositiveSmallIntegerField(help_text="inside this, a move costs the full fee")
    pay_link_hours = models.PositiveSmallIntegerField(
        help_text="how long a place is held for who pays by a link, never past the time that booking closes"
    )
    need_days = models.PositiveSmallIntegerField(
        help_text="working days in which staff arrange what a candidate needs"
    )
    waiting_offer_hours = models.PositiveSmallIntegerField(
        help_text="working hours for which a freed place is held for who waits for it"
    )
    late_offer_hours = models.PositiveSmallIntegerField(
        help_text="hours for which other dates are held for who paid after their place had gone"
    )
    late_offer_dates = models.PositiveSmallIntegerField(help_text="how many other dates they are offered")

    missed_fee_percent = models.PositiveSmallIntegerField(
        default=100, help_text="of the fee, asked again of who did not complete a course they had booked"
    )
    kcc_cancelled_refund_percent = models.PositiveSmallIntegerField(
        default=100, help_text="of the fee, sent back when KCC cancels"
    )

    objects = PolicyManager()
    history = History()

    class Meta:
        ordering = ["-valid_from"]
        verbose_name_plural = "policies"
        constraints = [
            models.CheckConstraint(
                name="bookings_policy_percents",
                condition=Q(missed_fee_percent__lte=100, kcc_cancelled_refund_percent__lte=100),
                violation_error_message="No more than all of the fee.",
            ),
            ExclusionConstraint(
                name="bookings_policy_no_overlap",
                expressions=[
                    (
                        Func(F("valid_from"), F("valid_to"), Value("[]"), function="daterange"),
                        RangeOperators.OVERLAPS,
                    )
                ],
                violation_error_message="Another policy is valid on some of these days.",
            ),
        ]

    def __str__(self) -> str:
        return f"Booking policy from {date_words(self.valid_from)}"

    @property
    def rules(self) -> dict[str, int]:
        """Every rule by its field's name."""
        return {name: getattr(self, name) for name in self.rule_names()}

    @classmethod
    def rule_names(cls) -> list[str]:
        """The fields that are rules, in their order."""
        return [
            field.name for field in cls._meta.concrete_fields if field.name not in ("id", "valid_from", "valid_to")
        ]
