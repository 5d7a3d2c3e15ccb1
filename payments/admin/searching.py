"""What finance type to find a charge, each kind by the index that holds it: never one OR over joined tables."""

import datetime as dt
import re
from decimal import Decimal

from django.db.models import Q

from common.clock import end_of_london_day, start_of_london_day
from common.identifiers import normalise_booking_reference
from payments.models import Attempt, Refund

HELP = "Booking, referral (46/REFERENCE), a Stripe id, a card's last four digits, £92.00, 2027-04-01; several together"
_AMOUNT = re.compile(r"£?(\d{1,5}\.\d{2})|£(\d{1,5})")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_STRIPE = {
    "pi_": ("attempts", "payment_intent_id"),
    "cs_": ("attempts", "checkout_session_id"),
    "ch_": ("attempts", "stripe_charge_id"),
    "re_": ("refunds", "stripe_refund_id"),
}


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
        model, field = (Attempt if where[0] == "attempts" else Refund), where[1]
        return Q(pk__in=model._default_manager.filter(**{field: word}).values("charge_id"))
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
