"""Files that finance ask for. The row stays as proof of who took what, and why, when the file is gone."""

from django.db import models
from django.db.models import F, Q

from audit.history import History
from common.clock import date_words
from payments.constants import ExportKind, ExportStatus


class Export(models.Model):
    """One file of money's records, made by a job, read through admin alone, and deleted when it expires."""

    kind = models.CharField(max_length=8, choices=ExportKind)
    first_on = models.DateField(help_text="first London day")
    last_on = models.DateField(help_text="last London day")
    purpose = models.CharField(max_length=200, help_text="what the file is for, in words; no names")
    asked_at = models.DateTimeField()
    asked_by = models.CharField(max_length=80)
    status = models.CharField(max_length=7, choices=ExportStatus, default=ExportStatus.WAITING)
    status_at = models.DateTimeField()
    row_count = models.PositiveIntegerField(null=True, blank=True, help_text="without the line of headings")
    sha256 = models.CharField(max_length=64, blank=True)
    file = models.FileField(
        upload_to="exports/", max_length=200, blank=True, help_text="named before it is written, so none is forgotten"
    )
    ready_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    error = models.CharField(max_length=200, blank=True, help_text="why the last try failed")
    claimed_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)

    history = History(excluded_fields=["claimed_until", "attempts"])

    class Meta:
        constraints = [
            models.CheckConstraint(name="payments_export_period", condition=Q(last_on__gte=F("first_on"))),
            models.CheckConstraint(name="payments_export_has_purpose", condition=Q(purpose__regex=r"\S.{8,}\S")),
            models.CheckConstraint(
                name="payments_export_ready_has_facts",
                condition=(
                    Q(status__in=["READY", "EXPIRED"], ready_at__isnull=False, expires_at__gt=F("ready_at"))
                    & Q(row_count__isnull=False)
                    & ~Q(sha256="")
                )
                | Q(status__in=["WAITING", "FAILED"], ready_at=None, expires_at=None, row_count=None, sha256=""),
            ),
            models.CheckConstraint(
                name="payments_export_file_while_ready",
                condition=Q(status="READY") & ~Q(file="")
                | Q(status="EXPIRED", file="")
                | Q(status__in=["WAITING", "FAILED"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {date_words(self.first_on)} to {date_words(self.last_on)}"
