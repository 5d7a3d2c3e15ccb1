"""What candidates do: sign in, choose a date, give details, agree, pay, cancel. Each is the portal's own service."""

import datetime as dt
import random
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from django.conf import settings

from audit.context import Actor, acting
from bookings import services as bookings
from bookings.constants import NeedKind
from bookings.models import Booking
from common.clock import london_day
from courses.errors import NoPlaceLeftError, SessionNotOpenError
from devtools.demo.offers import Offer
from devtools.demo.timetable import Lesson
from devtools.stripe_sandbox.testing import Sandbox, ThreeDs
from payments import services as payments
from payments.models import Attempt

GOOD_CARD, DECLINED_CARD, SECURE_CARD = "4242424242424242", "4000000000000002", "4000000000003220"
MINUTE = dt.timedelta(minutes=1)


class Payer:
    """Stripe's sandbox on the story's time: its clock follows, and its webhooks stay at home.

    No web is up yet to hear them, and it would believe none so old; payments are settled by asking Stripe.
    """

    def __init__(self, url: str) -> None:
        """`url` is the sandbox's address; it runs already."""
        port = int(url.rsplit(":", 1)[1].strip("/"))
        self.sandbox = Sandbox(port=port, db=Path("not-ours"))

    def __enter__(self) -> Self:
        """Keep webhooks from being sent."""
        self.sandbox.control("webhooks", drop=True)
        return self

    def __exit__(self, *_: object) -> None:
        """Back to the real clock, and webhooks go again."""
        self.sandbox.control("clock", reset=True)
        self.sandbox.control("webhooks", reset=True)

    def is_now(self, now: dt.datetime) -> None:
        """Set the sandbox's clock."""
        self.sandbox.control("clock", now=now.isoformat())

    def pay(self, attempt: Attempt, *, email: str, name: str, card: str, three_ds: ThreeDs = "approve") -> str:
        """Fill in Stripe's page; how it ended ("paid", "declined", …)."""
        return self.sandbox.pay(attempt.url, card, three_ds, email=email, name=name).outcome


@dataclass
class Candidates:
    """Everybody who holds an offer, and where they are booked."""

    payer: Payer
    rng: random.Random
    lessons: list[Lesson]
    booked: dict[str, tuple[Booking, Lesson]] = field(default_factory=dict)

    def choose(
        self, offer: Offer, *, now: dt.datetime, until: dt.datetime, earliest: dt.datetime | None = None
    ) -> Lesson | None:
        """A session of the offer's course with a place left that ends by `until` and within the offer's time."""
        first = earliest or now + dt.timedelta(hours=30)
        fit = [
            lesson
            for lesson in self.lessons
            if lesson.code == offer.course
            and not lesson.name
            and first < lesson.starts_at
            and lesson.ends_at <= until
            and london_day(lesson.ends_at) <= offer.complete_by
            and lesson.has_place
        ]
        # Most take the first date there is; some look further.
        return None if not fit else fit[0] if self.rng.random() < 0.6 else self.rng.choice(fit[:25])

    def named(self, name: str) -> Lesson:
        """The session with a name of its own."""
        return next(lesson for lesson in self.lessons if lesson.name == name)

    # --- Steps -------------------------------------------------------------------------------------------------
    def hold(self, offer: Offer, lesson: Lesson, *, now: dt.datetime, is_signed_in: bool = False) -> Booking | None:
        """Sign in, choose the date, say how to be reached. None where the place or the time to book is gone."""
        by = self.actor(offer)
        with acting(by):
            if not is_signed_in:
                address = f"192.0.2.{self.rng.randint(1, 254)}"
                bookings.sign_in(reference=offer.reference, pin=offer.pin, address=address, now=now)
            try:
                booking = bookings.hold(referral_id=offer.referral_id, session_id=lesson.pk, by=by, now=now + MINUTE)
            except (NoPlaceLeftError, SessionNotOpenError):
                return None
            lesson.taken += 1
            email = offer.person.email or f"{offer.reference.lower()}@example.org"
            return bookings.give_details(
                booking_id=booking.pk, email=email, mobile=offer.person.mobile, by=by, now=now + 2 * MINUTE
            )

    def go_to_payment(self, offer: Offer, booking: Booking, *, now: dt.datetime) -> Attempt:
        """Agree to everything and open Stripe's page."""
        by = self.actor(offer)
        self.payer.is_now(now)
        with acting(by):
            texts = bookings.texts_needed(booking, now=now)
            bookings.give_consents(booking_id=booking.pk, text_ids=[text.pk for text in texts], by=by, now=now)
            return bookings.start_payment(
                booking_id=booking.pk,
                success_url=f"{settings.SITE_URL}/booking/paid/",
                cancel_url=f"{settings.SITE_URL}/booking/check/",
                by=by,
                now=now,
            )

    def book(self, offer: Offer, lesson: Lesson | None, *, now: dt.datetime) -> Booking | None:
        """The whole way to a confirmed booking; None where there was no place."""
        booking = self.hold(offer, lesson, now=now) if lesson else None
        if booking is None or lesson is None:
            return None
        now += 4 * MINUTE
        attempt = self.go_to_payment(offer, booking, now=now)
        draw = self.rng.random()
        name = f"{offer.person.forenames} {offer.person.surname}"
        if draw < 0.08:
            self.payer.pay(attempt, email=booking.email, name=name, card=DECLINED_CARD)
        card = SECURE_CARD if draw > 0.9 else GOOD_CARD
        outcome = self.payer.pay(attempt, email=booking.email, name=name, card=card)
        payments.refresh_charge(charge_id=attempt.charge_id, now=now + 2 * MINUTE)
        booking.refresh_from_db()
        if outcome != "paid" or booking.confirmed_at is None:
            raise RuntimeError(f"{offer.key} paid ({outcome}) and was not confirmed: {booking.status}")
        self.booked[offer.key] = booking, lesson
        return booking

    def move(self, offer: Offer, *, now: dt.datetime) -> None:
        """Change the date, free of charge, to the next one of its kind; nothing where there is none."""
        booking, lesson = self.booked[offer.key]
        later = (
            one
            for one in self.lessons
            if (one.code, one.town, one.name) == (lesson.code, lesson.town, "")
            and one.starts_at > lesson.starts_at
            and london_day(one.ends_at) <= offer.complete_by
            and one.has_place
        )
        wanted = next(later, None)
        booking = Booking.objects.with_session().get(pk=booking.pk)
        if wanted is None or bookings.quote_move(booking, now=now).pence:
            return
        by = self.actor(offer)
        with acting(by):
            move = bookings.hold_move(booking_id=booking.pk, session_id=wanted.pk, by=by, now=now)
            bookings.confirm_move(move_id=move.pk, by=by, now=now + 2 * MINUTE)
        lesson.taken -= 1
        wanted.taken += 1
        self.booked[offer.key] = booking, wanted

    def cancel(self, offer: Offer, *, now: dt.datetime) -> None:
        """Cancel what is booked."""
        booking, lesson = self.booked.pop(offer.key)
        by = self.actor(offer)
        with acting(by):
            bookings.cancel(booking_id=booking.pk, by=by, now=now)
        lesson.taken -= 1

    def forget(self, offers: Iterable[Offer]) -> None:
        """Their places were given back by somebody else."""
        for offer in offers:
            if offer.key in self.booked:
                _, lesson = self.booked.pop(offer.key)
                lesson.taken -= 1

    @staticmethod
    def actor(offer: Offer) -> Actor:
        """As the record names the candidate."""
        return Actor("candidate", offer.key)


def tell_need(offer: Offer, kind: NeedKind, *, by: Actor, now: dt.datetime) -> None:
    """A need told to the clerk by telephone."""
    with acting(by, reason="Told by telephone"):
        bookings.tell_needs(referral_id=offer.referral_id, told={kind: ""}, by=by, now=now)
