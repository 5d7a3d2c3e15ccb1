"""Police withdraw an offer by each of their doors: it acts at once, whatever the candidate is doing (scenario 13)."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from audit.context import Actor
from bookings.constants import BookingStatus, CancelCause
from bookings.models import Booking
from courses.constants import PlaceState
from notifications.models import Message
from payments.constants import ChargeStatus
from payments.models import Charge, Refund
from referrals import services
from referrals.constants import ReferralStatus
from referrals.models import Force, Referral, Withdrawal
from tests.factories import bookings as b
from tests.factories import payments as p
from tests.factories import referrals as r
from tests.referrals.files import JOB, import_bytes

REFERENCE = "46TEST0001X"
NOW = r.NOW
FILE = f"force_code,reference,reason,effective_at\n46,{REFERENCE},COURT,\n".encode()
Door = Callable[[Path, Any], None]
pytestmark = pytest.mark.django_db


def desk(folder: Path, settings: Any) -> None:
    """An officer, on their pages."""
    client = Client()
    client.force_login(r.OfficerFactory.create(username="kent").user)
    address = f"/police/referrals/{REFERENCE}/withdraw/"
    assert client.post(address, {"reason": "COURT", "confirmed": "yes"}).status_code == 302


def api(folder: Path, settings: Any) -> None:
    """The force's system."""
    _, token = services.issue_token(
        force=Force.objects.get(pk="46"),
        name="crime system",
        scopes=["referrals"],
        expires_at=NOW + dt.timedelta(days=1),
        by=Actor("staff", "7"),
        now=NOW,
    )
    response = Client().post(
        f"/api/v1/referrals/{REFERENCE}/withdraw/",
        {"reason": "COURT"},
        content_type="application/json",
        headers={"Authorization": f"Bearer {token}"},
    )
    assert response.status_code == 200


def uploaded(folder: Path, settings: Any) -> None:
    """A file of withdrawals."""
    assert import_bytes(FILE, kind="withdrawals", now=NOW).new == 1


def dropped(folder: Path, settings: Any) -> None:
    """The same file, laid into the watched folder."""
    settings.BATCH_DROP_DIR = str(folder)
    (folder / "46").mkdir()
    file = folder / "46" / "withdrawals-20.csv"
    file.write_bytes(FILE)
    # A file is taken once it has lain still for a while by the disk's clock, which nothing stops.
    later = dt.datetime.fromtimestamp(file.stat().st_ctime, dt.UTC) + dt.timedelta(minutes=2)
    assert services.collect_drops(by=JOB, now=later)["received"] == 1
    assert services.import_next_batch(by=JOB, now=later)


def held(referral: Referral) -> Booking:
    return b.ReadyBookingFactory.create(referral=referral)


def paying(referral: Referral) -> Booking:
    """Stripe's page is open."""
    booking = held(referral)
    charge = p.ChargeFactory.create(booking_reference=booking.reference, referral_key=referral.key)
    p.OpenAttemptFactory.create(charge=charge)
    return booking


def paid(referral: Referral) -> Booking:
    Referral.objects.filter(pk=referral.pk).update(status=ReferralStatus.BOOKED, first_booked_at=NOW)
    referral.refresh_from_db()
    booking: Booking = b.ConfirmedBookingFactory.create(referral=referral)
    p.PaidChargeFactory.create(booking_reference=booking.reference, referral_key=referral.key)
    return booking


@pytest.mark.parametrize("door", [desk, api, uploaded, dropped])
@pytest.mark.parametrize(
    ("made", "charges", "refunded"),
    [(held, [], []), (paying, [ChargeStatus.CANCELLED], []), (paid, [ChargeStatus.PAID], [9200])],
)
def test_s13_withdrawn_by_any_door_acts_at_once(
    door: Door,
    made: Callable[[Referral], Booking],
    charges: list[str],
    refunded: list[int],
    tmp_path: Path,
    settings: Any,
    time_machine: Any,
) -> None:
    time_machine.move_to(NOW, tick=False)
    booking = made(r.LiveReferralFactory.create(reference=REFERENCE))
    door(tmp_path, settings)

    booking.refresh_from_db()
    assert (booking.status, booking.cancel_cause) == (BookingStatus.CANCELLED, CancelCause.POLICE)
    assert booking.place.state == PlaceState.RELEASED
    assert booking.place.session.places_claimed == 0
    assert Referral.objects.get().status == ReferralStatus.WITHDRAWN
    assert Withdrawal.objects.get().reason == "COURT"
    assert list(Charge.objects.values_list("status", flat=True)) == charges
    assert list(Refund.objects.values_list("amount_pence", flat=True)) == refunded
    message = Message.objects.get(referral_key=booking.referral.key)
    assert (message.kind, message.context["was_confirmed"]) == ("withdrawn", made is paid)
