"""Who waits for a place, and for which ones."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from audit.history import History
from bookings.constants import WaitingCause, WaitingStatus
from courses.constants import Mode


class WaitingEntryQuerySet(models.QuerySet["WaitingEntry"]):
    """Entries by their state."""

    def waiting(self) -> "WaitingEntryQuerySet":
        """On the list: at most one per referral, by a partial unique index."""
        return self.filter(status=WaitingStatus.WAITING)


class WaitingEntry(models.Model):
    """Somebody waits for a place on any session that suits them. A list that is empty stands for anything."""

    referral = models.ForeignKey("referrals.Referral", on_delete=models.PROTECT, related_name="waiting_entries")
    course_type = models.ForeignKey(
        "courses.CourseType",
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
        help_text="the referral's, so that whether anybody waits for a course is one look into an index",
    )
    modes = ArrayField(models.CharField(max_length=10, choices=Mode), default=list, blank=True)
    venue_ids = ArrayField(
        models.BigIntegerField(), default=list, blank=True, help_text="venues, for courses in person"
    )
    weekdays = ArrayField(
        models.PositiveSmallIntegerField(), default=list, blank=True, help_text="London days, Monday is 1"
    )
    parts = ArrayField(
        models.CharField(max_length=9), default=list, blank=True, help_text="morning, afternoon or evening"
    )
    created_at = models.DateTimeField(help_text="since when they wait")
    status = models.CharField(max_length=7, choices=WaitingStatus, default=WaitingStatus.WAITING)
    status_at = models.DateTimeField()
    status_by = models.CharField(max_length=80)
    ended_cause = models.CharField(max_length=7, choices=WaitingCause, blank=True)

    objects = WaitingEntryQuerySet.as_manager()
    history = History()

    class Meta:
        verbose_name_plural = "waiting list"
        indexes = [
            models.Index(
                fields=["course_type"], condition=Q(status=WaitingStatus.WAITING), name="bookings_waiting_course"
            )
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["referral"], condition=Q(status=WaitingStatus.WAITING), name="bookings_waiting_once"
            ),
            models.CheckConstraint(
                name="bookings_waiting_ended_has_cause",
                condition=Q(status=WaitingStatus.ENDED) & ~Q(ended_cause="")
                | ~Q(status=WaitingStatus.ENDED) & Q(ended_cause=""),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.referral} waits ({self.get_status_display().lower()})"
