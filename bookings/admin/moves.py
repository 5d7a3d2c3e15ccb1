"""Moving a booking for a candidate who rings, or for KCC: the same service as theirs, and never past complete by."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse

from audit.admin import HistoryAdmin
from bookings import selectors, services
from bookings.constants import Evidence, MoveRule, MoveStatus
from bookings.models import Booking, ConsentText, Move
from bookings.words import how_words, places_words
from common import clock
from common.money import pounds
from courses.admin.acts import Read, act_page, acting_staff
from courses.constants import Mode
from courses.models import Session

CHANGE = "bookings.change_booking"
# Some weeks of a busy course; who wants a later date is moved nearer to it.
MOST_DATES = 300


class MoveForm(forms.Form):
    """Where to, what it costs them, and why. What a digital course needs agreed to is read out where it never was."""

    session = forms.TypedChoiceField(label="New date", coerce=int)
    fee = forms.ChoiceField(label="What they pay", help_text="Of evidence only the kind is recorded")
    reason = forms.CharField(max_length=200, help_text="It is kept with the change")

    def __init__(
        self, *args: Any, dates: list[tuple[int, str]], policy: str, texts: list[ConsentText], **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self.texts = texts
        self.fields["session"].choices = [("", "Choose a date"), *dates]  # type: ignore[attr-defined]
        self.fields["fee"].choices = [  # type: ignore[attr-defined]
            ("", policy),
            *((kind.value, f"Nothing: {kind.label.lower()} evidence was seen") for kind in Evidence),
            (MoveRule.OURS.value, "Nothing: it is KCC that asks for the move"),
        ]
        self.fields["fee"].required = False
        for text in texts:
            self.fields[f"text_{text.pk}"] = forms.BooleanField(
                label=f"Read out and agreed: {text.get_kind_display()} (version {text.version})",
                help_text=f"For an online course. {text.body} “{text.statement}”",
                required=False,
            )

    @property
    def agreed(self) -> list[int]:
        """The texts that were agreed to."""
        return [text.pk for text in self.texts if self.cleaned_data[f"text_{text.pk}"]]


class MoveInline(Read, admin.TabularInline):  # type: ignore[type-arg]
    """The moves of a booking, whatever became of them."""

    model = Move
    fk_name = "booking"
    fields = ("moved_from", "moved_to", "status", "status_at", "rule", "fee", "evidence")
    readonly_fields = ("moved_from", "moved_to", "fee")

    def get_queryset(self, request: HttpRequest) -> Any:
        """With both their sessions."""
        return super().get_queryset(request).select_related("from_place__session", "place__session").order_by("pk")

    @admin.display(description="from")
    def moved_from(self, move: Move) -> str:
        """When the old course starts."""
        return clock.moment_words(move.from_place.session.starts_at)

    @admin.display(description="to")
    def moved_to(self, move: Move) -> str:
        """When the new course starts."""
        return clock.moment_words(move.place.session.starts_at)

    @admin.display
    def fee(self, move: Move) -> str:
        """What it costs."""
        return pounds(move.fee_pence) if move.fee_pence else "free"


class Moving(HistoryAdmin):
    """Mixed into the admin of bookings: the page on which one is moved."""

    def move_urls(self) -> list[URLPattern]:
        """One page."""
        return [path("<int:pk>/move/", self.admin_site.admin_view(self.move_view), name="bookings_booking_move")]

    def move_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Choose the date, the fee and the reason."""
        by, now = acting_staff(request, CHANGE), clock.now()
        booking = get_object_or_404(Booking.objects.with_session(), pk=pk)
        quote = services.quote_move(booking, now=now)
        needs = {need.kind for need in selectors.needs_of(booking.referral_id)}
        dates = selectors.dates_for(booking.referral, now=now, moving=booking, most=MOST_DATES)
        form = MoveForm(
            request.POST if request.method == "POST" else None,
            dates=[(one.pk, _words(one, needs)) for one in dates],
            policy=f"By the policy: {pounds(quote.pence)}, they are told how to pay"
            if quote.pence
            else "By the policy: nothing",
            texts=services.texts_to_join(booking, now=now),
        )

        def act(given: dict[str, Any]) -> str:
            is_ours = given["fee"] == MoveRule.OURS
            move = services.move_by_staff(
                booking_id=pk,
                session_id=given["session"],
                reason=given["reason"],
                rule=MoveRule.OURS if is_ours else MoveRule.WAIVED if given["fee"] else None,
                evidence="" if is_ours else given["fee"],
                text_ids=form.agreed,
                by=by,
                now=now,
            )
            when = clock.moment_words(move.place.session.starts_at)
            if move.status == MoveStatus.DONE:
                return f"{booking.reference} is moved to {when}."
            assert move.place.held_until is not None
            until = clock.moment_words(move.place.held_until)
            return f"{when} is held until {until}. They are told how to pay {pounds(move.fee_pence)}."

        session = booking.place.session
        return act_page(
            self,
            request,
            form=form,
            title=f"Move {booking.reference}",
            act=act,
            back=reverse("admin:bookings_booking_change", args=[pk]),
            lead=(
                f"Booked on {clock.moment_words(session.starts_at)}, {how_words(session).lower()}. To be completed by "
                f"{clock.day_words(booking.referral.complete_by)}: no later date is shown. Never take a card number."
            ),
            button="Move the booking",
        )


def _words(session: Session, needs: set[str]) -> str:
    """A date as staff read it out."""
    where = session.room.venue.name if session.room and session.mode != Mode.DIGITAL else "online"
    unfit = "" if selectors.is_fit(session, needs) else " · does not fit what they need"
    return f"{clock.moment_words(session.starts_at)} · {where} · {places_words(session)}{unfit}"
