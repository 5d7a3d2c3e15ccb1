"""A candidate and a place: bookings, the consents given for them and the needs told to us."""

from django.db import models
from django.db.models import Q

from audit.history import History
from bookings.constants import LIVE, BookingStatus, CancelCause, ConsentKind, NeedKind


class BookingQuerySet(models.QuerySet["Booking"]):
    def live(self) -> "BookingQuerySet":
        """Held or confirmed: at most one per referral, by a partial unique index."""
        return self.filter(status__in=LIVE)

    def with_session(self) -> "BookingQuerySet":
        """With everything a page says of a booking, in the same query."""
        return self.select_related(
            "place__session__course_type", "place__session__version", "place__session__room__venue", "referral__force"
        )


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

    def __str__(self) -> str:
        return self.reference


class ConsentText(models.Model):
    """The words a candidate agrees to, by version. A live text is never edited: a new version is added."""

    kind = models.CharField(max_length=16, choices=ConsentKind)
    version = models.PositiveSmallIntegerField()
    valid_from = models.DateField()
    statement = models.CharField(max_length=300, help_text="the words beside the tick box")
    body = models.TextField(blank=True, help_text="the longer text it speaks of")

    history = History()

    class Meta:
        ordering = ["kind", "-version"]
        constraints = [models.UniqueConstraint(fields=["kind", "version"], name="bookings_consent_version")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} v{self.version}"


class Consent(models.Model):
    """What a candidate agreed to, in which words, when."""

    booking = models.ForeignKey(Booking, on_delete=models.PROTECT, related_name="consents")
    text = models.ForeignKey(ConsentText, on_delete=models.PROTECT)
    given_at = models.DateTimeField()

    history = History()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["booking", "text"], name="bookings_consent_once")]

    def __str__(self) -> str:
        return f"{self.booking}: {self.text}"


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
