"""Places that we hold for somebody of our own accord, and payments that such places are offered for."""

from django.db import models
from django.db.models import Q

from audit.history import History
from bookings import triggers
from bookings.constants import UNSETTLED_LATE, LatePaymentStatus, PlaceOfferStatus


class LatePayment(models.Model):
    """A payment that came after its place had gone: other dates are offered for it, or it goes back. Never both."""

    booking = models.OneToOneField("bookings.Booking", on_delete=models.PROTECT, related_name="late_payment")
    charge = models.OneToOneField("payments.Charge", on_delete=models.PROTECT, related_name="late_payment")
    created_at = models.DateTimeField()
    status = models.CharField(max_length=8, choices=LatePaymentStatus, default=LatePaymentStatus.SEEKING)
    status_at = models.DateTimeField()
    status_by = models.CharField(max_length=80)

    history = History()

    class Meta:
        indexes = [
            models.Index(fields=["created_at"], condition=Q(status__in=UNSETTLED_LATE), name="bookings_late_unsettled")
        ]

    def __str__(self) -> str:
        return f"late payment of {self.booking}"


class PlaceOfferQuerySet(models.QuerySet["PlaceOffer"]):
    """Offers by their state, and with what belongs to them."""

    def open(self) -> "PlaceOfferQuerySet":
        """Not answered yet; its time may be over."""
        return self.filter(status=PlaceOfferStatus.OPEN)

    def with_session(self) -> "PlaceOfferQuerySet":
        """With everything a page or a message says of an offer, in the same query."""
        return self.select_related("place__session__course_type", "place__session__room__venue", "referral", "entry")


class PlaceOffer(models.Model):
    """A held place that somebody may take until a time: one that came free for who waits (`entry`), or one of the
    other dates for who paid when their place had gone (`payment`).
    """

    referral = models.ForeignKey("referrals.Referral", on_delete=models.PROTECT, related_name="place_offers")
    place = models.OneToOneField("courses.Place", on_delete=models.PROTECT, related_name="offer")
    entry = models.ForeignKey(
        "bookings.WaitingEntry", on_delete=models.PROTECT, null=True, blank=True, related_name="offers"
    )
    payment = models.ForeignKey(LatePayment, on_delete=models.PROTECT, null=True, blank=True, related_name="offers")
    offered_at = models.DateTimeField()
    until = models.DateTimeField(help_text="when it passes on; the place is held at least as long")
    status = models.CharField(max_length=8, choices=PlaceOfferStatus, default=PlaceOfferStatus.OPEN)
    status_at = models.DateTimeField()
    status_by = models.CharField(max_length=80)

    objects = PlaceOfferQuerySet.as_manager()
    history = History()

    class Meta:
        indexes = [
            models.Index(fields=["until"], condition=Q(status=PlaceOfferStatus.OPEN), name="bookings_offer_lapsing")
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["referral"],
                condition=Q(status=PlaceOfferStatus.OPEN, entry__isnull=False),
                name="bookings_one_waiting_offer",
            ),
            models.CheckConstraint(
                name="bookings_offer_for_one_cause",
                condition=Q(entry__isnull=False, payment__isnull=True) | Q(entry__isnull=True, payment__isnull=False),
            ),
        ]
        triggers = [triggers.offered_place_fits]

    def __str__(self) -> str:
        return f"offer of {self.place} ({self.get_status_display().lower()})"
