"""The scheme's rules of what can be offered and until when, as rows with dates."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value

from audit.history import History
from common.clock import date_words


class CourseBlock(models.Model):
    """For three years a course of `blocked_by` bars an offer of `course_type` (DOMAIN.md §3); rows with dates."""

    course_type = models.ForeignKey("courses.CourseType", on_delete=models.PROTECT, related_name="blocks")
    blocked_by = models.ForeignKey("courses.CourseType", on_delete=models.PROTECT, related_name="+")
    valid_from = models.DateField()
    valid_to = models.DateField(null=True, blank=True)

    history = History()

    class Meta:
        constraints = [
            ExclusionConstraint(
                name="referrals_block_no_overlap",
                expressions=[
                    (
                        Func(F("course_type"), F("course_type"), Value("[]"), function="int8range"),
                        RangeOperators.OVERLAPS,
                    ),
                    (
                        Func(F("blocked_by"), F("blocked_by"), Value("[]"), function="int8range"),
                        RangeOperators.OVERLAPS,
                    ),
                    (
                        Func(F("valid_from"), F("valid_to"), Value("[]"), function="daterange"),
                        RangeOperators.OVERLAPS,
                    ),
                ],
            )
        ]

    def __str__(self) -> str:
        return f"{self.course_type.code} is barred by {self.blocked_by.code}"


class OfferTerms(models.Model):
    """What is filled in where an offer comes without its days: in force from a day until the next row's."""

    valid_from = models.DateField(unique=True, help_text="the first London day of batches they apply to")
    book_by_days = models.PositiveSmallIntegerField(help_text="book by is so many days after the offer")
    complete_by_months = models.PositiveSmallIntegerField(
        help_text="complete by is so many calendar months after the offence, within the time limit of six"
    )

    history = History()

    class Meta:
        ordering = ["-valid_from"]
        verbose_name_plural = "offer terms"
        constraints = [
            models.CheckConstraint(
                name="referrals_terms_possible",
                condition=Q(book_by_days__range=(1, 180), complete_by_months__range=(1, 6)),
                violation_error_message="Book by is 1 to 180 days and complete by 1 to 6 months.",
            )
        ]

    def __str__(self) -> str:
        return f"Offer terms from {date_words(self.valid_from)}"


class SpeedBand(models.Model):
    """At a speed limit, the recorded speeds that lead to a course: from a day until the next row of the limit.

    A speed outside is a warning on the row, never an error: police decide.
    """

    limit_mph = models.PositiveSmallIntegerField("limit, mph")
    slowest_mph = models.PositiveSmallIntegerField("from, mph")
    fastest_mph = models.PositiveSmallIntegerField("to, mph")
    valid_from = models.DateField(help_text="the first London day of batches it applies to")

    history = History()

    class Meta:
        ordering = ["limit_mph", "-valid_from"]
        constraints = [
            models.UniqueConstraint(fields=["limit_mph", "valid_from"], name="referrals_band_once"),
            models.CheckConstraint(
                name="referrals_band_above_limit",
                condition=Q(slowest_mph__gt=F("limit_mph"), fastest_mph__gte=F("slowest_mph")),
                violation_error_message="A band begins above the limit, and ends no slower than it begins.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.limit_mph} mph: {self.slowest_mph} to {self.fastest_mph} from {date_words(self.valid_from)}"
