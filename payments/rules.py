"""Money as pure functions: parts of a fee, what can be refunded, the postings of each journal, Checkout's clock.

All amounts are integer pence. Ledger accounts are named by text so that nothing here needs Django; a test keeps the
names equal to `constants.Account`.
"""

import datetime as dt
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

AccountName = Literal[
    "STRIPE_CLEARING",
    "BANK",
    "FEES_IN_ADVANCE",
    "POLICE_PAYABLE",
    "LEVY_PAYABLE",
    "VAT_PAYABLE",
    "COURSE_INCOME",
    "MOVE_INCOME",
    "REFUNDS",
    "STRIPE_FEES",
    "DISPUTES",
    "IN_TRANSIT",
]
CURRENCY = "gbp"

# Stripe keeps a Checkout session open for 30 minutes to 24 hours from its creation; a minute is left on either side
# for the way to Stripe and for clocks that differ.
SHORTEST_CHECKOUT = dt.timedelta(minutes=31)
LONGEST_CHECKOUT = dt.timedelta(hours=23, minutes=59)
# A page that closes under the payer's hands is worse than a new one.
CHECKOUT_STILL_USEFUL = dt.timedelta(minutes=2)
WEBHOOK_TOLERANCE = dt.timedelta(minutes=5)
EVENT_TRIES = 8
# Stripe forgets an idempotency key after 24 hours at the earliest.
KEY_REMEMBERED = dt.timedelta(hours=23)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a fee is made of. They fall due when the course is completed (DOMAIN.md section 5)."""

    police: int
    levy: int
    vat: int
    provider: int

    @property
    def total(self) -> int:
        """What the candidate pays."""
        return self.police + self.levy + self.vat + self.provider

    def as_json(self) -> dict[str, int]:
        """As a charge and a booking keep them."""
        return {"police": self.police, "levy": self.levy, "vat": self.vat, "provider": self.provider}


def parts_of(value: Mapping[str, Any], *, amount_pence: int) -> Parts:
    """The parts as kept in JSON. Raises `ValueError` unless all four are there, none is negative and they add up."""
    if set(value) != {"police", "levy", "vat", "provider"}:
        raise ValueError("a fee has four parts: police, levy, vat, provider")
    if not all(type(part) is int and part >= 0 for part in value.values()):
        raise ValueError("the parts of a fee are whole pence, none below nought")
    parts = Parts(**value)
    if parts.total != amount_pence:
        raise ValueError(f"the parts add up to {parts.total}, not to {amount_pence}")
    return parts


# --- Refunds ---------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Paid:
    """One payment as a refund sees it: `key` is whatever the caller knows it by."""

    key: int
    paid_pence: int
    refunded_pence: int
    is_extra: bool
    taken_pence: int = 0  # by the payer's bank, in disputes that are open or lost

    @property
    def refundable_pence(self) -> int:
        """What has not gone back, nor been asked to, nor is with the payer's bank."""
        return self.paid_pence - self.refunded_pence - self.taken_pence


def payment_to_refund(payments: Iterable[Paid], *, amount_pence: int) -> Paid | None:
    """The payment a refund goes back to: the one that settled the charge if it has enough left, else an extra one."""
    for payment in sorted(payments, key=lambda paid: (paid.is_extra, paid.key)):
        if 0 < amount_pence <= payment.refundable_pence:
            return payment
    return None


def needs_second_person(*, amount_pence: int, asked_before_pence: int, limit_pence: int, policy_pence: int) -> bool:
    """Whether a refund asked for by hand must be decided on by somebody else.

    Above the limit, counted with what was asked for by hand before, so that no sum is sliced to pass below it; and
    where it is more than the policy gives back.
    """
    return asked_before_pence + amount_pence > limit_pence or amount_pence > policy_pence


# --- Postings --------------------------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Line:
    """One posting: debit positive, credit negative; `force_code` on police cost recovery payable."""

    account: AccountName
    amount_pence: int
    force_code: str = ""


def vat_share(parts: Parts, pence: int) -> int:
    """The VAT in a part of a fee, rounded down: what falls away with a refund of so much."""
    return parts.vat * pence // parts.total if parts.vat else 0


def paid_lines(*, amount_pence: int, purpose: str, parts: Parts) -> tuple[Line, ...]:
    """Money arrived at Stripe: a course fee is owed until the course is completed; other fees are earned at once.

    Of those the VAT is owed at once; who pays a second time by mistake is owed all of it, and it goes back.
    """
    if purpose == "COURSE_FEE":
        return Line("STRIPE_CLEARING", amount_pence), Line("FEES_IN_ADVANCE", -amount_pence)
    vat = vat_share(parts, amount_pence)
    lines = (
        Line("STRIPE_CLEARING", amount_pence),
        Line("MOVE_INCOME", vat - amount_pence),
        Line("VAT_PAYABLE", -vat),
    )
    return tuple(line for line in lines if line.amount_pence)


def completed_lines(*, parts: Parts, refunded_pence: int, force_code: str) -> tuple[Line, ...]:
    """The course was completed, so the components fall due; a refund already made is borne by KCC.

    With a fee wholly given back the police's and the levy's parts are still owed; VAT is owed on what was kept.
    """
    vat = vat_share(parts, refunded_pence)
    lines = (
        Line("FEES_IN_ADVANCE", parts.total - refunded_pence),
        Line("POLICE_PAYABLE", -parts.police, force_code),
        Line("LEVY_PAYABLE", -parts.levy),
        Line("VAT_PAYABLE", vat - parts.vat),
        Line("COURSE_INCOME", -parts.provider),
        Line("REFUNDS", refunded_pence - vat),
    )
    return tuple(line for line in lines if line.amount_pence)


def forfeited_lines(*, parts: Parts, refunded_pence: int) -> tuple[Line, ...]:
    """The course was not completed and the fee is kept: nothing falls due to others, all but the VAT is earned.

    A refund already made is borne by KCC, as on completion.
    """
    kept = Parts(police=0, levy=0, vat=parts.vat, provider=parts.total - parts.vat)
    return completed_lines(parts=kept, refunded_pence=refunded_pence, force_code="")


def refunded_lines(
    *,
    amount_pence: int,
    purpose: str,
    parts: Parts,
    is_earned: bool,
    is_extra: bool,
    out_of: AccountName = "STRIPE_CLEARING",
    before: tuple[int, int] = (0, 0),
) -> tuple[Line, ...]:
    """Money left us for the payer: from Stripe for the card, or from the bank by other means.

    A course fee goes back from where it waits, and so does an extra payment of one, which was never part of the
    fee that was earned. What is earned (`is_earned`, or no course fee at all) is borne by KCC with its VAT.
    `before`: what of the same payment has gone back already, and the VAT in that, so that all parts together give
    back as much VAT as one refund of their sum.
    """
    bearer = bearing_account(purpose=purpose, is_earned=is_earned, is_extra=is_extra)
    if bearer != "REFUNDS":
        return Line(bearer, amount_pence), Line(out_of, -amount_pence)
    gone, vat_gone = before
    vat = min(max(vat_share(parts, gone + amount_pence) - vat_gone, 0), amount_pence)
    lines = Line("REFUNDS", amount_pence - vat), Line("VAT_PAYABLE", vat), Line(out_of, -amount_pence)
    return tuple(line for line in lines if line.amount_pence)


def bearing_account(*, purpose: str, is_earned: bool, is_extra: bool) -> AccountName:
    """Whose money it is that goes back to a payer or is lost to their bank: still the payer's, or KCC's income."""
    is_in_advance = purpose == "COURSE_FEE" and (is_extra or not is_earned)
    return "FEES_IN_ADVANCE" if is_in_advance else "REFUNDS"


def settled_lines(*, total_pence: int, force_code: str) -> tuple[Line, ...]:
    """A force, or UKROEd where there is none, was paid what its statement says (below nought: it paid us)."""
    account: AccountName = "POLICE_PAYABLE" if force_code else "LEVY_PAYABLE"
    return Line(account, total_pence, force_code), Line("BANK", -total_pence)


def fee_lines(fee_pence: int) -> tuple[Line, ...]:
    """Stripe kept a fee from our balance; a negative one was given back."""
    return Line("STRIPE_FEES", fee_pence), Line("STRIPE_CLEARING", -fee_pence)


def disputed_lines(moved_pence: int) -> tuple[Line, ...]:
    """A bank took money out of our balance (`moved_pence` below nought) or put it back; whose it is is not decided."""
    return Line("DISPUTES", -moved_pence), Line("STRIPE_CLEARING", moved_pence)


def dispute_lost_lines(*, amount_pence: int, bearer: AccountName) -> tuple[Line, ...]:
    """What a bank took is gone for good; below nought: it is not, after all."""
    return Line(bearer, amount_pence), Line("DISPUTES", -amount_pence)


def paid_out_lines(amount_pence: int) -> tuple[Line, ...]:
    """Stripe has sent money to the bank."""
    return Line("IN_TRANSIT", amount_pence), Line("STRIPE_CLEARING", -amount_pence)


def arrived_lines(amount_pence: int) -> tuple[Line, ...]:
    """The bank has it."""
    return Line("BANK", amount_pence), Line("IN_TRANSIT", -amount_pence)


def payout_failed_lines(amount_pence: int, *, had_arrived: bool) -> tuple[Line, ...]:
    """It came back to our balance at Stripe."""
    return Line("STRIPE_CLEARING", amount_pence), Line("BANK" if had_arrived else "IN_TRANSIT", -amount_pence)


def reversed_lines(lines: Iterable[Line]) -> tuple[Line, ...]:
    """The postings that undo others."""
    return tuple(Line(line.account, -line.amount_pence, line.force_code) for line in lines)


# --- Stripe's books --------------------------------------------------------------------------------------------
Movement = Literal["CHARGE", "REFUND", "REFUND_IN", "DISPUTE", "PAYOUT", "PAYOUT_IN", "FEE", "OTHER"]
_MOVEMENTS: dict[str, Movement] = {
    "charge": "CHARGE",
    "payment": "CHARGE",
    "refund": "REFUND",
    "payment_refund": "REFUND",
    "refund_failure": "REFUND_IN",
    "payment_failure_refund": "REFUND_IN",
    "payout": "PAYOUT",
    "payout_failure": "PAYOUT_IN",
    "payout_cancel": "PAYOUT_IN",
    "stripe_fee": "FEE",
}
_SOURCES: dict[Movement, str] = {
    "REFUND": "refunded",
    "REFUND_IN": "refund-failed",
    "PAYOUT": "paid-out",
    "PAYOUT_IN": "payout-failed",
}


def movement_of(*, type_: str, category: str) -> Movement:
    """What a balance transaction of Stripe's type and reporting category is to us."""
    if category in ("dispute", "dispute_reversal"):
        return "DISPUTE"
    return _MOVEMENTS.get(type_, "OTHER")


def ledger_source(movement: str, *, source: str, transaction_id: str) -> str:
    """The source of the journal that a balance transaction must have; "" where it does not follow from its ids.

    A payment's journal is known by its PaymentIntent, which a balance transaction does not name.
    """
    if movement == "DISPUTE":
        return f"disputed:{transaction_id}"
    if movement == "FEE":
        return f"stripe-fee:{transaction_id}"
    stem = _SOURCES.get(movement)  # type: ignore[call-overload]
    return f"{stem}:{source}" if stem else ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that does not agree. `effect_pence`: by how much it sets the clearing account off Stripe's balance."""

    kind: str
    subject: str
    ours_pence: int | None = None
    theirs_pence: int | None = None
    effect_pence: int = 0
    note: str = ""
    booking_reference: str = ""


# --- Checkout --------------------------------------------------------------------------------------------------
def checkout_expiry(*, wanted: dt.datetime, now: dt.datetime) -> dt.datetime:
    """When to have Stripe close the session: as wanted, within what Stripe allows, in whole seconds."""
    expires_at = min(max(wanted, now + SHORTEST_CHECKOUT), now + LONGEST_CHECKOUT)
    return expires_at.replace(microsecond=0)


def is_checkout_useful(*, expires_at: dt.datetime, now: dt.datetime) -> bool:
    """Whether an open session leaves the payer time enough to be sent to it again."""
    return expires_at > now + CHECKOUT_STILL_USEFUL


def descriptor_suffix(booking_reference: str) -> str:
    """What stands on the card statement behind the account's own prefix: the reference without its "KCC-".

    Prefix, "* " and suffix share 22 characters, and Stripe wants a letter in it, which a reference may lack.
    """
    suffix = booking_reference.removeprefix("KCC-")
    return suffix if re.search("[A-Z]", suffix) else "R" + suffix.replace("-", "")


# --- Idempotency keys ------------------------------------------------------------------------------------------
def key_stem(key: str) -> str:
    """What stays the same of a key over its turns: the name by which Stripe's metadata knows the thing."""
    return key.partition(".")[0]


def next_key(key: str) -> str:
    """The key for another try where Stripe answers the old one with its own failure for ever: "abc", "abc.2"."""
    stem, _, turn = key.partition(".")
    return f"{stem}.{int(turn or 1) + 1}"


def pause_before_retry(tries: int) -> dt.timedelta:
    """How long to leave something alone after its n-th failure: 20 s, doubling, at most 30 minutes."""
    return dt.timedelta(seconds=min(20 * 2 ** max(tries - 1, 0), 1800))


# --- Stripe's events -------------------------------------------------------------------------------------------
_KEPT_KEYS = frozenset(
    [
        "amount",
        "amount_captured",
        "amount_received",
        "amount_refunded",
        "amount_total",
        "balance_transaction",
        "charge",
        "client_reference_id",
        "created",
        "currency",
        "expires_at",
        "failure_reason",
        "id",
        "latest_charge",
        "livemode",
        "metadata",
        "object",
        "payment_intent",
        "payment_status",
        "reason",
        "status",
    ]
)
_ACTED_ON = re.compile(
    r"checkout\.session\.(completed|expired|async_payment_succeeded|async_payment_failed)"
    r"|payment_intent\.(succeeded|payment_failed|canceled)"
    r"|charge\.refunded|charge\.refund\.updated|refund\.(created|updated|failed)"
    r"|charge\.dispute\.(created|updated|closed|funds_withdrawn|funds_reinstated)"
    r"|payout\.(created|updated|paid|failed|canceled)"
)


def is_acted_on(event_type: str) -> bool:
    """Whether an event of this type is a bell for us; all others are stored and ignored."""
    return _ACTED_ON.fullmatch(event_type) is not None


def without_payer(event: Mapping[str, Any]) -> dict[str, Any]:
    """An event as we keep it: its envelope and the few fields of its object that say nothing of the payer."""
    about = event["data"]["object"]
    return {
        "id": event["id"],
        "type": event["type"],
        "created": event["created"],
        "livemode": event["livemode"],
        "api_version": event.get("api_version"),
        "data": {
            "object": {
                key: value
                for key, value in about.items()
                if key in _KEPT_KEYS and (key == "metadata" or not isinstance(value, dict | list))
            }
        },
    }
