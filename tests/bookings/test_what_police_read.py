"""What an officer reads of an offer: its way to the course, and nothing that KCC alone is controller of."""

import datetime as dt

import pytest
from django.test import Client

from audit.context import Actor
from bookings import services
from bookings.constants import CancelCause, NeedKind
from common import clock
from payments import services as payments
from payments.constants import RefundReason
from payments.models import Charge
from referrals import selectors
from referrals import services as referrals
from tests.factories import bookings as b
from tests.factories import courses as c
from tests.factories import payments as p
from tests.support.people import officer

CLERK = Actor("staff", "7")
pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]


def test_needs_money_and_what_staff_write_about_them_stay_with_kcc(client: Client) -> None:
    now = clock.now()
    session = c.OpenSessionFactory.create(starts_at=now + dt.timedelta(days=20))
    booking = b.ConfirmedBookingFactory.create(now=now, session=session)
    offer = booking.referral
    charge = p.PaidChargeFactory.create(booking_reference=booking.reference, referral_key=offer.key)
    services.tell_needs(referral_id=offer.pk, told={NeedKind.BSL: ""}, by=CLERK, now=now)
    payments.ask_refund(
        charge_id=charge.pk,
        amount_pence=1000,
        reason=RefundReason.GOODWILL,
        note="medical: in hospital",
        policy_pence=0,
        by=CLERK,
        now=now,
    )
    services.cancel(booking_id=booking.pk, cause=CancelCause.CANDIDATE, reason="Too ill to come", by=CLERK, now=now)
    evidence = "Letter from the court seen"
    referrals.extend(
        force_code=offer.force_id,
        reference=offer.reference,
        complete_by=offer.complete_by + dt.timedelta(days=3),
        evidence=evidence,
        by=CLERK,
        now=now,
    )
    story = selectors.story(offer)
    told = {event.action: event.reason for event in story.events}
    assert told["refund.asked"] == "medical: in hospital"
    assert told["booking.cancelled"] == "Too ill to come"
    assert {"needs.told", "refund.asked", "booking.cancelled", "referral.live", "referral.extended"} <= set(told)

    user = officer(offer.force_id)
    client.force_login(user)
    page = client.get(f"/police/referrals/{offer.reference}/").text
    for words in ("The booking was cancelled by the candidate.", "Nothing is booked any more", evidence):
        assert words in page
    for words in ("hospital", "Too ill", "need to take part", "Refund of", "medical"):
        assert words not in page
    assert Charge.objects.get().refunded_pence > 0
