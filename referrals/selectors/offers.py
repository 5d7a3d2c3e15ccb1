"""Referrals: the one a candidate signs in to, and what an officer of a force may see."""

import hmac
from dataclasses import dataclass
from datetime import datetime

from audit.models import AuditEvent
from common.identifiers import (
    normalise_postcode,
    normalise_reference,
    normalise_registration,
)
from common.prepared import Prepared
from notifications.catalogue import KINDS
from notifications.constants import Channel
from notifications.models import Message
from referrals import lookups
from referrals.constants import ReferralStatus
from referrals.errors import ReferralNotFoundError
from referrals.models import Force, Outcome, Referral, Withdrawal

MOST_FOUND = 50
_NOTHING = bytes(32)

_OF_REFERENCE = Prepared(
    lambda blank: (
        Referral.objects.filter(reference=blank("reference"))
        .order_by("-pk")
        .values_list("pk", "force_id", "status", "pin_hash", "driver_number_hash")[:3]
    )
)
_OFFER = Prepared(lambda blank: Referral.objects.select_related("course_type", "force").filter(pk=blank("pk")))


def offer(pk: int) -> Referral | None:
    """The offer of this number, with its course and force, if there is one."""
    return _OFFER.first(pk=pk)


def find_offer(*, reference: str, pin: str = "", driver_number: str = "") -> Referral | None:
    """The offer that these details open, or nothing: for unknown, wrong and withdrawn alike, with the same work.

    The PIN counts where there is one, else the driver number; a withdrawn offer opens for nobody. Counting tries is
    for the page.
    """
    typed = normalise_reference(reference) or ""
    found = _OF_REFERENCE.all(reference=typed)
    # As many comparisons whatever was found; two forces may use the same reference.
    found += [(0, "00", ReferralStatus.WITHDRAWN, _NOTHING, _NOTHING)] * (3 - len(found))
    number = lookups.driver_number_hash(driver_number)
    opened = 0
    for pk, force_code, status, pin_hash, number_hash in found:
        right_pin = hmac.compare_digest(bytes(pin_hash), lookups.pin_hash(force_code, typed, pin.strip()))
        right_number = hmac.compare_digest(bytes(number_hash), number or _NOTHING)
        right = right_pin if pin else right_number and bool(number)
        if right and status != ReferralStatus.WITHDRAWN:
            opened = opened or pk
    if not opened:
        return None
    return _OFFER.get(pk=opened)


def referral_of_force(*, force: Force | str, reference: str) -> Referral:
    """A referral of this force, its course loaded. Raises ReferralNotFoundError for any other."""
    found = Referral.objects.of_force(force).select_related("course_type", "force")
    referral: Referral | None = found.filter(reference=reference).first()
    if referral is None:
        raise ReferralNotFoundError
    return referral


@dataclass(frozen=True)
class Entry:
    """One thing that happened: when, what, and why if somebody said."""

    at: datetime
    words: str
    reason: str = ""


@dataclass(frozen=True)
class Story:
    """Everything a force may read of one of its referrals."""

    referral: Referral
    events: list[AuditEvent]
    entries: list[Entry]
    outcomes: list[Outcome]
    withdrawal: Withdrawal | None


# KCC is controller of needs, payments and feedback (its privacy notice of 2 September 2024): a force reads none of it.
_TOLD_TO_POLICE = ("booking", "candidate", "outcome", "referral", "register", "row", "waiting")
_ABOUT_MONEY = ("late_dates", "money_task", "paid_too_late", "pay_link", "payment_failed", "payment_refunded")
# Why something was done is the force's to read where police or the course said it, or where the matter is its own.
# What KCC's staff write about a refund or a cancellation may name an illness.
_WHOSE_REASONS = ("officer", "api", "trainer", "job", "command")
_POLICES_OWN = ("referral.course_decided", "referral.extended", "referral.noted", "referral.withdrawn")


def _entry(event: AuditEvent) -> Entry:
    kind = event.actor.partition(":")[0]
    may_tell = kind in _WHOSE_REASONS or event.action in _POLICES_OWN or event.action.startswith("row.")
    return Entry(event.occurred_at, event.words, event.reason if may_tell else "")


def story(referral: Referral) -> Story:
    """A referral's story, latest first: from every app, as the audit events and the messages sent tell it.

    `events` are all of them, for KCC's staff; `entries` are what a force may read.
    """
    events = list(AuditEvent.objects.filter(referral_key=referral.key).order_by("-id")[:500])
    entries = [_entry(event) for event in events if event.action.partition(".")[0] in _TOLD_TO_POLICE]
    sent = Message.objects.filter(referral_key=referral.key, sent_at__isnull=False)
    sent = sent.exclude(kind__in=_ABOUT_MONEY).order_by("-pk")[:200]
    for kind, channel, sent_at in sent.values_list("kind", "channel", "sent_at"):
        title = KINDS[kind].title if kind in KINDS else kind
        assert sent_at is not None
        entries.append(Entry(sent_at, f"{Channel(channel).label} sent: {title}"))
    # Sorting keeps the order of what happened in the same instant.
    entries.sort(key=lambda entry: entry.at, reverse=True)
    return Story(
        referral,
        events,
        entries,
        list(referral.outcomes.order_by("-sequence")),
        Withdrawal.objects.filter(referral=referral).first(),
    )


def search(*, force: Force | str, words: str) -> list[Referral]:
    """Referrals of a force by reference, driver number, postcode, vehicle registration or the start of a surname.

    Case and spaces do not count, nor which apostrophe a name is written with. Each is one look-up in an index. At most
    `MOST_FOUND`: more must be narrowed by who asks.
    """
    words = words.strip()
    own = Referral.objects.of_force(force)
    lookups_made = []
    if reference := normalise_reference("".join(words.split())):
        lookups_made.append(own.filter(reference=reference))
    has_digit = any(letter.isdigit() for letter in words)
    if has_digit and (number := lookups.driver_number_hash(words)):
        lookups_made.append(own.filter(driver_number_hash=number))
    if postcode := normalise_postcode(words):
        lookups_made.append(own.filter(postcode=postcode))
    registration = normalise_registration(words)
    if 2 <= len(registration) <= 12 and has_digit:
        lookups_made.append(own.filter(vehicle_registration=registration))
    if words and not has_digit:
        # Ordered, so that the first of many come first and the index is read whatever the statistics say.
        for start in dict.fromkeys(words.upper().translate(each) for each in _APOSTROPHES):
            lookups_made.append(own.filter(surname_key__startswith=start).order_by("surname_key"))
    found: dict[int, Referral] = {}
    for lookup in lookups_made:
        for referral in lookup.select_related("course_type")[:MOST_FOUND]:
            found.setdefault(referral.pk, referral)
    return sorted(found.values(), key=lambda each: (each.surname_key, each.reference))[:MOST_FOUND]


# As a keyboard has it, and as a word processor makes it.
_APOSTROPHES = (str.maketrans("’`", "''"), str.maketrans("'`", "’’"))


def force_codes() -> list[str]:
    """The codes of all forces, for look-ups of KCC staff in an index that begins with the force."""
    return list(Force.objects.values_list("pk", flat=True))
