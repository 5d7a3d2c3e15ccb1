"""From which amount on a refund asked for by hand needs a second person."""

import datetime as dt

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value

from audit.history import History
from common.clock import date_words


class RefundLimitQuerySet(models.QuerySet["RefundLimit"]):
    """Finding the limit of a day."""

    def on(self, day: dt.date) -> "RefundLimit":
        """The limit of a London day. There is always one: the first begins in 2020 and each follows on the last."""
        return self.get(Q(valid_to=None) | Q(valid_to__gte=day), valid_from__lte=day)


class RefundLimit(models.Model):
    """Above how much a refund asked for by hand needs a second person, between two dates. DEFAULT £150."""

    valid_from = models.DateField(help_text="first London day it applies to")
    valid_to = models.DateField(null=True, blank=True, help_text="last day, inclusive; empty while it runs")
    over_pence = models.PositiveIntegerField(help_text="more than this, over all asked for by hand of one charge")

    objects = RefundLimitQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ["-valid_from"]
        constraints = [
            ExclusionConstraint(
                name="payments_refund_limit_no_overlap",
                expressions=[
                    (Func(F("valid_from"), F("valid_to"), Value("[]"), function="daterange"), RangeOperators.OVERLAPS)
                ],
                violation_error_message="Another limit is valid on some of these days.",
            )
        ]

    def __str__(self) -> str:
        return f"Refund limit from {date_words(self.valid_from)}"
