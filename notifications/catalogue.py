"""Everything we tell people: what it is called, when it goes, which values its words may use, with made-up ones.

The samples are what previews and tests show; every value that `{{ }}` may name stands in them.
"""

from dataclasses import dataclass
from typing import Any

from notifications.rendering import COMMON, PARTS


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One thing we tell. `moment` says when it goes and until when, for who edits its words.

    `is_also_texted`: a text message goes beside the e-mail; else only where there is no e-mail address, or it fails.
    `must_be_told`: where there is neither address nor number, staff tell it by post or telephone.
    """

    title: str
    moment: str
    sample: dict[str, Any]
    has_sms: bool = True
    is_also_texted: bool = False
    must_be_told: bool = False


_OFFER: dict[str, Any] = {
    "name": "Zoë O’Neil",
    "course": "National Speed Awareness Course",
    "force": "Kent Police",
    "book_by": "Friday 18 December 2026",
    "complete_by": "Saturday 6 March 2027",
    "start_url": "https://courses.example.org/",
}
_SESSION: dict[str, Any] = {
    "course": "National Speed Awareness Course",
    "day": "Monday 14 December 2026",
    "times": "9am to 11:45am",
    "starts": "9am on Monday 14 December 2026",
    "ready_by": "8:45am",
    "how": "Online, by video call",
    "where": ["Online, by video call"],
    "is_digital": True,
    "is_on_road": False,
    "directions": "",
}
_BOOKING: dict[str, Any] = {
    **_SESSION,
    "name": "Zoë O’Neil",
    "reference": "KCC-2345-6789",
    "fee": "£92",
    "joining_url": "https://meet.example.org/j/1234",
    "link_from": "9am on Saturday 12 December 2026",
    "email": "zoe@example.org",
    "mobile": "07700 900123",
    "manage_url": "https://courses.example.org/booking/",
}
_WAITING: dict[str, Any] = {
    **_SESSION,
    "name": "Zoë O’Neil",
    "waiting_url": "https://courses.example.org/waiting/",
    "leave_url": "https://courses.example.org/waiting/leave/17-20270306.signature/",
}
_MONEY: dict[str, Any] = {
    "name": "Zoë O’Neil",
    "reference": "KCC-2345-6789",
    "amount": "£92",
    "manage_url": "https://courses.example.org/booking/",
}

KINDS: dict[str, Kind] = {
    "offer_ready": Kind(
        title="Your course can be booked",
        moment="When an offer can first be booked; until book by has passed.",
        sample=_OFFER,
        is_also_texted=True,
    ),
    "chaser_offer": Kind(
        title="You have not booked yet",
        moment="7, 14 and 21 days after the offer, at 10am, while nothing is booked; for two days.",
        sample=_OFFER,
    ),
    "chaser_complete_by": Kind(
        title="Little time is left to take the course",
        moment="14, 7 and 3 days before complete by, at 10am, while nothing is booked; for two days.",
        sample=_OFFER,
    ),
    "expiring": Kind(
        title="The last day to book is near",
        moment="The day before book by, at 10am, while nothing is booked; until book by has passed.",
        sample=_OFFER,
        is_also_texted=True,
    ),
    "hold_lapsed": Kind(
        title="The hold ran out",
        moment="When a hold runs out before payment; for two days.",
        sample=_BOOKING,
    ),
    "confirmation": Kind(
        title="The course is booked, and paid",
        moment="When the place is theirs; until the course is over.",
        sample=_BOOKING,
        is_also_texted=True,
        must_be_told=True,
    ),
    "moved": Kind(
        title="The course is moved",
        moment="When the candidate has moved to another date; until the course is over.",
        sample={**_BOOKING, "was": "9am on Monday 7 December 2026", "move_fee": "£25"},
        is_also_texted=True,
        must_be_told=True,
    ),
    "move_to_pay": Kind(
        title="A date is held, a fee is to be paid",
        moment="When staff hold another date for which there is a fee; until the hold ends.",
        sample={
            **_BOOKING,
            "wanted": "9am on Monday 21 December 2026",
            "move_fee": "£25",
            "pay_until": "11:30am on Friday 20 November 2026",
            "pay_url": "https://courses.example.org/booking/move/check/",
        },
        is_also_texted=True,
    ),
    "move_lapsed": Kind(
        title="The hold of another date ran out",
        moment="When the hold of another date runs out before the change is made; for two days.",
        sample={**_BOOKING, "wanted": "9am on Monday 21 December 2026"},
    ),
    "move_not_made": Kind(
        title="The course could not be moved",
        moment="When the fee for a move was paid and the move could not be made any more; for four weeks.",
        sample={**_BOOKING, "wanted": "9am on Monday 21 December 2026", "refund": "£25", "is_booked": True},
    ),
    "cancelled": Kind(
        title="The course is cancelled",
        moment="When a booking is cancelled as the candidate asked; for four weeks.",
        sample={**_BOOKING, "refund": "£92", "is_waiting": False, "by_kcc": False},
        must_be_told=True,
    ),
    "session_cancelled": Kind(
        title="We have cancelled the course",
        moment="When KCC cancels a session or a booking; for four weeks.",
        sample={**_BOOKING, "refund": "£92", "is_waiting": False, "by_kcc": True},
        is_also_texted=True,
        must_be_told=True,
    ),
    "session_changed": Kind(
        title="Something about the course has changed",
        moment="When time, room or link of a session change; until the course starts.",
        sample=_BOOKING,
        is_also_texted=True,
        must_be_told=True,
    ),
    "pay_link": Kind(
        title="The link to pay by",
        moment="When staff hold a place for somebody on the telephone, or send the link again; until the hold ends.",
        sample={
            **_BOOKING,
            "pay_url": "https://courses.example.org/pay/17.abc/",
            "pay_until": "10am on Tuesday 24 November 2026",
        },
        is_also_texted=True,
    ),
    "contact_changed": Kind(
        title="We write to another address",
        moment="When contact details change: to the new address, and to the old one, used no longer; for four weeks.",
        sample={**_BOOKING, "is_old": False},
    ),
    "joining_link": Kind(
        title="The link to join",
        moment="Within 48 hours of the course, where the link is new or in no earlier message; until it starts.",
        sample=_BOOKING,
        must_be_told=True,
    ),
    "reminder_7d": Kind(
        title="Reminder, 7 days before",
        moment="7 days before the course, to who had booked by then; until 48 hours before.",
        sample={**_BOOKING, "joining_url": ""},
    ),
    "reminder_48h": Kind(
        title="Reminder with the link, 48 hours before",
        moment="48 hours before the course, to who had booked by then; until 2 hours before.",
        sample=_BOOKING,
        is_also_texted=True,
        must_be_told=True,
    ),
    "reminder_2h": Kind(
        title="Reminder, 2 hours before",
        moment="2 hours before the course, to who had booked by then; until the course starts.",
        sample=_BOOKING,
        is_also_texted=True,
    ),
    "waiting_offer": Kind(
        title="A place has come free",
        moment="When a freed place is held for somebody who waits; until the hold ends.",
        sample={
            **_WAITING,
            "offer_until": "11am on Wednesday 2 December 2026",
            "offer_url": "https://courses.example.org/waiting/offer/",
            "booked_on": "2pm on Monday 4 January 2027",
        },
        is_also_texted=True,
        must_be_told=True,
    ),
    "waiting_passed": Kind(
        title="The place that came free has passed on",
        moment="When a place held for somebody who waits is held no longer, and they still wait; for two days.",
        sample=_WAITING,
    ),
    "waiting_ended": Kind(
        title="The last day to book has passed: off the waiting list",
        moment="The day after book by, to who waits and has nothing booked; until complete by has passed.",
        sample={name: value for name, value in _OFFER.items() if name != "start_url"},
        must_be_told=True,
    ),
    "late_dates": Kind(
        title="The payment came too late: other dates are held",
        moment="When a payment arrives after its place had gone and other dates are held; until the last hold ends.",
        sample={
            **_BOOKING,
            "amount": "£92",
            "dates": ["9am to 11:45am, Tuesday 15 December 2026, Online, by video call"],
            "offer_until": "10am on Saturday 21 November 2026",
            "dates_url": "https://courses.example.org/booking/other-dates/",
        },
        is_also_texted=True,
        must_be_told=True,
    ),
    "payment_refunded": Kind(
        title="Money is on its way back",
        moment="When Stripe has sent a refund; for four weeks.",
        sample=_MONEY,
    ),
    "refund_refused": Kind(
        title="A refund that was checked is not sent",
        moment="When a second person refuses a refund the candidate was told is being checked; for four weeks.",
        sample=_MONEY,
        must_be_told=True,
    ),
    "payment_failed": Kind(
        title="The payment did not go through",
        moment="When a payment fails after the candidate has left the payment page; until the hold ends.",
        sample={
            **_MONEY,
            "day": "Monday 14 December 2026",
            "times": "9am to 11:45am",
            "held_until": "11:30am on Friday 20 November 2026",
        },
        is_also_texted=True,
    ),
    "paid_too_late": Kind(
        title="The payment came too late",
        moment="When a payment arrives for a place that is no longer to be had; for four weeks.",
        sample={**_BOOKING, "refund": "£92", "can_book_again": True, "is_withdrawn": False},
        must_be_told=True,
    ),
    "outcome": Kind(
        title="How the course went",
        moment="When the register is closed and the outcome goes to the force; for four weeks.",
        sample={
            **_BOOKING,
            "is_completed": False,
            "why": "you joined too late",
            "force": "Kent Police",
            "can_book_again": True,
            "complete_by": "Saturday 6 March 2027",
            "feedback_url": "https://courses.example.org/booking/feedback/",
        },
        must_be_told=True,
    ),
    "withdrawn": Kind(
        title="The offer is withdrawn",
        moment="When police withdraw an offer; for four weeks.",
        sample={**_BOOKING, "refund": "£92", "was_confirmed": True},
        is_also_texted=True,
        must_be_told=True,
    ),
    "unreported_outcomes": Kind(
        title="Outcomes that wait to be reported (to police and KCC)",
        moment="Once a day for each force while an outcome has not been given to it for more than a working day.",
        has_sms=False,
        sample={
            "force": "Kent Police",
            "count": 3,
            "since": "9am on Wednesday 18 November 2026",
            "path": "/police/returns/",
        },
    ),
    "money_task": Kind(
        title="Something about money needs a person (to KCC)",
        moment="When a payment is disputed or is not what was asked, a refund or a payout failed, a refund waits for "
        "a second person, a day does not agree with Stripe, or an event cannot be applied.",
        has_sms=False,
        sample={
            "what": "The payer’s bank disputes £92",
            "facts": ["booking KCC-2345-6789", "answer at Stripe by 11am on Thursday 3 December 2026"],
            "path": "/admin/payments/dispute/1/change/",
        },
    ),
    "batch_left": Kind(
        title="A file could not be finished (to police and KCC)",
        moment="When a file was tried so often in vain that a person must look at it.",
        has_sms=False,
        sample={
            "file_name": "offers.csv",
            "kind": "Referrals",
            "settled": 60,
            "expected": 120,
            "path": "/police/batches/00000000-0000-4000-8000-000000000000/",
        },
    ),
    "batch_receipt": Kind(
        title="Receipt of a file (to police)",
        moment="When a batch is settled or refused.",
        has_sms=False,
        sample={
            "file_name": "offers.csv",
            "kind": "Referrals",
            "refusal": "",
            "rows": 120,
            "new": 110,
            "unchanged": 2,
            "changed": 3,
            "rejected": 4,
            "quarantined": 1,
            "warnings": 7,
            "path": "/police/batches/00000000-0000-4000-8000-000000000000/",
        },
    ),
}  # fmt: skip


def title_of(kind: str) -> str:
    """What a kind is called; its own name where it is none of ours any more."""
    return KINDS[kind].title if kind in KINDS else kind


def known_placeholders(kind: str) -> frozenset[str]:
    """Every name that the words of a kind may use. Shared parts are there for what is about a booking."""
    sample = KINDS[kind].sample
    parts = PARTS if _BOOKING.keys() <= sample.keys() else ()
    return frozenset(sample) | COMMON | frozenset(parts)
