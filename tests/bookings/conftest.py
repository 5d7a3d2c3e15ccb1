"""What the tests of bookings share: an offer, a session it fits, and somebody signed in with it."""

import datetime as dt
from collections.abc import Callable

import pytest
import time_machine
from django.test import Client

from audit.context import Actor
from audit.models import AuditEvent
from bookings.models import Booking
from bookings.views import door
from courses.models import Place, Session
from notifications.models import Message
from referrals.models import Referral
from tests.factories import courses as c
from tests.factories import referrals as r

NOW = r.NOW
STAFF = Actor("staff", "7")


def candidate(referral: Referral) -> Actor:
    """The candidate as an actor."""
    return Actor("candidate", referral.key)


def claimed(session: Session) -> int:
    """How many places the database counts."""
    return Session.objects.values_list("places_claimed", flat=True).get(pk=session.pk)


def rows() -> tuple[int, int, int, int]:
    """How many bookings, places, events and messages there are: the same before and after a refusal."""
    return Booking.objects.count(), Place.objects.count(), AuditEvent.objects.count(), Message.objects.count()


@pytest.fixture
def referral(db: None) -> Referral:
    """A live offer of NSAC, to be completed by 6 March 2027."""
    return r.LiveReferralFactory.create(reference="46TEST0001X")


@pytest.fixture
def session(db: None) -> Session:
    """An open digital session with nine places, at 9am on Monday 14 December 2026."""
    return c.OpenSessionFactory.create()


@pytest.fixture
def clock_at() -> "Callable[[dt.datetime], time_machine.travel]":
    """Stops the clock of this process: `with clock_at(NOW):`."""
    return lambda moment: time_machine.travel(moment, tick=False)


def sign_in(client: Client, referral: Referral, now: dt.datetime = NOW) -> Client:
    """Bind an offer to a browser's session, as the sign-in page does."""
    session = client.session
    session[door.REFERRAL_ID] = referral.pk
    session[door.REFERRAL_KEY] = referral.key
    session[door.SEEN_AT] = int(now.timestamp())
    session.save()
    return client
