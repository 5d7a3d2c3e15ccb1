"""What courses cost, between which dates, and of which parts."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value

from audit.history import History
from courses.constants import Mode


class FeeSchedule(models.Model):
    """The regulated fee of a course type in a mode between two dates, in its parts, which fall due on completion."""

    course_type = models.ForeignKey("courses.CourseType", on_delete=models.PROTECT, related_name="fees")
    mode = models.CharField(max_length=10, choices=Mode)
    valid_from = models.DateField(help_text="first London day of booking it applies to")
    valid_to = models.DateField(null=True, blank=True, help_text="last day, inclusive")
    total_pence = models.PositiveIntegerField(help_text="what the candidate pays")
    police_pence = models.PositiveIntegerField(help_text="police cost recovery, to the originating force")
    levy_pence = models.PositiveIntegerField(help_text="UKROEd levy")
    vat_pence = models.PositiveIntegerField(default=0)
    provider_pence = models.PositiveIntegerField(help_text="the rest, KCC's")

    history = History()

    class Meta:
        ordering = ["course_type", "mode", "-valid_from"]
        constraints = [
            models.CheckConstraint(
                name="payments_fee_parts_add_up",
                condition=Q(total_pence=F("police_pence") + F("levy_pence") + F("vat_pence") + F("provider_pence")),
                violation_error_message="The parts must add up to the total.",
            ),
            ExclusionConstraint(
                name="payments_fee_no_overlap",
                expressions=[
                    (
                        Func(F("course_type"), F("course_type"), Value("[]"), function="int8range"),
                        RangeOperators.OVERLAPS,
                    ),
                    (
                        Func(
                            Func(F("mode"), function="ascii"),
                            Func(F("mode"), function="ascii"),
                            Value("[]"),
                            function="int4range",
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                    (Func(F("valid_from"), F("valid_to"), Value("[]"), function="daterange"), RangeOperators.OVERLAPS),
                ],
                violation_error_message="Another fee for this course and mode is valid on some of these days.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.course_type.code} {self.get_mode_display()} from {self.valid_from}"
