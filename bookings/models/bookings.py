"""A place for a referral, from the hold to the outcome."""

from django.db import models
from django.db.models import Q

from audit.history import History
from bookings import triggers
from bookings.constants import LIVE, BookingStatus, CancelCause


class BookingQuerySet(models.QuerySet["Booking"]):
    """Bookings by their state, and with what belongs to them."""

    def live(self) -> "BookingQuerySet":
        """Held or confirmed: at most one per referral, by a partial unique index."""
        return self.filter(status__in=LIVE)

    def with_session(self) -> "BookingQuerySet":
        """With everything a page or a message says of a booking, in the same query."""
        return self.select_related("place__session__course_type", "place__session__room__venue", "referral", "policy")


class Booking(models.Model):
    """A place for a referral, from the hold to the outcome. What it was sold under is kept with it."""

    reference = models.CharField(max_length=14, unique=True, help_text="KCC-XXXX-XXXX, no look-alike letters")
    referral = models.ForeignKey("referrals.Referral", on_delete=models.PROTECT, related_name="bookings")
    place = models.OneToOneField("courses.Place", on_delete=models.PROTECT, related_name="booking")
    status = models.CharField(max_length=13, choices=BookingStatus, default=BookingStatus.HELD)
    status_at = models.DateTimeField()
    status_by = models.CharField(max_length=80)
    created_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True, blank=True)
    cancel_cause = models.CharField(max_length=9, choices=CancelCause, blank=True)
    extensions = models.PositiveSmallIntegerField(default=0, help_text="how often the hold was extended")

    email = models.EmailField(blank=True)
    mobile = models.CharField(max_length=20, blank=True)
    details_at = models.DateTimeField(null=True, blank=True, help_text="when contact details were given")
    policy = models.ForeignKey("bookings.Policy", on_delete=models.PROTECT, help_text="the rules it was made under")
    fee_pence = models.PositiveIntegerField(help_text="snapshot of the fee it was sold under")
    fee_parts = models.JSONField(help_text="{police, levy, vat, provider}: pence")

    objects = BookingQuerySet.as_manager()
    history = History()

    class Meta:
        indexes = [models.Index(fields=["status", "status_at"], name="bookings_booking_status")]
        constraints = [
            models.UniqueConstraint(
                fields=["referral"], condition=Q(status__in=LIVE), name="bookings_one_live_per_referral"
            ),
            models.CheckConstraint(
                name="bookings_confirmed_has_time",
                condition=Q(confirmed_at__isnull=False) | ~Q(status__in=["CONFIRMED", "COMPLETED", "NOT_COMPLETED"]),
            ),
            models.CheckConstraint(
                name="bookings_cancelled_has_cause",
                condition=Q(status=BookingStatus.CANCELLED) & ~Q(cancel_cause="")
                | ~Q(status=BookingStatus.CANCELLED) & Q(cancel_cause=""),
            ),
        ]
        triggers = [triggers.fits_offer]

    def __str__(self) -> str:
        return self.reference

    @property
    def is_live(self) -> bool:
        """Whether it is held or confirmed."""
        return self.status in LIVE
