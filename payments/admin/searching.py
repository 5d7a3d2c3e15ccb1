"""What finance type to find a charge, each kind by the index that holds it: never one OR over joined tables."""

import datetime as dt
import re
from decimal import Decimal

from django.db.models import Q

from common.clock import end_of_london_day, start_of_london_day
from common.identifiers import normalise_booking_reference
from payments.models import Attempt, Dispute, Journal, Refund

HELP = "Booking, referral (46/REFERENCE), a Stripe id, a card's last four digits, £92.00, 2027-04-01; several together"
_AMOUNT = re.compile(r"£?(\d{1,5}\.\d{2})|£(\d{1,5})")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_STRIPE: dict[str, tuple[type[Attempt | Refund | Dispute], str]] = {
    "pi_": (Attempt, "payment_intent_id"),
    "cs_": (Attempt, "checkout_session_id"),
    "ch_": (Attempt, "stripe_charge_id"),
    "re_": (Refund, "stripe_refund_id"),
    "du_": (Dispute, "stripe_dispute_id"),
    "dp_": (Dispute, "stripe_dispute_id"),
}
# What a balance transaction is booked under: its fee, and what a bank moved in a dispute.
_BOOKED_AS = ("stripe-fee:{}", "disputed:{}")


def matching(text: str) -> Q:
    """The charges that all words of a search mean. What means nothing finds nothing."""
    if reference := normalise_booking_reference(text):
        return Q(booking_reference=reference)
    found = Q()
    for word in text.split():
        found &= _meant(word)
    return found


def _meant(word: str) -> Q:
    if where := _STRIPE.get(word[:3]):
        model, field = where
        return Q(pk__in=model._default_manager.filter(**{field: word}).values("charge_id"))
    if word.startswith("txn_"):
        booked = Journal.objects.filter(source__in=[source.format(word) for source in _BOOKED_AS])
        return Q(booking_reference__in=booked.exclude(booking_reference="").values("booking_reference"))
    if "/" in word:
        return Q(referral_key=word.upper())
    if amount := _AMOUNT.fullmatch(word.replace(",", "")):
        return Q(amount_pence=int(Decimal(amount[1] or amount[2]) * 100))
    if _DAY.fullmatch(word):
        try:
            day = dt.date.fromisoformat(word)
        except ValueError:
            return Q(pk__in=[])
        return Q(created_at__gte=start_of_london_day(day), created_at__lt=end_of_london_day(day))
    if re.fullmatch(r"\d{4}", word):
        return Q(pk__in=Attempt.objects.filter(card_last4=word).values("charge_id"))
    return Q(booking_reference=normalise_booking_reference(word) or word.upper())
