"""A course being delivered: the register of a session and each client's mark."""

from django.db import models
from django.db.models import Q

from audit.history import History
from rosters.constants import DocumentKind, Mark


class Register(models.Model):
    """The register of one session; closing it is a promise with a clock (2 hours after the end)."""

    session = models.OneToOneField("courses.Session", on_delete=models.PROTECT, related_name="register")
    opened_at = models.DateTimeField()
    opened_by = models.CharField(max_length=80)
    closed_at = models.DateTimeField(null=True, blank=True)
    closed_by = models.CharField(max_length=80, blank=True)

    history = History()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="rosters_register_closed_pair",
                condition=Q(closed_at__isnull=True, closed_by="") | Q(closed_at__isnull=False) & ~Q(closed_by=""),
            )
        ]

    def __str__(self) -> str:
        return f"register of session {self.session_id}"


class Attendance(models.Model):
    """One client's mark. The kind of document seen and who checked it, never an image of it."""

    register = models.ForeignKey(Register, on_delete=models.PROTECT, related_name="marks")
    booking = models.OneToOneField("bookings.Booking", on_delete=models.PROTECT, related_name="attendance")
    mark = models.CharField(max_length=18, choices=Mark)
    document_kind = models.CharField(max_length=9, choices=DocumentKind, blank=True)
    note = models.CharField(max_length=200, blank=True)
    marked_at = models.DateTimeField()
    marked_by = models.CharField(max_length=80)

    history = History()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="rosters_completed_was_identified",
                condition=~Q(mark=Mark.COMPLETED) | ~Q(document_kind=""),
                violation_error_message="A completed course needs the kind of identity document that was checked.",
            )
        ]

    def __str__(self) -> str:
        return f"{self.booking_id}: {self.get_mark_display()}"
