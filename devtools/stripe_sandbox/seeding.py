"""Many paid sessions at once, for load tests and reconciliation."""

from __future__ import annotations

from . import checkout
from .events import Call
from .payments import Payer
from .store import Json

CARD = "4242424242424242"


def seed(call: Call, *, count: int, amount: int, events: bool) -> Json:
    """Makes and pays ``count`` sessions of ``amount`` pence, with events or without; gives their PaymentIntents."""
    intents = []
    payer = Payer("payer@example.com", "Test Payer", 12, 2049)
    for number in range(count):
        price = {"currency": "gbp", "unit_amount": amount, "product_data": {"name": f"Seeded course {number + 1}"}}
        params = {
            "mode": "payment",
            "success_url": "https://example.com/",
            "line_items": [{"price_data": price}],
            "client_reference_id": f"seed-{number + 1}",
        }
        one = Call(call.tx, base_url=call.base_url, params=params, now=call.now, is_silent=not events)
        session = checkout.create(one)
        checkout.attempt(one, session, CARD, payer)
        intents.append(session["payment_intent"])
    return {"payment_intents": intents}
