"""What goes back to the force."""

from django.db import models
from django.db.models import F, Q

from audit.history import History
from referrals.constants import OutcomeCode
from referrals.models.forces import Force, ForceQuerySet
from referrals.models.offers import Referral


class OutcomeSequence(models.Model):
    """The last outcome sequence given out per force; its row lock is what makes sequences gapless."""

    force = models.OneToOneField(Force, on_delete=models.PROTECT, primary_key=True, related_name="+")
    last = models.PositiveBigIntegerField(default=0)
    acknowledged = models.PositiveBigIntegerField(default=0, help_text="the force has everything up to here")

    class Meta:
        constraints = [
            models.CheckConstraint(name="referrals_sequence_acknowledged", condition=Q(acknowledged__lte=F("last")))
        ]

    def __str__(self) -> str:
        return f"{self.force_id} to {self.last}"


class OutcomeReturn(models.Model):
    """One written return: a file of outcomes from `first` to `last`, with its digest."""

    force = models.ForeignKey(Force, on_delete=models.PROTECT, related_name="returns")
    first = models.PositiveBigIntegerField()
    last = models.PositiveBigIntegerField()
    rows = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    written_at = models.DateTimeField()
    written_by = models.CharField(max_length=80)

    objects = ForceQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ["-written_at"]

    def __str__(self) -> str:
        return f"{self.force_id} {self.first}–{self.last}"


class Outcome(models.Model):
    """One line for the force. A correction is a new sequence for the same reference; rows are never changed."""

    force = models.ForeignKey(Force, on_delete=models.PROTECT, related_name="outcomes")
    sequence = models.PositiveBigIntegerField()
    referral = models.ForeignKey(Referral, on_delete=models.PROTECT, related_name="outcomes")
    outcome = models.CharField(max_length=16, choices=OutcomeCode)
    reason = models.CharField(max_length=24, blank=True)
    course_code = models.CharField(max_length=8)
    attended_on = models.DateField(null=True, blank=True)
    provider_reference = models.CharField(max_length=14, blank=True, help_text="the booking reference")
    recorded_at = models.DateTimeField()
    returned_in = models.ForeignKey(
        OutcomeReturn, on_delete=models.PROTECT, null=True, blank=True, related_name="outcomes"
    )
    returned_at = models.DateTimeField(null=True, blank=True, help_text="when the force first had it, by file or API")

    objects = ForceQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ["force", "sequence"]
        constraints = [models.UniqueConstraint(fields=["force", "sequence"], name="referrals_outcome_sequence")]
        indexes = [
            models.Index(fields=["force", "recorded_at"], name="referrals_outcome_of_force"),
            models.Index(fields=["recorded_at"], condition=Q(returned_at__isnull=True), name="referrals_outcome_due"),
        ]

    def __str__(self) -> str:
        return f"{self.force_id} #{self.sequence} {self.outcome}"
