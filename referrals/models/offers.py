"""Referrals: the offers of a course that police make, extend and withdraw."""

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q

from audit.history import History
from common.triggers import parents_known
from referrals.constants import LicenceType, ReferralStatus, WithdrawalReason
from referrals.models.batches import Batch
from referrals.models.forces import Force, ForceQuerySet


class Referral(models.Model):
    """One offer of a course to one person, the police's to make, extend and withdraw.

    Names are kept byte for byte. `surname_key`, `postcode_key` and `vehicle_registration` exist to be searched.
    The driver number is encrypted; `driver_number_hash` and `person_hash` find it again (common.crypto).
    """

    # Every index costs each row of every batch: those of foreign keys are covered by the indexes below, or not used.
    # And the checks of foreign keys: the triggers below look at a whole statement's rows at once.
    force = models.ForeignKey(
        Force, on_delete=models.PROTECT, related_name="referrals", db_index=False, db_constraint=False
    )
    reference = models.CharField(max_length=25)
    pin_hash = models.BinaryField(max_length=32)
    course_type = models.ForeignKey(
        "courses.CourseType",
        on_delete=models.PROTECT,
        related_name="referrals",
        db_index=False,
        db_constraint=False,
    )
    status = models.CharField(max_length=13, choices=ReferralStatus, default=ReferralStatus.LIVE)
    status_at = models.DateTimeField()
    status_by = models.CharField(max_length=80)
    # No constraint: an import has its batch locked, and a check for each row would cost a tenth of its time.
    batch = models.ForeignKey(
        Batch,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="referrals",
        db_index=False,
        db_constraint=False,
    )
    received_at = models.DateTimeField(help_text="when the batch that brought it was received")
    bookable_at = models.DateTimeField(help_text="when the candidate could first book")
    first_booked_at = models.DateTimeField(
        null=True, blank=True, help_text="tells an offer expired unused from others"
    )

    offence_code = models.CharField(max_length=4)
    offence_at = models.DateTimeField()
    offence_location = models.CharField(max_length=200, blank=True)
    speed_limit_mph = models.PositiveSmallIntegerField(null=True, blank=True)
    recorded_speed_mph = models.PositiveSmallIntegerField(null=True, blank=True)
    vehicle_registration = models.CharField(max_length=12, blank=True)

    title = models.CharField(max_length=35, blank=True)
    forenames = models.CharField(max_length=120)
    surname = models.CharField(max_length=120)
    # Upper case may take up to three characters for one. In the order of its bytes, one index finds all that begin
    # alike and gives them in their order.
    surname_key = models.CharField(
        max_length=360, db_collation="C", help_text="surname upper-cased, for search by its start"
    )
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
    content_hash = models.BinaryField(
        max_length=32,
        default=b"",
        help_text="keyed hash of the row as last sent: the same again is unchanged",
    )

    objects = ForceQuerySet.as_manager()
    history = History(excluded_fields=["surname_key", "content_hash"])

    class Meta:
        indexes = [
            models.Index(fields=["force", "surname_key"], name="referrals_ref_by_surname"),
            models.Index(
                fields=["driver_number_hash"], condition=~Q(driver_number_hash=b""), name="referrals_ref_driver"
            ),
            # Only completed courses bar another one.
            models.Index(fields=["person_hash"], condition=Q(status="COMPLETED"), name="referrals_ref_person"),
            # Small, for those who have a number and may have been here without one.
            models.Index(
                fields=["person_hash"],
                condition=Q(status="COMPLETED", driver_number_hash=b""),
                name="referrals_ref_unnumbered",
            ),
            models.Index(fields=["postcode", "force"], condition=~Q(postcode=""), name="referrals_ref_postcode"),
            models.Index(
                fields=["vehicle_registration", "force"],
                condition=~Q(vehicle_registration=""),
                name="referrals_ref_vehicle",
            ),
            # A few pages in all, for whoever asks what became bookable lately.
            BrinIndex(fields=["bookable_at"], name="referrals_ref_bookable"),
            models.Index(
                fields=["force", "status", "complete_by"],
                condition=Q(status__in=["LIVE", "BOOKED", "NOT_COMPLETED"]),
                name="referrals_ref_open",
            ),
            # Police must decide about these within six months of the offence.
            models.Index(
                fields=["force", "offence_at"],
                condition=Q(status__in=["NOT_COMPLETED", "EXPIRED"]),
                name="referrals_ref_failed",
            ),
        ]
        triggers = parents_known({"force_id": "referrals_force.code", "course_type_id": "courses_coursetype.id"})
        constraints = [
            # The reference first: candidates sign in with it and do not know the force's code.
            models.UniqueConstraint(fields=["reference", "force"], name="referrals_ref_natural_key"),
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


class Withdrawal(models.Model):
    """A withdrawal by police: final, one per referral."""

    referral = models.OneToOneField(Referral, on_delete=models.PROTECT, related_name="withdrawal")
    reason = models.CharField(max_length=20, choices=WithdrawalReason)
    effective_at = models.DateTimeField(null=True, blank=True, help_text="when it took effect for police, if said")
    received_at = models.DateTimeField(help_text="when we were told: the clock starts here")
    acted_at = models.DateTimeField(help_text="when the referral was closed to booking")
    acted_by = models.CharField(max_length=80)
    batch = models.ForeignKey(Batch, on_delete=models.SET_NULL, null=True, blank=True, related_name="withdrawals")

    history = History()

    class Meta:
        indexes = [models.Index(fields=["received_at"], name="referrals_withdrawal_received")]

    def __str__(self) -> str:
        return f"{self.referral} withdrawn: {self.get_reason_display()}"
