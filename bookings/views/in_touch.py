"""How we and the candidate keep in touch: contact details, everything that was sent, feedback."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods

from bookings import messages, selectors, services
from bookings.constants import BookingStatus
from bookings.errors import BookingNotFoundError, BookingStateError, FeedbackGivenError
from bookings.forms import DetailsForm, FeedbackForm
from bookings.models import Booking
from bookings.views import door
from bookings.words import booking_words
from common.clock import moment_words
from notifications import selectors as notifications
from notifications.catalogue import title_of
from notifications.constants import Channel, MessageStatus
from notifications.models import Message

# Nobody is told more often than this about one offer; should it happen, the newest are what matters.
MOST = 100


@require_http_methods(["GET", "POST"])
@door.candidate_page
def contact(request: HttpRequest, visit: door.Visit) -> HttpResponse:
    """Another address or number for everything that is sent from now on."""
    booking = _booked(visit)
    if booking.status != BookingStatus.CONFIRMED:
        raise BookingStateError
    email, mobile = messages.addresses(booking)
    form = DetailsForm(request.POST if request.method == "POST" else None, initial={"email": email, "mobile": mobile})
    if request.method == "POST" and form.is_valid():
        services.change_contact(
            booking_id=booking.pk,
            email=form.cleaned_data["email"],
            mobile=form.cleaned_data["mobile"],
            by=visit.by,
            now=visit.now,
        )
        return redirect(reverse("bookings:manage") + "?contact")
    return render(request, "bookings/contact.html", {"form": form})


@require_GET
@door.candidate_page
def told(request: HttpRequest, visit: door.Visit) -> HttpResponse:
    """Everything that was sent about this offer, newest first."""
    sent = notifications.told(visit.referral.key).defer("body", "context", "attachments")[:MOST]
    return render(request, "bookings/told.html", {"sent": [_words(message) for message in sent]})


@require_GET
@door.candidate_page
def message(request: HttpRequest, visit: door.Visit, pk: int) -> HttpResponse:
    """One message as it was sent."""
    found = notifications.told(visit.referral.key).filter(pk=pk).exclude(sent_at=None).first()
    if found is None:
        raise BookingNotFoundError("We could not find that message.")
    return render(request, "bookings/message.html", {"message": found, "m": _words(found)})


@require_http_methods(["GET", "POST"])
@door.candidate_page
def feedback(request: HttpRequest, visit: door.Visit) -> HttpResponse:
    """Two questions after the course, once."""
    booking = _booked(visit)
    if booking.status not in (BookingStatus.COMPLETED, BookingStatus.NOT_COMPLETED):
        raise BookingStateError("You can tell us how the course was once it is over.")
    if hasattr(booking, "feedback"):
        raise FeedbackGivenError
    form = FeedbackForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        services.give_feedback(
            booking_id=booking.pk,
            rating=form.cleaned_data["rating"],
            words=form.cleaned_data["words"],
            by=visit.by,
            now=visit.now,
        )
        return redirect(reverse("bookings:manage") + "?thanks")
    return render(request, "bookings/feedback.html", {"form": form, "b": booking_words(booking, now=visit.now)})


_STATES = {
    MessageStatus.SENT: "Sent",
    MessageStatus.DEAD: "Could not be delivered",
    MessageStatus.PASSED_ON: "Could not be delivered",
}


def _words(message: Message) -> dict[str, object]:
    return {
        "pk": message.pk,
        "title": title_of(message.kind),
        "how": "Text message" if message.channel == Channel.SMS else "Email",
        "to": message.to,
        "when": moment_words(message.sent_at or message.created_at),
        "state": _STATES.get(MessageStatus(message.status), "On its way"),
        "is_sent": message.sent_at is not None,
    }


def _booked(visit: door.Visit) -> Booking:
    booking = selectors.current_booking(visit.referral)
    if booking is None or booking.confirmed_at is None:
        raise BookingNotFoundError
    return booking
