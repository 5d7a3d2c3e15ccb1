"""Who waits for a place: read here; put on the list and taken off it, as somebody asks by telephone."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import path, reverse

from audit.admin import HistoryAdmin
from audit.columns import who
from bookings import services
from bookings.constants import PlaceOfferStatus, WaitingCause
from bookings.errors import BookingNotFoundError
from bookings.models import PlaceOffer, WaitingEntry
from bookings.rules import PartOfDay
from common import clock
from courses.admin.acts import Read, act_page, acting_staff
from courses.constants import Mode
from courses.models import Venue
from referrals.models import Force, Referral

CHANGE = "bookings.change_waitingentry"


class AddForm(forms.Form):
    """Whom to put on the list, and what they wait for; nothing chosen is anything."""

    force = forms.ModelChoiceField(queryset=Force.objects.order_by("code"))
    reference = forms.CharField(max_length=40, help_text="The police's reference, as on the letter")
    modes = forms.MultipleChoiceField(
        required=False, choices=Mode.choices, widget=forms.CheckboxSelectMultiple, label="How"
    )
    venues = forms.ModelMultipleChoiceField(
        required=False, queryset=Venue.objects.filter(is_active=True), widget=forms.CheckboxSelectMultiple
    )
    weekdays = forms.TypedMultipleChoiceField(
        required=False,
        coerce=int,
        choices=[(number, name) for number, name in enumerate(clock.WEEKDAYS, start=1)],
        widget=forms.CheckboxSelectMultiple,
    )
    parts = forms.MultipleChoiceField(
        required=False,
        choices=[(part.value, part.value.capitalize()) for part in PartOfDay if part != PartOfDay.WEEKEND],
        widget=forms.CheckboxSelectMultiple,
        label="Time of day",
    )


@admin.register(WaitingEntry)
class WaitingEntryAdmin(Read, HistoryAdmin):
    """The waiting list, in the order in which places are offered."""

    list_display = ("referral", "course_type", "complete_by", "wishes", "created_at", "has_offer", "status")
    list_filter = ("status", "course_type")
    list_select_related = ("referral", "course_type")
    search_fields = ("=referral__reference",)
    search_help_text = "The police's reference"
    ordering = ("-status", "referral__complete_by", "created_at")
    fields = (
        "referral", "course_type", "complete_by", "wishes", "created_at", "status", "status_at", "status_by_words",
        "ended_cause", "offers",
    )  # fmt: skip
    readonly_fields = ("complete_by", "wishes", "status_by_words", "offers")
    status_by_words = who("status_by")
    change_list_template = "admin/bookings/waiting_change_list.html"
    actions = ("take_off",)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[WaitingEntry]":
        """With whether a place is held for them just now."""
        is_offered = Exists(PlaceOffer.objects.filter(entry=OuterRef("pk"), status=PlaceOfferStatus.OPEN))
        return super().get_queryset(request).annotate(is_offered=is_offered)

    @admin.display(ordering="referral__complete_by")
    def complete_by(self, entry: WaitingEntry) -> str:
        """The last day they have."""
        return clock.date_words(entry.referral.complete_by)

    @admin.display(description="waits for")
    def wishes(self, entry: WaitingEntry) -> str:
        """What they wait for, in words."""
        modes = [Mode(mode).label for mode in entry.modes]
        days = [clock.WEEKDAYS[day - 1] for day in entry.weekdays]
        venues = [f"{len(entry.venue_ids)} venue(s)"] if entry.venue_ids else []
        return ", ".join([*modes, *venues, *days, *entry.parts]) or "Anything"

    @admin.display(boolean=True, description="place held")
    def has_offer(self, entry: WaitingEntry) -> bool:
        """Whether a place is held for them just now."""
        return bool(getattr(entry, "is_offered", False))

    @admin.display
    def offers(self, entry: WaitingEntry) -> str:
        """What they were offered, and what became of it."""
        offers = PlaceOffer.objects.with_session().filter(entry=entry).order_by("pk")
        return "; ".join(
            f"{clock.moment_words(offer.place.session.starts_at)}: {offer.get_status_display().lower()}"
            for offer in offers
        )

    def get_urls(self) -> list[Any]:
        """Adding somebody has a page of its own."""
        add = self.admin_site.admin_view(self.add_by_telephone)
        return [path("add-by-telephone/", add, name="bookings_waitingentry_telephone"), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with the way to add somebody for who may."""
        extra = {"may_add": request.user.has_perm(CHANGE), **(extra_context or {})}
        return super().changelist_view(request, extra)

    def add_by_telephone(self, request: HttpRequest) -> HttpResponse:
        """Put somebody on the list, as they asked; refused like on their own page."""
        by, now = acting_staff(request, CHANGE), clock.now()
        form = AddForm(request.POST if request.method == "POST" else None)

        def act(given: dict[str, Any]) -> str:
            reference = given["reference"].strip().upper()
            referral = Referral.objects.filter(force=given["force"], reference=reference).first()
            if referral is None:
                raise BookingNotFoundError("There is no offer with this reference.")
            wishes = services.Wishes(
                modes=given["modes"],
                venue_ids=[venue.pk for venue in given["venues"]],
                weekdays=given["weekdays"],
                parts=given["parts"],
            )
            services.join_waiting_list(referral_id=referral.pk, wishes=wishes, by=by, now=now)
            return f"{referral.key} is on the waiting list."

        return act_page(
            self,
            request,
            form=form,
            title="Add somebody to the waiting list",
            act=act,
            back=reverse("admin:bookings_waitingentry_changelist"),
            lead="Waiting costs nothing. Whoever is on the list already waits on, for what is chosen here.",
            button="Add to the waiting list",
        )

    def has_take_off_permission(self, request: HttpRequest) -> bool:
        """Who may take somebody off."""
        return bool(request.user.has_perm(CHANGE))

    @admin.action(description="Take off the waiting list", permissions=["take_off"])
    def take_off(self, request: HttpRequest, queryset: "QuerySet[WaitingEntry]") -> None:
        """Take each chosen one off the list, with the place held for them."""
        by, now = acting_staff(request, CHANGE), clock.now()
        referral_ids = list(queryset.values_list("referral_id", flat=True))
        gone = [
            services.leave_waiting_list(referral_id=referral_id, cause=WaitingCause.STAFF, by=by, now=now)
            for referral_id in referral_ids
        ]
        self.message_user(request, f"{sum(gone)} taken off the waiting list.")
