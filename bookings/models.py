"""A candidate and a place: bookings, the consents given for them and the needs told to us."""

import datetime as dt

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import ArrayField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value

from audit.history import History
from bookings import triggers
from bookings.constants import LIVE, BookingStatus, CancelCause, ConsentKind, NeedKind


class PolicyQuerySet(models.QuerySet["Policy"]):
    """Finding the policy of a day."""

    def on(self, day: dt.date) -> "Policy":
        """The policy of a London day. There is always one: the first begins in 2020 and each follows on the last."""
        return self.exclude(valid_to__lt=day).get(valid_from__lte=day)


class Policy(models.Model):
    """The rules of booking between two dates. A booking keeps the policy it was made under (scheme §4, defaults)."""

    valid_from = models.DateField(help_text="first London day of booking it applies to")
    valid_to = models.DateField(null=True, blank=True, help_text="last day, inclusive; empty while it runs")
    hold_minutes = models.PositiveSmallIntegerField(help_text="how long a place is held at first")
    extend_minutes = models.PositiveSmallIntegerField(help_text="how long from then, each time it is extended")
    extend_times = models.PositiveSmallIntegerField(help_text="how often a candidate may extend it")
    hold_longest_minutes = models.PositiveSmallIntegerField(help_text="after this no payment page is opened again")
    closes_minutes = models.PositiveSmallIntegerField(help_text="booking closes this long before the course starts")
    cancel_days = models.PositiveSmallIntegerField(
        help_text="days from booking in which a candidate may cancel for a full refund"
    )
    cancel_notice_days = models.PositiveSmallIntegerField(
        help_text="a full refund on cancelling needs the course to be at least this many days away"
    )
    withdrawn_notice_days = models.PositiveSmallIntegerField(
        help_text="a fixed penalty paid instead is refunded if the course is at least this many days away"
    )
    move_free_days = models.PositiveSmallIntegerField(help_text="the first move is free this many days ahead")
    move_fee_pence = models.PositiveIntegerField(help_text="a later or second move")
    full_fee_hours = models.PositiveSmallIntegerField(help_text="inside this, a move costs the full fee")

    objects = PolicyQuerySet.as_manager()
    history = History()

    class Meta:
        ordering = ["-valid_from"]
        verbose_name_plural = "policies"
        constraints = [
            ExclusionConstraint(
                name="bookings_policy_no_overlap",
                expressions=[
                    (
                        Func(F("valid_from"), F("valid_to"), Value("[]"), function="daterange"),
                        RangeOperators.OVERLAPS,
                    )
                ],
                violation_error_message="Another policy is valid on some of these days.",
            )
        ]

    def __str__(self) -> str:
        return f"Booking policy from {self.valid_from}"


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
    policy = models.ForeignKey(Policy, on_delete=models.PROTECT, help_text="the rules it was made under")
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


class SignInTries(models.Model):
    """When one reference, or one address, was last tried. In the database, so that emptying Redis forgets none."""

    subject = models.BinaryField(max_length=32, primary_key=True, help_text="keyed hash of the reference or address")
    tried_at = ArrayField(models.DateTimeField(), help_text="tries of the last quarter-hour, oldest first")
    last_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name_plural = "sign-in tries"

    def __str__(self) -> str:
        return f"{len(self.tried_at)} tries"
