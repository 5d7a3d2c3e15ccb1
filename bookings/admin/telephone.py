"""Booking by telephone: the candidate's own steps, done by staff through the same services, up to the link."""

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

from accounts.access import client_address
from audit import services as audit
from audit.admin import HistoryAdmin
from audit.context import Actor, because
from bookings import selectors, services
from bookings.constants import BookingStatus, NeedKind
from bookings.forms import normal_email, normal_mobile
from bookings.models import Booking, ConsentText
from bookings.services.telephoning import BY_TELEPHONE
from bookings.words import how_words, places_words
from common import clock
from common.errors import PortalError
from common.money import pounds
from courses.admin.acts import act_page, acting_staff
from courses.constants import Mode
from referrals.constants import BOOKABLE, ReferralStatus
from referrals.models import Referral

CHANGE = "bookings.change_booking"


class SpokenNeedsForm(forms.Form):
    """What they need, as they say it."""

    needs = forms.MultipleChoiceField(
        label="They need",
        required=False,
        choices=NeedKind.choices,
        widget=forms.CheckboxSelectMultiple,
    )
    detail = forms.CharField(
        label="Language, or what else",
        required=False,
        max_length=500,
        help_text="What we have to do, not the reason",
    )

    def told(self) -> dict[str, str]:
        """By kind, with the words that belong to it."""
        speaks = (NeedKind.INTERPRETER, NeedKind.OTHER)
        return {kind: self.cleaned_data["detail"] if kind in speaks else "" for kind in self.cleaned_data["needs"]}


class SpokenForm(forms.Form):
    """How to reach them, and that each text was read out and agreed to."""

    email = forms.CharField(
        required=False, max_length=254, label="Email address", widget=forms.TextInput(attrs={"size": 40})
    )
    mobile = forms.CharField(required=False, max_length=30, label="Mobile number")

    def __init__(self, *args: Any, texts: list[ConsentText], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.texts = texts
        for text in texts:
            self.fields[f"text_{text.pk}"] = forms.BooleanField(
                label=f"Read out and agreed: {text.get_kind_display()} (version {text.version})",
                help_text=f"{text.body} “{text.statement}”",
                error_messages={"required": "They must agree to this before the place can be held"},
            )

    def clean_email(self) -> str:
        """An address that mail can be sent to, or nothing."""
        return normal_email(self.cleaned_data["email"]) if self.cleaned_data["email"].strip() else ""

    def clean_mobile(self) -> str:
        """A telephone number, or nothing."""
        return normal_mobile(self.cleaned_data["mobile"])


class ByTelephone(HistoryAdmin):
    """Mixed into the admin of bookings: the pages of a booking made by telephone."""

    def telephone_urls(self) -> list[URLPattern]:
        """Needs and date; contact and consents; the link again."""
        view = self.admin_site.admin_view
        return [
            path("telephone/<int:referral_id>/", view(self.telephone_view), name="bookings_telephone"),
            path("<int:pk>/read-out/", view(self.read_out_view), name="bookings_read_out"),
            path("<int:pk>/pay-link/", view(self.pay_link_view), name="bookings_pay_link"),
        ]

    def telephone_view(self, request: HttpRequest, referral_id: int) -> HttpResponse:
        """Who rings, what they need, and the dates that fit: choosing one holds it."""
        by, now = acting_staff(request, CHANGE), clock.now()
        referral = get_object_or_404(Referral.objects.select_related("course_type", "force"), pk=referral_id)
        needs = {need.kind: need.detail for need in selectors.needs_of(referral.pk)}
        form = SpokenNeedsForm(
            request.POST if "tell" in request.POST else None,
            initial={"needs": list(needs), "detail": next(filter(None, needs.values()), "")},
        )
        try:
            if form.is_bound and form.is_valid():
                with because(BY_TELEPHONE, on_behalf_of=referral.key):
                    services.tell_needs(referral_id=referral.pk, told=form.told(), by=by, now=now)
                return redirect(request.get_full_path())
            if request.POST.get("session", "").isdecimal():
                return self._hold(referral, int(request.POST["session"][:18]), by)
        except PortalError as error:
            messages.error(request, error.message)
        if request.method == "GET":
            audit.log_access(
                "referral.opened",
                by=by,
                now=now,
                referral_key=referral.key,
                subject=f"referral:{referral.pk}",
                address=client_address(request),
                reason=BY_TELEPHONE,
            )
        how = request.GET.get("how", "") if request.GET.get("how") in Mode.values else ""
        can_book = referral.status in BOOKABLE and clock.london_day(now) <= referral.book_by
        dates = selectors.dates_for(referral, now=now, needs=needs, mode=how) if can_book else []
        context = {
            **self.admin_site.each_context(request),
            "title": f"Book by telephone: {referral.reference}",
            "opts": self.opts,
            "referral": referral,
            "form": form,
            "how": how,
            "modes": Mode.choices,
            "can_book": can_book,
            "is_booked": referral.status == ReferralStatus.BOOKED,
            "dates": [
                {
                    "session": one,
                    "when": clock.moment_words(one.starts_at),
                    "how": how_words(one),
                    "left": places_words(one),
                }
                for one in dates
            ],
        }
        return TemplateResponse(request, "admin/bookings/telephone.html", context)

    def _hold(self, referral: Referral, session_id: int, by: Actor) -> HttpResponse:
        with because(BY_TELEPHONE, on_behalf_of=referral.key):
            booking = services.hold(referral_id=referral.pk, session_id=session_id, by=by, now=clock.now())
        return redirect("admin:bookings_read_out", pk=booking.pk)

    def read_out_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Contact details, and what is read out and agreed to; then the link goes out."""
        by, now = acting_staff(request, CHANGE), clock.now()
        booking = get_object_or_404(Booking.objects.with_session(), pk=pk)
        referral, session = booking.referral, booking.place.session
        until = booking.place.held_until
        if booking.status != BookingStatus.HELD or until is None or until <= now:
            messages.error(request, "The place is no longer held. Choose a date again.")
            return redirect("admin:bookings_telephone", referral_id=referral.pk)
        form = SpokenForm(
            request.POST if request.method == "POST" else None,
            texts=services.texts_needed(booking, now=now),
            initial={"email": booking.email or referral.email, "mobile": booking.mobile or referral.mobile},
        )

        def act(given: dict[str, Any]) -> str:
            link = services.take_by_telephone(
                booking_id=pk,
                email=given["email"],
                mobile=given["mobile"],
                text_ids=[text.pk for text in form.texts],
                by=by,
                now=now,
            )
            return f"The link is on its way. The place is held until {clock.moment_words(link.expires_at)}."

        return act_page(
            self,
            request,
            form=form,
            title=f"{booking.reference}: contact details and consents",
            act=act,
            back=reverse("admin:bookings_booking_change", args=[pk]),
            lead=(
                f"{session.course_type.name}, {clock.moment_words(session.starts_at)}, {how_words(session).lower()}, "
                f"{pounds(booking.fee_pence)}. Held until {clock.time_words(clock.london(until).time())}. "
                "Never take a card number: the candidate pays by the link."
            ),
            button="Send the link to pay by",
        )

    def pay_link_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send the link once more."""
        by = acting_staff(request, CHANGE)
        booking = get_object_or_404(Booking.objects.select_related("pay_link"), pk=pk)

        def act(given: dict[str, Any]) -> str:
            services.send_pay_link(booking_id=pk, by=by, now=clock.now())
            return "The link is on its way again."

        return act_page(
            self,
            request,
            form=forms.Form(request.POST if request.method == "POST" else None),
            title=f"{booking.reference}: send the link again",
            act=act,
            back=reverse("admin:bookings_booking_change", args=[pk]),
            lead="It goes to the address and number of the booking, and is good for no longer than before.",
            button="Send the link again",
        )
