"""The record pack of a booking: complete, without what is nobody's business, and its opening on record."""

import io
import json
import zipfile
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.models import Role, User
from audit.context import Actor
from audit.models import AccessLog
from bookings.models import Booking
from notifications.models import Message
from oversight import record_pack
from payments.models import Dispute
from rosters.models import Attendance, Register
from tests.factories import bookings as b
from tests.factories import payments as f

pytestmark = pytest.mark.django_db
NOW = f.NOW
BY = Actor("staff", "7")


@pytest.fixture
def booking() -> Booking:
    """Taken, paid for, marked as completed, and disputed."""
    made = b.CompletedBookingFactory.create(now=NOW)
    charge = f.PaidChargeFactory.create(
        now=NOW, booking_reference=made.reference, referral_key=made.referral.key, description="Course"
    )
    Dispute.objects.create(
        stripe_dispute_id="du_1", charge=charge, attempt=charge.attempts.get(), reason="fraudulent", amount_pence=9200,
        status="NEEDS_RESPONSE", status_at=NOW, opened_at=NOW, evidence_due_by=NOW,
    )  # fmt: skip
    register = Register.objects.create(session=made.place.session, opened_at=NOW, opened_by="trainer:5")
    Attendance.objects.create(
        register=register, booking=made, mark="COMPLETED", document_kind="PASSPORT", note="private words",
        marked_at=NOW, marked_by="trainer:5",
    )  # fmt: skip
    common = {"kind": "confirmation", "referral_key": made.referral.key, "status": "SENT", "created_at": NOW,
              "send_at": NOW, "sent_at": NOW}  # fmt: skip
    Message.objects.create(**common, to=made.email, dedupe_key="a", subject="Booked", body="Your course is booked")
    Message.objects.create(**common, to="staff@example.org", dedupe_key="b", subject="Need", body="A need of theirs")
    return made


def _open(packed: bytes) -> tuple[dict[str, Any], str]:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.namelist() == ["record.html", "record.json"]
        return json.loads(archive.read("record.json")), archive.read("record.html").decode()


def _build(booking: Booking) -> tuple[dict[str, Any], str]:
    return _open(
        record_pack.build(
            booking_reference=booking.reference, reason="dispute du_1", by=BY, now=NOW, address="192.0.2.1"
        )
    )


def test_it_tells_what_was_booked_agreed_paid_sent_and_attended(booking: Booking) -> None:
    pack, page = _build(booking)
    assert pack["booking"]["reference"] == booking.reference
    assert pack["booking"]["fee"] == "£92.00"
    assert len(pack["consents"]) == booking.consents.count() > 3
    first = booking.consents.select_related("text").order_by("given_at", "pk").first()
    assert first is not None
    assert pack["consents"][0] == {
        "what": first.text.get_kind_display(), "version": first.text.version, "words": first.text.statement,
        "given_at": "10am on Friday 20 November 2026",
    }  # fmt: skip
    (payment,) = pack["payments"]
    assert payment["payments"][0]["card"] == "visa ending 4242"
    assert payment["disputes"][0]["stripe"] == "du_1"
    assert [(message["to"], message["body"]) for message in pack["messages"]] == [
        (booking.email, "Your course is booked")
    ]
    assert (pack["attendance"]["mark"], pack["attendance"]["document"]) == ("Completed", "Passport")
    for words in (booking.reference, "£92.00", "Your course is booked", "visa ending 4242", "Completed, marked at"):
        assert words in page


def test_it_holds_neither_offence_nor_notes_nor_needs(booking: Booking) -> None:
    pack, page = _build(booking)
    everything = json.dumps(pack, ensure_ascii=False) + page
    referral = booking.referral
    for private in (referral.offence_code, "private words", "A need of theirs", referral.vehicle_registration):
        assert private
        assert private not in everything


def test_its_opening_is_recorded(booking: Booking) -> None:
    _build(booking)
    entry = AccessLog.objects.get()
    assert (entry.action, entry.subject, entry.reason) == (
        "booking.record_pack", f"booking:{booking.reference}", "dispute du_1"
    )  # fmt: skip
    assert (entry.actor, entry.referral_key, str(entry.address)) == ("staff:7", booking.referral.key, "192.0.2.1")


def test_one_nobody_booked_leaves_no_trace() -> None:
    with pytest.raises(Booking.DoesNotExist):
        record_pack.build(booking_reference="KCC-0000-0000", reason="", by=BY, now=NOW, address=None)
    assert AccessLog.objects.count() == 0


def test_finance_downloads_it_from_the_dispute(booking: Booking) -> None:
    user: User = User.objects.create_user("finance-test", role=Role.FINANCE, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=["view_dispute", "view_booking"]))
    page = Client()
    page.force_login(user)
    found = Dispute.objects.get()
    address = reverse("admin:payments_dispute_pack", args=[found.pk])
    assert address in page.get(reverse("admin:payments_dispute_change", args=[found.pk])).content.decode()
    answer = page.get(address)
    assert answer["Content-Disposition"] == f'attachment; filename="record-{booking.reference}.zip"'
    assert _open(answer.content)[0]["booking"]["reference"] == booking.reference
    assert AccessLog.objects.get(action="booking.record_pack").actor == f"staff:{user.pk}"
