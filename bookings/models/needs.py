"""What candidates need us to arrange."""

from django.conf import settings
from django.db import models
from django.db.models import Q

from audit.history import History
from bookings.constants import NEED_ACTIONS, NEEDS_TO_DO, NeedKind, NeedStatus


class NeedQuerySet(models.QuerySet["Need"]):
    """Needs by whose turn it is."""

    def standing(self) -> "NeedQuerySet":
        """What candidates need now; one that is only to be undone is not."""
        return self.exclude(status=NeedStatus.UNDO)

    def to_do(self) -> "NeedQuerySet":
        """What staff still have to do."""
        return self.filter(status__in=NEEDS_TO_DO)


class Need(models.Model):
    """Special-category data: what staff must arrange. Shown as an action, and erased 30 days after the course."""

    referral = models.ForeignKey("referrals.Referral", on_delete=models.PROTECT, related_name="needs")
    kind = models.CharField(max_length=12, choices=NeedKind)
    detail = models.CharField(max_length=500, blank=True)
    told_at = models.DateTimeField()
    status = models.CharField(max_length=8, choices=NeedStatus, default=NeedStatus.OPEN)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="needs",
        help_text="the member of staff who sees to it",
    )
    due_on = models.DateField(help_text="last London day to see to it")
    arranged_at = models.DateTimeField(null=True, blank=True)
    arranged_by = models.CharField(max_length=80, blank=True)

    objects = NeedQuerySet.as_manager()
    history = History()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["referral", "kind"], name="bookings_need_once"),
            models.CheckConstraint(
                name="bookings_need_arranged_has_time",
                condition=Q(status=NeedStatus.OPEN, arranged_at__isnull=True)
                | Q(status__in=[NeedStatus.ARRANGED, NeedStatus.UNDO], arranged_at__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["due_on"], condition=Q(status__in=NEEDS_TO_DO), name="bookings_need_to_do"),
        ]

    def __str__(self) -> str:
        return self.action

    @property
    def action(self) -> str:
        """What staff do about it."""
        return ("Undo: " if self.status == NeedStatus.UNDO else "") + NEED_ACTIONS[self.kind]
