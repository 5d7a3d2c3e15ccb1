"""What courses cost, between which dates, and of which parts."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value

from audit.history import History
from common.clock import date_words
from courses.constants import Mode
from payments.constants import VatCode

# A force's two characters as one number, nought for any force: core PostgreSQL has no ranges of text.
FORCE_AS_NUMBER = "ascii(coalesce(%(expressions)s, '')) * 1000 + ascii(substr(coalesce(%(expressions)s, ''), 2))"


def _only(expression: F | Func, function: str) -> Func:
    """The range that holds one number: two of them overlap where the numbers are equal."""
    return Func(expression, expression, Value("[]"), function=function)


class FeeSchedule(models.Model):
    """The regulated fee of a course type in a mode between two dates, in its parts, which fall due on completion.

    Without a force it is the fee for offers of every force that has none of its own.
    """

    course_type = models.ForeignKey("courses.CourseType", on_delete=models.PROTECT, related_name="fees")
    mode = models.CharField(max_length=10, choices=Mode)
    force = models.ForeignKey(
        "referrals.Force",
        on_delete=models.PROTECT,
        related_name="fees",
        null=True,
        blank=True,
        help_text="whose offers it is for; empty for all forces without a fee of their own",
    )
    valid_from = models.DateField(help_text="first London day of booking it applies to")
    valid_to = models.DateField(null=True, blank=True, help_text="last day, inclusive")
    total_pence = models.PositiveIntegerField(help_text="what the candidate pays")
    police_pence = models.PositiveIntegerField(help_text="police cost recovery, to the originating force")
    levy_pence = models.PositiveIntegerField(help_text="UKROEd levy")
    vat_code = models.CharField(max_length=8, choices=VatCode, default=VatCode.OUTSIDE)
    vat_pence = models.PositiveIntegerField(default=0)
    provider_pence = models.PositiveIntegerField(help_text="the rest, KCC's")

    history = History()

    class Meta:
        ordering = ["course_type", "mode", F("force").asc(nulls_first=True), "-valid_from"]
        constraints = [
            models.CheckConstraint(
                name="payments_fee_parts_add_up",
                condition=Q(total_pence=F("police_pence") + F("levy_pence") + F("vat_pence") + F("provider_pence")),
                violation_error_message="The parts must add up to the total.",
            ),
            models.CheckConstraint(
                name="payments_fee_vat_has_its_code",
                condition=Q(vat_code=VatCode.STANDARD) | Q(vat_pence=0),
                violation_error_message="Only the standard rate has VAT to pay.",
            ),
            ExclusionConstraint(
                name="payments_fee_no_overlap",
                expressions=[
                    (_only(F("course_type"), "int8range"), RangeOperators.OVERLAPS),
                    (_only(Func(F("mode"), function="ascii"), "int4range"), RangeOperators.OVERLAPS),
                    (_only(Func(F("force"), template=FORCE_AS_NUMBER), "int4range"), RangeOperators.OVERLAPS),
                    (Func(F("valid_from"), F("valid_to"), Value("[]"), function="daterange"), RangeOperators.OVERLAPS),
                ],
                violation_error_message="Another fee for this course, mode and force is valid on some of these days.",
            ),
        ]

    def __str__(self) -> str:
        whose = f" for force {self.force_id}" if self.force_id else ""
        return f"{self.course_type.code} {self.get_mode_display()}{whose} from {date_words(self.valid_from)}"
