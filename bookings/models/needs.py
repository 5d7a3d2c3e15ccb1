"""What candidates need us to arrange."""

from django.db import models
from django.db.models import Q

from audit.history import History
from bookings.constants import NeedKind


class Need(models.Model):
    """Special-category data: what staff must arrange. Shown as an action, and erased 30 days after the course."""

    referral = models.ForeignKey("referrals.Referral", on_delete=models.PROTECT, related_name="needs")
    kind = models.CharField(max_length=12, choices=NeedKind)
    detail = models.CharField(max_length=500, blank=True)
    told_at = models.DateTimeField()
    is_arranged = models.BooleanField(default=False)
    arranged_at = models.DateTimeField(null=True, blank=True)
    arranged_by = models.CharField(max_length=80, blank=True)

    history = History()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["referral", "kind"], name="bookings_need_once"),
            models.CheckConstraint(
                name="bookings_need_arranged_has_time",
                condition=Q(is_arranged=True, arranged_at__isnull=False)
                | Q(is_arranged=False, arranged_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return self.get_kind_display()
