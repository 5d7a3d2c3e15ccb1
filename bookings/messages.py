"""What candidates are told about their offer and their booking: one function per kind.

Each is called inside the change it tells of. The words stand in templates/, the moments in `notifications.catalogue`.
"""

import datetime as dt
from collections.abc import Sequence

from django.conf import settings

from bookings import calendar_file, pay_links
from bookings.constants import BookingStatus
from bookings.models import Booking, Move, PlaceOffer
from bookings.words import booking_words, no_booking_words, offer_words, session_words, why_words
from common.clock import date_words, end_of_london_day, london_day, moment_words
from common.money import pounds
from notifications import services as notifications
from notifications.services import Draft
from referrals.constants import BOOKABLE
from referrals.models import Referral

MANAGE_PATH = "/booking/"
MOVE_PATH = "/booking/move/check/"
FEEDBACK_PATH = "/booking/feedback/"
LATE_PATH = "/booking/other-dates/"
REMINDERS = ("reminder_7d", "reminder_48h", "reminder_2h", "joining_link")
WITH_LINK = ("reminder_48h", "reminder_2h", "joining_link", "session_changed")
# What has ended, and money on its way: by then the money has long arrived, and police have written.
NEWS_FOR = dt.timedelta(days=28)
CHASERS = ("chaser_offer", "chaser_complete_by", "expiring")


def offer_ready(referral: Referral) -> Draft:
    """The offer can be booked. `referral` comes with its force and course type."""
    return _about_offer(referral, "offer_ready", f"offer_ready:{referral.key}")


def chaser(referral: Referral, kind: str, *, dedupe_key: str, useless_at: dt.datetime) -> Draft:
    """One of `CHASERS`: nothing is booked yet. `referral` comes with its force and course type."""
    return _about_offer(referral, kind, dedupe_key, useless_at=useless_at)


def offer_withdrawn(referral: Referral, *, now: dt.datetime) -> None:
    """The police have withdrawn an offer on which nothing was booked."""
    withdraw_chasers(referral, now=now)
    words = {**no_booking_words(), **offer_words(referral), "manage_url": _manage_url()}
    notifications.tell(
        Draft(
            kind="withdrawn",
            dedupe_key=f"withdrawn:{referral.key}",
            email=referral.email,
            mobile=referral.mobile,
            referral_key=referral.key,
            context={**words, "refund": "", "was_confirmed": False},
            useless_at=now + NEWS_FOR,
        ),
        now=now,
    )


def withdraw_chasers(referral: Referral, *, now: dt.datetime) -> None:
    """Take back what still waits to tell somebody to book."""
    notifications.withdraw_kinds(referral_key=referral.key, kinds=["offer_ready", *CHASERS], now=now)


def confirmation(booking: Booking, *, now: dt.datetime) -> None:
    """The place is theirs; with the calendar file, and the joining link where it is out already."""
    withdraw_chasers(booking.referral, now=now)
    _tell(
        booking,
        "confirmation",
        f"confirmation:{booking.reference}",
        now=now,
        calendar=True,
        useless_at=booking.place.session.ends_at,
    )


def moved(booking: Booking, *, was_at: dt.datetime, fee_pence: int, now: dt.datetime) -> None:
    """The booking is on another session now; `was_at` is the old start. Updates the calendar entry."""
    session = booking.place.session
    _tell(
        booking,
        "moved",
        f"moved:{booking.reference}:{session.pk}:{now.timestamp():.0f}",
        now=now,
        calendar=True,
        useless_at=session.ends_at,
        extra={"was": moment_words(was_at), "move_fee": pounds(fee_pence) if fee_pence else ""},
    )


def move_to_pay(move: Move, *, now: dt.datetime) -> None:
    """Staff hold another date for them, which costs a fee: until when, and where to pay."""
    until = move.place.held_until
    assert until is not None
    extra: dict[str, object] = {
        "wanted": moment_words(move.place.session.starts_at),
        "move_fee": pounds(move.fee_pence),
        "pay_until": moment_words(until),
        "pay_url": f"{settings.SITE_URL}{MOVE_PATH}",
    }
    _tell(move.booking, "move_to_pay", f"move_to_pay:{move.pk}", now=now, useless_at=until, extra=extra)


def move_not_made(booking: Booking, *, move_id: int, wanted: dt.datetime, refund_pence: int, now: dt.datetime) -> None:
    """A move was paid for when it could not be made any more; the fee goes back. `wanted` is the start wished for."""
    extra: dict[str, object] = {
        "wanted": moment_words(wanted),
        "refund": pounds(refund_pence),
        "is_booked": booking.status == BookingStatus.CONFIRMED,
    }
    _tell(booking, "move_not_made", f"move_not_made:{move_id}", now=now, extra=extra)


def move_lapsed(move: Move, *, now: dt.datetime) -> None:
    """The time for which another date was held ended before the change was made; told once for each hold."""
    start = move.booking.place.session.starts_at
    _tell(
        move.booking,
        "move_lapsed",
        f"move_lapsed:{move.pk}",
        now=now,
        useless_at=min(start, now + dt.timedelta(days=2)),
        extra={"wanted": moment_words(move.place.session.starts_at)},
    )


def hold_lapsed(booking: Booking, *, now: dt.datetime) -> None:
    """The hold ran out before payment; told only to who gave an address for this booking."""
    _tell(
        booking,
        "hold_lapsed",
        f"hold_lapsed:{booking.reference}",
        now=now,
        is_own_address_only=True,
        useless_at=now + dt.timedelta(days=2),
    )


def cancelled(
    booking: Booking, *, refund_pence: int, by_kcc: bool, now: dt.datetime, is_waiting: bool = False
) -> None:
    """The booking is cancelled, by whom, and what comes back; takes the course out of the calendar.

    Where the refund `is_waiting` for a second person, nothing is promised yet.
    """
    _tell(
        booking,
        "session_cancelled" if by_kcc else "cancelled",
        _cancelled_key(booking.reference),
        now=now,
        calendar=True,
        is_cancelled=True,
        extra={
            "refund": pounds(refund_pence) if refund_pence else "",
            "is_waiting": is_waiting,
            "by_kcc": by_kcc,
        },
    )


def _cancelled_key(booking_reference: str) -> str:
    return f"cancelled:{booking_reference}"


def withdrawn(booking: Booking, *, refund_pence: int, was_confirmed: bool, now: dt.datetime) -> None:
    """The police have withdrawn the offer; the place is given back."""
    _tell(
        booking,
        "withdrawn",
        f"withdrawn:{booking.reference}",
        now=now,
        calendar=was_confirmed,
        is_cancelled=True,
        extra={"refund": pounds(refund_pence) if refund_pence else "", "was_confirmed": was_confirmed},
    )


def paid_too_late(
    booking: Booking, *, refund_pence: int, can_book_again: bool, is_withdrawn: bool = False, now: dt.datetime
) -> None:
    """The payment came when there was no place to be had for it any more; all of it goes back."""
    _tell(
        booking,
        "paid_too_late",
        f"paid_too_late:{booking.reference}",
        now=now,
        extra={
            "refund": pounds(refund_pence),
            "can_book_again": can_book_again,
            "is_withdrawn": is_withdrawn,
        },
    )


def was_told_paid_too_late(booking_reference: str) -> bool:
    """Whether they were told that all of it goes back: when it has gone, that is no news."""
    key = f"paid_too_late:{booking_reference}"
    return notifications.was_told(dedupe_key=key)


def session_changed(booking: Booking, *, now: dt.datetime) -> None:
    """Time, room or link of the session changed; updates the calendar entry."""
    starts_at = booking.place.session.starts_at
    _tell(
        booking,
        "session_changed",
        f"session_changed:{booking.reference}:{now.isoformat()}",
        now=now,
        calendar=True,
        useless_at=starts_at,
    )


def joining_link(booking: Booking, *, now: dt.datetime) -> None:
    """The session has a link, or another one, inside the time in which links are shown."""
    starts_at = booking.place.session.starts_at
    _tell(
        booking, "joining_link", f"joining_link:{booking.reference}:{now.isoformat()}", now=now, useless_at=starts_at
    )


def pay_link(booking: Booking, *, number: int, until: dt.datetime, now: dt.datetime) -> None:
    """The link to pay by, for a place held by telephone; `number` counts how often it was sent."""
    extra: dict[str, object] = {"pay_url": pay_links.url_of(booking.pk), "pay_until": moment_words(until)}
    _tell(booking, "pay_link", f"pay_link:{booking.reference}:{number}", now=now, useless_at=until, extra=extra)


def contact_changed(booking: Booking, *, was_email: str, was_mobile: str, now: dt.datetime) -> None:
    """We write somewhere else from now on: told there, and at the old address or number that is no longer used.

    The old one is not told the new one: whoever reads there may be somebody else.
    """
    key = f"contact_changed:{booking.reference}:{now.isoformat()}"
    _tell(booking, "contact_changed", key, now=now, extra={"is_old": False})
    email = was_email if was_email != booking.email else ""
    mobile = was_mobile if was_mobile != booking.mobile else ""
    _tell(booking, "contact_changed", f"{key}:old", now=now, extra={"is_old": True}, to=(email, mobile))


def late_dates(booking: Booking, offers: Sequence[PlaceOffer], *, amount_pence: int, now: dt.datetime) -> None:
    """The payment came after the place had gone; these dates are held to choose one of. They come with sessions."""
    until = max(offer.until for offer in offers)
    _tell(
        booking,
        "late_dates",
        f"late_dates:{booking.reference}",
        now=now,
        useless_at=until,
        extra={
            "amount": pounds(amount_pence),
            "dates": [
                f"{words['times']}, {words['day']}, {words['where'][0]}"
                for words in (session_words(offer.place.session) for offer in offers)
            ],
            "offer_until": moment_words(until),
            "dates_url": f"{settings.SITE_URL}{LATE_PATH}",
        },
    )


def payment_refunded(*, booking_reference: str, refund_id: int, amount_pence: int, now: dt.datetime) -> None:
    """The money has been sent to their card."""
    booking = Booking.objects.with_session().get(reference=booking_reference)
    extra: dict[str, object] = {"amount": pounds(amount_pence)}
    _tell(booking, "payment_refunded", f"payment_refunded:{refund_id}", now=now, extra=extra)


def refund_refused(*, booking_reference: str, refund_id: int, amount_pence: int, now: dt.datetime) -> None:
    """The refund that we were checking is not sent."""
    booking = Booking.objects.with_session().get(reference=booking_reference)
    extra: dict[str, object] = {"amount": pounds(amount_pence)}
    _tell(booking, "refund_refused", f"refund_refused:{refund_id}", now=now, extra=extra)


def was_told_refund_is_checked(booking_reference: str) -> bool:
    """Whether they were told that the booking is cancelled and that a refund of it is being checked."""
    return notifications.was_told(dedupe_key=_cancelled_key(booking_reference), saying={"is_waiting": True})


def payment_failed(booking: Booking, *, attempt_id: int, amount_pence: int, now: dt.datetime) -> None:
    """A payment failed after they had left the payment page; the place is still held."""
    until = booking.place.held_until
    assert until is not None
    extra: dict[str, object] = {"amount": pounds(amount_pence), "held_until": moment_words(until)}
    _tell(booking, "payment_failed", f"payment_failed:{attempt_id}", now=now, useless_at=until, extra=extra)


def outcome(booking: Booking, *, is_completed: bool, reason: str, now: dt.datetime) -> None:
    """How the course went, as the force is told. A correction is told anew. The referral has its new status."""
    referral = Referral.objects.select_related("force").get(pk=booking.referral_id)
    can_book_again = referral.status in BOOKABLE and london_day(now) <= min(referral.book_by, referral.complete_by)
    _tell(
        booking,
        "outcome",
        f"outcome:{booking.reference}:{now.timestamp():.0f}",
        now=now,
        extra={
            "is_completed": is_completed,
            "why": "" if is_completed else why_words(reason),
            "force": referral.force.full_name,
            "can_book_again": can_book_again,
            "complete_by": date_words(min(referral.book_by, referral.complete_by)),
            "feedback_url": f"{settings.SITE_URL}{FEEDBACK_PATH}",
        },
    )


def reminder(booking: Booking, kind: str, *, now: dt.datetime, useless_at: dt.datetime) -> None:
    """One of `REMINDERS`, once for each time the session starts at."""
    _tell(booking, kind, reminder_key(booking, kind), now=now, useless_at=useless_at)


def reminder_key(booking: Booking, kind: str) -> str:
    """A session that is moved earns its reminders anew."""
    return f"{kind}:{booking.reference}:{booking.place.session.starts_at.timestamp():.0f}"


def withdraw_reminders(booking: Booking, *, now: dt.datetime) -> None:
    """Take back reminders of a course that is no longer booked."""
    notifications.withdraw(dedupe_keys=[reminder_key(booking, kind) for kind in REMINDERS], now=now)


def _about_offer(referral: Referral, kind: str, dedupe_key: str, *, useless_at: dt.datetime | None = None) -> Draft:
    last = end_of_london_day(min(referral.book_by, referral.complete_by))
    return Draft(
        kind=kind,
        dedupe_key=dedupe_key,
        email=referral.email,
        mobile=referral.mobile,
        referral_key=referral.key,
        context={**offer_words(referral), "start_url": f"{settings.SITE_URL}/"},
        useless_at=min(useless_at, last) if useless_at else last,
    )


def _tell(
    booking: Booking,
    kind: str,
    dedupe_key: str,
    *,
    now: dt.datetime,
    is_own_address_only: bool = False,
    calendar: bool = False,
    is_cancelled: bool = False,
    useless_at: dt.datetime | None = None,
    extra: dict[str, object] | None = None,
    to: tuple[str, str] | None = None,
) -> None:
    """Tell the candidate at `addresses`, or at the address and number that `to` names.

    Without `useless_at` it is news for as long as `NEWS_FOR`.
    """
    referral = booking.referral
    email, mobile = to or addresses(booking, is_own_only=is_own_address_only)
    notifications.tell(
        Draft(
            kind=kind,
            dedupe_key=dedupe_key,
            email=email,
            mobile=mobile,
            referral_key=referral.key,
            context={**booking_words(booking, now=now), "manage_url": _manage_url(), **(extra or {})},
            useless_at=useless_at or now + NEWS_FOR,
            attachments=[calendar_file.attachment(booking, now=now, is_cancelled=is_cancelled)] if calendar else (),
        ),
        now=now,
    )


def addresses(booking: Booking, *, is_own_only: bool = False) -> tuple[str, str]:
    """The e-mail address and mobile number at which a candidate is told about a booking; each may be empty."""
    if booking.email or booking.mobile or is_own_only:
        return booking.email, booking.mobile
    return booking.referral.email, booking.referral.mobile


def _manage_url() -> str:
    return f"{settings.SITE_URL}{MANAGE_PATH}"
