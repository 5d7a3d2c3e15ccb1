"""Bookings: everything is read here; what may be done is done by a service."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse

from accounts.access import client_address
from audit import services as audit
from audit.columns import who
from audit.middleware import actor_of
from audit.models import AuditEvent
from bookings import services
from bookings.admin.moves import MoveInline, Moving
from bookings.admin.telephone import ByTelephone
from bookings.constants import BookingStatus, CancelCause, Evidence
from bookings.models import Booking, Consent, PayLink
from common import clock
from common.identifiers import normalise_booking_reference
from common.money import pounds, pounds_and_pence
from courses.admin.acts import Read, act_page, acting_staff
from payments.admin.common import parts_words
from payments.models import Charge, RefundLimit

CHANGE = "bookings.change_booking"


class CancelForm(forms.Form):
    """For whom, and why; the policy decides what goes back unless KCC cancels or there is evidence."""

    cause = forms.ChoiceField(
        label="Who cancels",
        choices=[(CancelCause.CANDIDATE, "The candidate"), (CancelCause.KCC, "KCC: everything goes back")],
    )
    evidence = forms.ChoiceField(
        required=False,
        choices=[("", "None: the policy decides"), *Evidence.choices],
        help_text="Gives everything back, once a second person has agreed. Only its kind is recorded, never the "
        "evidence",
    )
    reason = forms.CharField(max_length=200, help_text="It is kept with the change")


class ConsentInline(Read, admin.TabularInline):  # type: ignore[type-arg]
    """What the candidate agreed to."""

    model = Consent
    fields = ("text", "given_at")


@admin.register(Booking)
class BookingAdmin(Read, Moving, ByTelephone):
    """Bookings, found by their reference or the police's."""

    list_display = ("reference", "referral", "session", "status", "fee", "confirmed_at", "created_at")
    list_filter = ("status", "cancel_cause", "place__session__course_type")
    list_select_related = ("referral", "place__session__course_type")
    search_fields = ("=reference", "=referral__reference")
    search_help_text = "Booking (KCC-XXXX-XXXX) or the police's reference"
    ordering = ("-pk",)
    fields = (
        "reference", "referral", "session", "status", "status_at", "status_by_words", "created_at", "confirmed_at",
        "cancel_cause", "held_until", "extensions", "email", "mobile", "pay_link_state", "fee", "parts", "policy",
    )  # fmt: skip
    readonly_fields = ("session", "status_by_words", "fee", "parts", "held_until", "pay_link_state")
    status_by_words = who("status_by")
    inlines = (ConsentInline, MoveInline)
    change_form_template = "admin/bookings/booking_change_form.html"

    @admin.display(ordering="place__session__starts_at")
    def session(self, booking: Booking) -> str:
        """Course and time."""
        session = booking.place.session
        return f"{session.course_type.code}, {clock.moment_words(session.starts_at)}"

    @admin.display(ordering="fee_pence")
    def fee(self, booking: Booking) -> str:
        """What it was sold for."""
        return pounds_and_pence(booking.fee_pence)

    @admin.display(description="made of")
    def parts(self, booking: Booking) -> str:
        """The parts of the fee it was sold under."""
        return parts_words(booking.fee_parts, amount_pence=booking.fee_pence)

    @admin.display
    def held_until(self, booking: Booking) -> str:
        """When the hold ends."""
        until = booking.place.held_until
        return clock.moment_words(until) if until else ""

    @admin.display(description="link to pay by")
    def pay_link_state(self, booking: Booking) -> str:
        """When it was sent, how often, and where it stands."""
        link = PayLink.objects.filter(booking=booking).first()
        if link is None:
            return "Not sent"
        words = f"Sent {clock.moment_words(link.sent_at)}" + (
            f", {link.times_sent} times" if link.times_sent > 1 else ""
        )
        if booking.confirmed_at is not None:
            return f"{words}. Paid {clock.moment_words(booking.confirmed_at)}"
        if booking.status == BookingStatus.HELD and link.expires_at > clock.now():
            return f"{words}. Not paid yet; the place is held until {clock.moment_words(link.expires_at)}"
        return f"{words}. Ended {clock.moment_words(link.expires_at)} without payment"

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Booking]", search_term: str
    ) -> "tuple[QuerySet[Booking], bool]":
        """A reference is found however it was typed."""
        term = normalise_booking_reference(search_term) or search_term.strip().upper()
        return super().get_search_results(request, queryset, term)

    def get_urls(self) -> list[Any]:
        """Cancelling and moving have pages of their own, and booking by telephone has some."""
        cancel = self.admin_site.admin_view(self.cancel_view)
        own = [path("<int:pk>/cancel/", cancel, name="bookings_booking_cancel"), *self.move_urls()]
        return [*own, *self.telephone_urls(), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """A booking with what happened to it; that it is opened is recorded."""
        extra = dict(extra_context or {})
        booking = self.get_object(request, object_id)
        by = actor_of(request)
        if booking is not None and by is not None and self.has_view_permission(request, booking):
            audit.log_access(
                "booking.opened",
                by=by,
                now=clock.now(),
                referral_key=booking.referral.key,
                subject=f"booking:{booking.reference}",
                address=client_address(request),
            )
            extra["events"] = AuditEvent.objects.filter(referral_key=booking.referral.key).order_by("pk")
            paid_for = Charge.objects.filter(booking_reference=booking.reference).values_list("pk", flat=True)
            extra["charges"] = paid_for if request.user.has_perm("payments.view_charge") else []
            extra["may_cancel"] = booking.is_live and request.user.has_perm(CHANGE)
            extra["may_go_on"] = booking.status == BookingStatus.HELD and request.user.has_perm(CHANGE)
            extra["has_link"] = PayLink.objects.filter(booking=booking).exists()
            extra["may_move"] = booking.status == BookingStatus.CONFIRMED and request.user.has_perm(CHANGE)
        return super().change_view(request, object_id, form_url, extra)

    def cancel_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Cancel, with what would go back in sight."""
        by, now = acting_staff(request, CHANGE), clock.now()
        booking = get_object_or_404(Booking.objects.with_session(), pk=pk)
        form = CancelForm(request.POST if request.method == "POST" else None)

        def act(given: dict[str, Any]) -> str:
            refund = services.cancel(
                booking_id=pk,
                cause=CancelCause(given["cause"]),
                reason=given["reason"],
                evidence=given["evidence"],
                by=by,
                now=now,
            )
            then = " once a second person has agreed" if refund.is_waiting else ""
            return f"{booking.reference} is cancelled. {pounds(refund.pence)} goes back{then}."

        by_policy = services.refund_on_cancel(booking, cause=CancelCause.CANDIDATE, now=now).pence
        all_of_it = services.refund_on_cancel(booking, cause=CancelCause.KCC, now=now).pence
        limit = RefundLimit.objects.on(clock.london_day(now)).over_pence
        return act_page(
            self,
            request,
            form=form,
            title=f"Cancel {booking.reference}",
            act=act,
            back=reverse("admin:bookings_booking_change", args=[pk]),
            lead=f"By the policy {pounds(by_policy)} goes back; if KCC cancels or with evidence {pounds(all_of_it)}. "
            "A second person must agree before a refund with evidence is sent, and where KCC cancels before one above "
            f"{pounds(limit)}.",
            button="Cancel the booking",
        )
