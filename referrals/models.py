"""Forces, what they send (batches and their rows), the referrals themselves, and what goes back."""

import uuid

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value

from audit.history import History
from referrals.constants import (
    BatchKind,
    BatchStatus,
    LicenceType,
    OutcomeCode,
    ReferralStatus,
    RowState,
    WithdrawalReason,
)


class Force(models.Model):
    """A police force. Its two digits are text and its key: 46 is Kent."""

    code = models.CharField(max_length=2, primary_key=True)
    name = models.CharField(max_length=60, unique=True)
    contact_email = models.EmailField(blank=True, help_text="where receipts and returns are announced")
    is_active = models.BooleanField(default=True)

    history = History()

    class Meta:
        ordering = ["code"]

    def __str__(self) -> str:
        return f"{self.code} {self.name}"


class Officer(models.Model):
    """Ties a police sign-in to the one force whose records it may see."""

    user = models.OneToOneField("accounts.User", on_delete=models.CASCADE, related_name="officer")
    force = models.ForeignKey(Force, on_delete=models.PROTECT, related_name="officers")

    history = History()

    def __str__(self) -> str:
        return f"{self.user} of {self.force}"


class ForceQuerySet(models.QuerySet):
    """The one place where a query is bound to a force: police pages and the API must begin with `of_force`."""

    def of_force(self, force: Force | str) -> "ForceQuerySet":
        return self.filter(force_id=force.pk if isinstance(force, Force) else force)


class Batch(models.Model):
    """One file from a force. Its bytes are stored with their hash before anything reads them.

    The same bytes from the same force as the same kind are the same batch. State lives here, so a worker that dies
    leaves a batch that the next one resumes: `rows_read` and `settled_to` say how far it came.
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

    rows = models.PositiveIntegerField(default=0, help_text="rows read so far; all of them once settled")
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
        excluded_fields=["rows", "rows_expected", "settled_to", "claimed_until", "attempts", "columns"]
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
    """One row as it came, and what became of it. Not tracked: it is itself the record, and erased 30 days on."""

    batch = models.ForeignKey(Batch, on_delete=models.CASCADE, related_name="batch_rows")
    number = models.PositiveIntegerField(help_text="as a spreadsheet shows it; the header is row 1")
    state = models.CharField(max_length=11, choices=RowState)
    reference = models.CharField(max_length=25, blank=True)
    raw = models.JSONField(help_text="the cells as text, in the batch's column order")
    clean = models.JSONField(null=True, blank=True, help_text="checked values by column; null when rejected")
    errors = models.JSONField(default=list, help_text="[{column, code, message, value}]")
    warnings = models.JSONField(default=list, help_text="[{column, code, message, value}]")
    changes = models.JSONField(default=dict, help_text="{column: [old, new]} of a changed row")

    class Meta:
        ordering = ["number"]
        constraints = [models.UniqueConstraint(fields=["batch", "number"], name="referrals_row_once")]
        indexes = [models.Index(fields=["batch", "state", "number"], name="referrals_row_by_state")]

    def __str__(self) -> str:
        return f"row {self.number}"


class Referral(models.Model):
    """One offer of a course to one person, the police's to make, extend and withdraw.

    Names are kept byte for byte. `surname_key`, `postcode_key` and `vehicle_registration` exist to be searched.
    The driver number is encrypted; `driver_number_hash` and `person_hash` find it again (common.crypto).
    """

    force = models.ForeignKey(Force, on_delete=models.PROTECT, related_name="referrals")
    reference = models.CharField(max_length=25)
    pin_hash = models.BinaryField(max_length=32)
    course_type = models.ForeignKey("courses.CourseType", on_delete=models.PROTECT, related_name="referrals")
    status = models.CharField(max_length=13, choices=ReferralStatus, default=ReferralStatus.LIVE)
    status_at = models.DateTimeField()
    status_by = models.CharField(max_length=80)
    batch = models.ForeignKey(Batch, on_delete=models.SET_NULL, null=True, blank=True, related_name="referrals")
    received_at = models.DateTimeField(help_text="when the batch that brought it was received")
    bookable_at = models.DateTimeField(help_text="when the candidate could first book")

    offence_code = models.CharField(max_length=4)
    offence_at = models.DateTimeField()
    offence_location = models.CharField(max_length=200, blank=True)
    speed_limit_mph = models.PositiveSmallIntegerField(null=True, blank=True)
    recorded_speed_mph = models.PositiveSmallIntegerField(null=True, blank=True)
    vehicle_registration = models.CharField(max_length=12, blank=True)

    title = models.CharField(max_length=35, blank=True)
    forenames = models.CharField(max_length=120)
    surname = models.CharField(max_length=120)
    surname_key = models.CharField(max_length=120, help_text="surname upper-cased, for search by its start")
    date_of_birth = models.DateField()
    licence_type = models.CharField(max_length=5, choices=LicenceType)
    driver_number_encrypted = models.BinaryField(default=b"", blank=True)
    driver_number_hash = models.BinaryField(max_length=32, default=b"", blank=True)
    person_hash = models.BinaryField(max_length=32, help_text="surname, date of birth and postcode, hashed")
    licence_country = models.CharField(max_length=2, blank=True)

    address_1 = models.CharField(max_length=120)
    address_2 = models.CharField(max_length=120, blank=True)
    address_3 = models.CharField(max_length=120, blank=True)
    town = models.CharField(max_length=80, blank=True)
    postcode = models.CharField(max_length=8, blank=True, help_text="normalised, as TN23 3UT")
    country = models.CharField(max_length=2, default="GB")
    email = models.EmailField(blank=True)
    mobile = models.CharField(max_length=20, blank=True)
    landline = models.CharField(max_length=20, blank=True)

    offer_on = models.DateField()
    book_by = models.DateField(help_text="last London day to book on")
    complete_by = models.DateField(help_text="last London day a course may end on")

    objects = ForceQuerySet.as_manager()
    history = History(excluded_fields=["surname_key"])

    class Meta:
        indexes = [
            models.Index(fields=["reference"], name="referrals_ref_reference"),
            models.Index(
                fields=["force", "surname_key"],
                opclasses=["varchar_pattern_ops", "varchar_pattern_ops"],
                name="referrals_ref_surname",
            ),
            models.Index(
                fields=["driver_number_hash"], condition=~Q(driver_number_hash=b""), name="referrals_ref_driver"
            ),
            models.Index(fields=["person_hash"], name="referrals_ref_person"),
            models.Index(fields=["force", "postcode"], name="referrals_ref_postcode"),
            models.Index(fields=["force", "vehicle_registration"], name="referrals_ref_vehicle"),
            models.Index(
                fields=["complete_by"],
                condition=Q(status__in=["LIVE", "BOOKED", "NOT_COMPLETED"]),
                name="referrals_ref_expiring",
            ),
            models.Index(fields=["force", "status", "complete_by"], name="referrals_ref_dashboard"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["force", "reference"], name="referrals_ref_natural_key"),
            models.CheckConstraint(
                name="referrals_ref_dates_in_order",
                condition=Q(book_by__gte=F("offer_on")) & Q(complete_by__gte=F("offer_on")),
            ),
        ]

    def __str__(self) -> str:
        return self.key

    @property
    def key(self) -> str:
        """The referral key used by audit events, places and messages: "46/46DEMO0001"."""
        return f"{self.force_id}/{self.reference}"


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


class Withdrawal(models.Model):
    """A withdrawal by police: final, one per referral."""

    referral = models.OneToOneField(Referral, on_delete=models.PROTECT, related_name="withdrawal")
    reason = models.CharField(max_length=20, choices=WithdrawalReason)
    effective_at = models.DateTimeField(null=True, blank=True, help_text="when it took effect for police, if they said")
    received_at = models.DateTimeField(help_text="when we were told: the clock starts here")
    acted_at = models.DateTimeField(help_text="when the referral was closed to booking")
    acted_by = models.CharField(max_length=80)
    batch = models.ForeignKey(Batch, on_delete=models.SET_NULL, null=True, blank=True, related_name="withdrawals")

    history = History()

    class Meta:
        indexes = [models.Index(fields=["received_at"], name="referrals_withdrawal_received")]

    def __str__(self) -> str:
        return f"{self.referral} withdrawn: {self.get_reason_display()}"


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
            models.Index(fields=["recorded_at"], condition=Q(returned_at__isnull=True), name="referrals_outcome_due")
        ]

    def __str__(self) -> str:
        return f"{self.force_id} #{self.sequence} {self.outcome}"
