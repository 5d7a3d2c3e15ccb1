"""Staff read bookings, and cancel them through the service, with a reason."""

import datetime as dt

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.models import Role, User
from audit.models import AccessLog, AuditEvent
from bookings.constants import BookingStatus, CancelCause, NeedStatus
from bookings.models import Booking
from common import clock
from notifications.models import Message
from payments.models import Charge, Refund
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


def test_a_booking_and_its_payment_lead_to_each_other(staff: Client, booking: Booking) -> None:
    charge = Charge.objects.get(booking_reference=booking.reference)
    its_page = reverse("admin:bookings_booking_change", args=[booking.pk])
    payments = reverse("admin:payments_charge_change", args=[charge.pk])
    assert f'<a href="{payments}">Payment</a>' in staff.get(its_page).text
    assert f'<a href="{its_page}">Booking</a>' in staff.get(payments).text
    for address in (its_page, payments):
        text = staff.get(address).text
        assert "Police cost recovery £45.00, UKROEd levy £3.00, VAT £0.00, KCC £44.00" in text


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


@pytest.mark.parametrize("chosen", [(CancelCause.CANDIDATE, "HOSPITAL"), (CancelCause.KCC, "")])
def test_a_clerk_cancels_and_somebody_of_finance_agrees_before_money_is_sent(
    client: Client, chosen: tuple[str, str]
) -> None:
    now = clock.now()
    made = b.ConfirmedBookingFactory.create(
        now=now, session=c.OpenSessionFactory.create(starts_at=now + dt.timedelta(days=2))
    )
    parts = {"police": 4500, "levy": 300, "vat": 0, "provider": 13700}
    p.PaidChargeFactory.create(booking_reference=made.reference, amount_pence=18500, parts=parts)
    clerk, finance = (
        User.objects.create_user(role.lower(), password="demo", role=role, is_staff=True)
        for role in (Role.CLERK, Role.FINANCE)
    )
    clerk.user_permissions.add(*Permission.objects.filter(codename__in=("view_booking", "change_booking")))
    finance.user_permissions.add(*Permission.objects.filter(codename__in=("view_refund", "change_refund")))
    client.force_login(clerk)
    url = reverse("admin:bookings_booking_cancel", args=[made.pk])
    assert "A second person must agree" in client.get(url).content.decode()
    cause, evidence = chosen
    done = client.post(url, {"cause": cause, "evidence": evidence, "reason": "Said so"}, follow=True)
    assert f"{made.reference} is cancelled. £185 goes back once a second person has agreed." in done.content.decode()
    made.refresh_from_db()
    refund = Refund.objects.get()
    assert (made.status, refund.amount_pence, refund.status) == ("CANCELLED", 18500, "WAITING")
    client.force_login(finance)
    client.post(reverse("admin:payments_refund_act", args=[refund.pk, "approve"]), {"note": "Seen"})
    refund.refresh_from_db()
    assert (refund.status, refund.decided_by) == ("REQUESTED", f"staff:{finance.pk}")


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


# --- Moving ------------------------------------------------------------------------------------------------------
def move_url(booking: Booking) -> str:
    return reverse("admin:bookings_booking_move", args=[booking.pk])


def test_a_booking_is_moved_to_a_date_that_fits_with_a_reason(staff: Client, booking: Booking) -> None:
    start = booking.place.session.starts_at
    fits = c.OpenSessionFactory.create(starts_at=start + dt.timedelta(days=7))
    full = c.OpenSessionFactory.create(starts_at=start + dt.timedelta(days=8), capacity=1)
    c.TakenPlaceFactory.create(session=full)
    late = c.OpenSessionFactory.create(starts_at=start + dt.timedelta(days=200))
    assert "Move</a>" in staff.get(reverse("admin:bookings_booking_change", args=[booking.pk])).content.decode()
    page = staff.get(move_url(booking)).content.decode()
    assert f'value="{fits.pk}"' in page
    assert "By the policy: nothing" in page
    for other in (full, late, booking.place.session):
        assert f'value="{other.pk}"' not in page
    before = AuditEvent.objects.count()
    for given in (
        {"session": fits.pk, "fee": "", "reason": ""},
        {"session": late.pk, "fee": "", "reason": "They rang"},
        {"session": "", "fee": "OURS", "reason": "They rang"},
    ):
        assert staff.post(move_url(booking), given).status_code == 200
    assert AuditEvent.objects.count() == before
    assert (
        staff.post(move_url(booking), {"session": fits.pk, "fee": "HOSPITAL", "reason": "In hospital"}).status_code
        == 302
    )
    booking.refresh_from_db()
    event = AuditEvent.objects.get(action="booking.moved")
    assert (booking.place.session_id, event.reason, event.data["rule"]) == (fits.pk, "In hospital", "WAIVED")
    page = staff.get(reverse("admin:bookings_booking_change", args=[booking.pk])).content.decode()
    assert "Waived, with evidence" in page


def test_a_fee_is_told_to_the_candidate_never_taken_by_staff(staff: Client, booking: Booking) -> None:
    soon = c.OpenSessionFactory.create(starts_at=clock.now() + dt.timedelta(days=3))
    Booking.objects.filter(pk=booking.pk).update(
        place=c.TakenPlaceFactory.create(session=soon, holder=booking.referral.key)
    )
    wanted = c.OpenSessionFactory.create(starts_at=clock.now() + dt.timedelta(days=9))
    page = staff.get(move_url(booking)).content.decode()
    assert "By the policy: £25, they are told how to pay" in page
    told = staff.post(move_url(booking), {"session": wanted.pk, "fee": "", "reason": "They rang"}, follow=True)
    assert "They are told how to pay £25." in told.content.decode()
    booking.refresh_from_db()
    assert (booking.place.session_id, Message.objects.get().kind) == (soon.pk, "move_to_pay")


def test_only_who_may_change_bookings_moves_them(client: Client, booking: Booking) -> None:
    client.force_login(User.objects.create_user("clerk", password="demo", role=Role.CLERK, is_staff=True))
    assert client.get(move_url(booking)).status_code == 403
