"""What a force sends: files, and what became of each of their rows."""

import uuid

from django.db import models
from django.db.models import F, Q

from audit.history import History
from referrals.constants import BatchKind, BatchStatus, RowDecision, RowState
from referrals.models.forces import Force, ForceQuerySet

# The five that add up to a batch's rows.
COUNTS = ("new", "unchanged", "changed", "rejected", "quarantined")


class Batch(models.Model):
    """One file from a force. Its bytes are stored with their hash before anything reads them.

    The same bytes from the same force as the same kind are the same batch. State lives here, so a worker that dies
    leaves a batch that the next one resumes: `rows` and `settled_to` say how far it came.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    force = models.ForeignKey(Force, on_delete=models.PROTECT, related_name="batches")
    kind = models.CharField(max_length=12, choices=BatchKind)
    status = models.CharField(max_length=8, choices=BatchStatus, default=BatchStatus.RECEIVED)
    status_at = models.DateTimeField()
    file = models.FileField(upload_to="batches/", max_length=200)
    file_name = models.CharField(max_length=200, help_text="as the sender named it")
    sha256 = models.CharField(max_length=64)
    size_bytes = models.PositiveBigIntegerField()
    received_at = models.DateTimeField()
    received_by = models.CharField(max_length=80, help_text="the actor who sent it")
    receipt_email = models.EmailField(blank=True)
    columns = models.JSONField(default=list, help_text="the file's own column names, in its order")
    settled_at = models.DateTimeField(null=True, blank=True)
    refusal = models.TextField(blank=True, help_text="why the file as a whole was refused, for the sender")

    rows = models.PositiveIntegerField(default=0, help_text="rows settled so far; all of them once settled")
    rows_read = models.PositiveIntegerField(default=0, help_text="rows read so far, ahead of what is settled")
    rows_checked = models.PositiveIntegerField(
        default=0, db_default=0, help_text="rows checked so far, ahead of what is settled"
    )
    rows_expected = models.PositiveIntegerField(null=True, blank=True, help_text="estimate while it runs")
    settled_to = models.PositiveIntegerField(default=0, help_text="row number up to which rows are settled")
    new = models.PositiveIntegerField(default=0)
    unchanged = models.PositiveIntegerField(default=0)
    changed = models.PositiveIntegerField(default=0)
    rejected = models.PositiveIntegerField(default=0)
    quarantined = models.PositiveIntegerField(default=0)
    warnings = models.PositiveIntegerField(default=0)

    claimed_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    objects = ForceQuerySet.as_manager()
    history = History(
        excluded_fields=[
            "rows",
            "rows_read",
            "rows_checked",
            "rows_expected",
            "settled_to",
            "claimed_until",
            "attempts",
            "columns",
            *COUNTS,
        ]
    )

    class Meta:
        ordering = ["-received_at"]
        verbose_name_plural = "batches"
        indexes = [
            models.Index(fields=["force", "-received_at"], name="referrals_batch_of_force"),
            models.Index(
                fields=["received_at"],
                condition=~Q(status__in=[BatchStatus.SETTLED, BatchStatus.REFUSED]),
                name="referrals_batch_unfinished",
            ),
        ]
        constraints = [
            models.UniqueConstraint(fields=["force", "kind", "sha256"], name="referrals_batch_same_bytes_once"),
            models.CheckConstraint(
                name="referrals_batch_counts_add_up",
                condition=~Q(status=BatchStatus.SETTLED)
                | Q(rows=F("new") + F("unchanged") + F("changed") + F("rejected") + F("quarantined")),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.file_name} from {self.force_id} ({self.get_status_display()})"


class BatchRow(models.Model):
    """What became of one row of a batch. Not tracked: it is itself the record, and erased 30 days on.

    Good rows live on as referrals and keep only a keyed hash of what they said. A row that somebody must still mend
    or decide on keeps its cells, encrypted: they hold PINs and driver numbers.
    """

    # Neither index nor constraint: the unique key below begins with it, and a slice has its batch locked.
    batch = models.ForeignKey(
        Batch, on_delete=models.CASCADE, related_name="batch_rows", db_index=False, db_constraint=False
    )
    number = models.PositiveIntegerField(help_text="as a spreadsheet shows it; the header is row 1")
    state = models.CharField(max_length=11, choices=RowState)
    row_force_code = models.CharField(max_length=2, blank=True, help_text="the force the row itself names")
    reference = models.CharField(max_length=25, blank=True)
    content_hash = models.BinaryField(
        max_length=32, default=b"", help_text="keyed hash of what it says; empty if rejected"
    )
    cells_encrypted = models.BinaryField(
        default=b"", blank=True, help_text="its cells as a JSON list, in the batch's column order; only where needed"
    )
    errors = models.JSONField(default=list, help_text="[{column, code, message, value}]; why rejected or quarantined")
    warnings = models.JSONField(default=list, help_text="[{column, code, message, value}]")
    changes = models.JSONField(default=dict, help_text="{column: [old, new]} of a changed row")
    decision = models.CharField(max_length=8, choices=RowDecision, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.CharField(max_length=80, blank=True)
    decision_reason = models.TextField(blank=True)

    class Meta:
        ordering = ["number"]
        constraints = [
            models.UniqueConstraint(fields=["batch", "number"], name="referrals_row_once"),
            models.CheckConstraint(
                name="referrals_row_decided_whole",
                condition=Q(decision="", decided_at__isnull=True, decided_by="")
                | (~Q(decision="") & Q(decided_at__isnull=False) & ~Q(decided_by="")),
            ),
        ]
        indexes = [
            # The states somebody has to look at; the others are nearly all rows and are read by number.
            models.Index(
                fields=["batch", "state", "number"],
                condition=Q(state__in=[RowState.REJECTED, RowState.QUARANTINED, RowState.CHANGED]),
                name="referrals_row_by_state",
            ),
            models.Index(
                fields=["batch", "number"],
                condition=Q(state=RowState.QUARANTINED, decision=""),
                name="referrals_row_undecided",
            ),
        ]

    def __str__(self) -> str:
        return f"row {self.number}"


class IdempotentUpload(models.Model):
    """An `Idempotency-Key` a force's system sent with an upload, and the batch that came of it."""

    force = models.ForeignKey(Force, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    kind = models.CharField(max_length=12, choices=BatchKind)
    sha256 = models.CharField(max_length=64)
    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["force", "key"], name="referrals_upload_key_once")]

    def __str__(self) -> str:
        return f"{self.force_id} {self.key}"


class ForecastMonth(models.Model):
    """What a force expects to refer in a month, per course. A later forecast replaces it; the earlier one is kept."""

    force = models.ForeignKey(Force, on_delete=models.PROTECT, related_name="forecasts")
    month = models.DateField(help_text="the first day of the month")
    course_type = models.ForeignKey("courses.CourseType", on_delete=models.PROTECT, related_name="+")
    expected_referrals = models.PositiveIntegerField()
    batch = models.ForeignKey(Batch, on_delete=models.SET_NULL, null=True, blank=True, related_name="forecasts")
    received_at = models.DateTimeField()
    superseded_at = models.DateTimeField(null=True, blank=True, help_text="when a later forecast replaced it")

    objects = ForceQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ["force", "month", "course_type"]
        constraints = [
            models.UniqueConstraint(
                fields=["force", "month", "course_type"],
                condition=Q(superseded_at__isnull=True),
                name="referrals_forecast_one_in_force",
            ),
            models.CheckConstraint(name="referrals_forecast_first_of_month", condition=Q(month__day=1)),
        ]

    def __str__(self) -> str:
        return f"{self.force_id} {self.month:%Y-%m}: {self.expected_referrals}"
