"""A booking in each state, with the place and the referral that belong to it."""

import datetime as dt
from typing import Any

import factory
from factory.django import DjangoModelFactory

from bookings.constants import (
    BookingStatus,
    CancelCause,
    ConsentKind,
    LatePaymentStatus,
    MoveRule,
    MoveStatus,
    NeedKind,
    NeedStatus,
    WaitingCause,
    WaitingStatus,
)
from bookings.models import (
    Booking,
    Consent,
    ConsentText,
    LatePayment,
    Move,
    Need,
    PlaceOffer,
    Policy,
    WaitingEntry,
)
from common.clock import london_day
from common.identifiers import new_booking_reference
from courses.models import Place, Session
from payments.constants import ChargeStatus, Purpose
from referrals.models import Referral
from tests.factories import courses as c
from tests.factories import payments as p
from tests.factories import referrals as r

NOW = r.NOW
FEE_PARTS = {"police": 4500, "levy": 300, "vat": 0, "provider": 4400}
DIGITAL_CONSENTS = tuple(ConsentKind.values)
CLASSROOM_CONSENTS = tuple(kind for kind in ConsentKind.values if kind != ConsentKind.DIGITAL)


class BookingFactory(DjangoModelFactory[Booking]):
    """Held, `now` being the moment of the hold, no details given. `session`, `referral` and `place` may be given."""

    class Meta:
        model = Booking
        exclude = ("now", "session", "place_factory")

    now: Any = NOW
    session = factory.LazyFunction(c.OpenSessionFactory.create)
    place_factory: Any = c.HeldPlaceFactory
    referral: Any = factory.LazyAttribute(
        lambda booking: r.LiveReferralFactory.create(now=booking.now, course_type=booking.session.course_type)
    )
    place = factory.LazyAttribute(
        lambda booking: booking.place_factory.create(
            session=booking.session, holder=booking.referral.key, claimed_at=booking.now
        )
    )
    reference = factory.LazyFunction(new_booking_reference)
    status: Any = BookingStatus.HELD
    status_at = factory.SelfAttribute("now")
    status_by = factory.LazyAttribute(lambda booking: f"candidate:{booking.referral.key}")
    created_at = factory.SelfAttribute("now")
    policy = factory.LazyAttribute(lambda booking: Policy.objects.on(london_day(booking.now)))
    fee_pence = 9200
    fee_parts = factory.LazyFunction(lambda: dict(FEE_PARTS))


class ReadyBookingFactory(BookingFactory):
    """Held, with contact details and all consents given: nothing is left to do but pay."""

    email = factory.LazyAttribute(lambda booking: booking.referral.email or "candidate@example.org")
    mobile = "07700900123"
    details_at = factory.SelfAttribute("now")

    @classmethod
    def _create(cls, model_class: type[Booking], *args: Any, **kwargs: Any) -> Booking:
        booking = super()._create(model_class, *args, **kwargs)
        session: Session = booking.place.session
        kinds = CLASSROOM_CONSENTS if session.room_id else DIGITAL_CONSENTS
        Consent.objects.bulk_create(
            Consent(booking=booking, text=text, given_at=booking.created_at)
            for text in ConsentText.objects.filter(kind__in=kinds)
        )
        return booking


class ConfirmedBookingFactory(ReadyBookingFactory):
    """Confirmed at `now`; the charge and its payment are `tests.factories.payments`'."""

    place_factory = c.TakenPlaceFactory
    referral = factory.LazyAttribute(
        lambda booking: r.BookedReferralFactory.create(now=booking.now, course_type=booking.session.course_type)
    )
    status = BookingStatus.CONFIRMED
    confirmed_at = factory.SelfAttribute("now")


class LapsedBookingFactory(ReadyBookingFactory):
    """The hold ran out; the place is released."""

    place_factory = c.ReleasedPlaceFactory
    status = BookingStatus.LAPSED


class CancelledBookingFactory(LapsedBookingFactory):
    """Cancelled by the candidate after it was confirmed."""

    status = BookingStatus.CANCELLED
    cancel_cause = CancelCause.CANDIDATE
    confirmed_at = factory.SelfAttribute("now")


class CompletedBookingFactory(ConfirmedBookingFactory):
    """The course was taken."""

    referral = factory.LazyAttribute(
        lambda booking: r.CompletedReferralFactory.create(now=booking.now, course_type=booking.session.course_type)
    )
    status = BookingStatus.COMPLETED


class NotCompletedBookingFactory(ConfirmedBookingFactory):
    """The course was not taken, or not to its end."""

    referral = factory.LazyAttribute(
        lambda booking: r.NotCompletedReferralFactory.create(now=booking.now, course_type=booking.session.course_type)
    )
    status = BookingStatus.NOT_COMPLETED


class MoveFactory(DjangoModelFactory[Move]):
    """Under way, free: the place of `booking` (confirmed) is theirs, one on `session`, a week later, is held."""

    class Meta:
        model = Move
        exclude = ("now", "session")

    now: Any = NOW
    booking: Any = factory.LazyAttribute(lambda move: ConfirmedBookingFactory.create(now=move.now))
    session = factory.LazyAttribute(
        lambda move: c.OpenSessionFactory.create(
            course_type=move.booking.place.session.course_type,
            starts_at=move.booking.place.session.starts_at + dt.timedelta(days=7),
        )
    )
    from_place = factory.SelfAttribute("booking.place")
    place = factory.LazyAttribute(
        lambda move: c.HeldPlaceFactory.create(
            session=move.session, holder=move.booking.referral.key, claimed_at=move.now
        )
    )
    status: Any = MoveStatus.HELD
    status_at = factory.SelfAttribute("now")
    status_by = factory.LazyAttribute(lambda move: f"candidate:{move.booking.referral.key}")
    created_at = factory.SelfAttribute("now")
    rule: Any = MoveRule.FREE
    fee_pence = 0


class PaidMoveFactory(MoveFactory):
    """Under way, with a fee that is to be paid: its charge is `move.charge`, open."""

    rule = MoveRule.LATE
    fee_pence = 2500
    charge = factory.LazyAttribute(
        lambda move: p.ChargeFactory.create(
            booking_reference=move.booking.reference,
            referral_key=move.booking.referral.key,
            purpose=Purpose.MOVE_FEE,
            amount_pence=move.fee_pence,
            parts={"police": 0, "levy": 0, "vat": 0, "provider": move.fee_pence},
            now=move.now,
        )
    )


class LapsedMoveFactory(PaidMoveFactory):
    """The hold of the new place ran out before the fee was paid; the charge is given up."""

    status = MoveStatus.LAPSED
    place = factory.LazyAttribute(
        lambda move: c.ReleasedPlaceFactory.create(
            session=move.session, holder=move.booking.referral.key, claimed_at=move.now
        )
    )

    @classmethod
    def _create(cls, model_class: type[Move], *args: Any, **kwargs: Any) -> Move:
        move = super()._create(model_class, *args, **kwargs)
        move.charge.status = ChargeStatus.CANCELLED
        move.charge.save()
        return move


class NeedFactory(DjangoModelFactory[Need]):
    """Something staff must arrange, not yet done."""

    class Meta:
        model = Need

    referral = factory.LazyFunction(r.LiveReferralFactory.create)
    kind = NeedKind.BSL
    told_at = NOW
    due_on = factory.LazyAttribute(lambda need: london_day(need.told_at) + dt.timedelta(days=5))


class ArrangedNeedFactory(NeedFactory):
    status = NeedStatus.ARRANGED
    arranged_at = factory.LazyAttribute(lambda need: need.told_at + dt.timedelta(days=1))
    arranged_by = "staff:1"


def place_for(referral: Referral, session: Session, *, now: dt.datetime = NOW) -> Place:
    """A held place for a referral on a session, without a booking."""
    return c.HeldPlaceFactory.create(session=session, holder=referral.key, claimed_at=now)


class WaitingEntryFactory(DjangoModelFactory[WaitingEntry]):
    """On the waiting list since `now`, for any date."""

    class Meta:
        model = WaitingEntry
        exclude = ("now",)

    now: Any = NOW
    referral: Any = factory.LazyAttribute(lambda entry: r.LiveReferralFactory.create(now=entry.now))
    course_type = factory.SelfAttribute("referral.course_type")
    created_at = factory.SelfAttribute("now")
    status: Any = WaitingStatus.WAITING
    status_at = factory.SelfAttribute("now")
    status_by = factory.LazyAttribute(lambda entry: f"candidate:{entry.referral.key}")


class EndedWaitingEntryFactory(WaitingEntryFactory):
    """Left the waiting list."""

    status = WaitingStatus.ENDED
    ended_cause = WaitingCause.LEFT


class PlaceOfferFactory(DjangoModelFactory[PlaceOffer]):
    """A freed place, offered at `now` to somebody who waits, for a day. `session` and `entry` may be given."""

    class Meta:
        model = PlaceOffer
        exclude = ("now", "session")

    now: Any = NOW
    session = factory.LazyFunction(c.OpenSessionFactory.create)
    entry: Any = factory.LazyAttribute(lambda offer: WaitingEntryFactory.create(now=offer.now))
    referral = factory.LazyAttribute(lambda offer: (offer.entry or offer.payment.booking).referral)
    until = factory.LazyAttribute(lambda offer: offer.now + dt.timedelta(days=1))
    place = factory.LazyAttribute(
        lambda offer: c.HeldPlaceFactory.create(
            session=offer.session, holder=offer.referral.key, claimed_at=offer.now, held_until=offer.until
        )
    )
    offered_at = factory.SelfAttribute("now")
    status_at = factory.SelfAttribute("now")
    status_by = "job:offer_places"


class LatePaymentFactory(DjangoModelFactory[LatePayment]):
    """Paid at `now` after the hold had run out; other dates are looked for."""

    class Meta:
        model = LatePayment
        exclude = ("now",)

    now: Any = NOW
    booking: Any = factory.LazyAttribute(lambda payment: LapsedBookingFactory.create(now=payment.now))
    charge = factory.LazyAttribute(
        lambda payment: p.PaidChargeFactory.create(
            now=payment.now,
            booking_reference=payment.booking.reference,
            referral_key=payment.booking.referral.key,
        )
    )
    created_at = factory.SelfAttribute("now")
    status: Any = LatePaymentStatus.SEEKING
    status_at = factory.SelfAttribute("now")
    status_by = "job:apply_stripe_events"


class OfferedLatePaymentFactory(LatePaymentFactory):
    """Paid too late, with one other date held; the offer is `payment.offers.get()`."""

    status = LatePaymentStatus.OFFERED

    @classmethod
    def _create(cls, model_class: type[LatePayment], *args: Any, **kwargs: Any) -> LatePayment:
        payment = super()._create(model_class, *args, **kwargs)
        PlaceOfferFactory.create(now=payment.created_at, entry=None, payment=payment)
        return payment
