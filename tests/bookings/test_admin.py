"""Staff read bookings, and cancel them through the service, with a reason."""

import datetime as dt

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import Role, User
from audit.models import AccessLog, AuditEvent
from bookings.constants import BookingStatus, CancelCause, NeedStatus
from bookings.models import Booking
from common import clock
from payments.models import Refund
from tests.factories import bookings as b
from tests.factories import courses as c
from tests.factories import payments as p

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]


@pytest.fixture
def staff(client: Client) -> Client:
    user = User.objects.create_user("manager", password="demo", role=Role.MANAGER, is_staff=True, is_superuser=True)
    client.force_login(user)
    return client


@pytest.fixture
def booking() -> Booking:
    now = clock.now()
    made = b.ConfirmedBookingFactory.create(
        now=now, session=c.OpenSessionFactory.create(starts_at=now + dt.timedelta(days=20))
    )
    p.PaidChargeFactory.create(booking_reference=made.reference)
    return made


def test_a_booking_is_found_however_its_reference_is_typed(staff: Client, booking: Booking) -> None:
    other = b.BookingFactory.create()
    for typed in (booking.reference.lower().replace("-", " "), booking.referral.reference):
        page = staff.get(reverse("admin:bookings_booking_changelist"), {"q": typed}).content.decode()
        assert booking.reference in page
        assert other.reference not in page


def test_opening_one_is_recorded(staff: Client, booking: Booking) -> None:
    page = staff.get(reverse("admin:bookings_booking_change", args=[booking.pk])).content.decode()
    assert booking.reference in page
    entry = AccessLog.objects.get(subject=f"booking:{booking.reference}")
    assert (entry.action, entry.referral_key) == ("booking.opened", booking.referral.key)


def test_nothing_can_be_changed_past_the_services(staff: Client, booking: Booking) -> None:
    url = reverse("admin:bookings_booking_change", args=[booking.pk])
    assert staff.post(url, {"status": "CANCELLED"}).status_code == 403
    assert staff.post(reverse("admin:bookings_booking_delete", args=[booking.pk]), {"post": "yes"}).status_code == 403
    booking.refresh_from_db()
    assert booking.status == BookingStatus.CONFIRMED


def test_cancel_shows_what_goes_back_and_needs_a_reason(staff: Client, booking: Booking) -> None:
    url = reverse("admin:bookings_booking_cancel", args=[booking.pk])
    assert "By the policy £92 goes back" in staff.get(url).content.decode()
    assert staff.post(url, {"cause": CancelCause.KCC, "evidence": "", "reason": ""}).status_code == 200
    assert Refund.objects.count() == 0
    assert staff.post(url, {"cause": CancelCause.KCC, "evidence": "", "reason": "Our mistake"}).status_code == 302
    booking.refresh_from_db()
    event = AuditEvent.objects.get(action="booking.cancelled")
    assert (booking.status, booking.cancel_cause, Refund.objects.get().amount_pence) == ("CANCELLED", "KCC", 9200)
    assert (event.reason, event.actor.split(":")[0]) == ("Our mistake", "staff")
    again = staff.post(url, {"cause": CancelCause.KCC, "evidence": "", "reason": "Again"})
    assert "no longer in a state" in again.content.decode()
    assert Refund.objects.count() == 1


def test_needs_are_recorded_as_arranged(staff: Client) -> None:
    need = b.NeedFactory.create()
    staff.post(reverse("admin:bookings_need_changelist"), {"action": "arrange", "_selected_action": [need.pk]})
    need.refresh_from_db()
    assert (need.status, need.arranged_by.split(":")[0]) == (NeedStatus.ARRANGED, "staff")


@pytest.mark.parametrize("model", ["booking", "consenttext", "need", "policy"])
def test_lists_and_histories_open(staff: Client, model: str, booking: Booking) -> None:
    b.NeedFactory.create()
    assert staff.get(reverse(f"admin:bookings_{model}_changelist")).status_code == 200
    assert staff.get(reverse("admin:bookings_booking_history", args=[booking.pk])).status_code == 200
