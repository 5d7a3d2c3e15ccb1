"""Stripe's test cards, and what each does."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Card:
    """A test card; ``decline`` is (code, decline code, message), ``refund`` and ``dispute`` name what comes later."""

    number: str
    words: str
    brand: str = "visa"
    country: str = "GB"
    funding: str = "credit"
    decline: tuple[str, str | None, str] | None = None
    needs_3ds: bool = False
    refund: str = ""
    dispute: bool = False
    at_once: bool = False


_DECLINED = "Your card was declined."
CARDS = {
    card.number: card
    for card in (
        Card("4242424242424242", "pays"),
        Card("4000008260000000", "pays (UK Visa)"),
        Card("5555555555554444", "pays (Mastercard)", brand="mastercard"),
        Card("4000000000000077", "pays, and the money is available at once", at_once=True),
        Card("4000000000000002", "is declined", decline=("card_declined", "generic_decline", _DECLINED)),
        Card(
            "4000000000009995",
            "has too little money",
            decline=("card_declined", "insufficient_funds", "Your card has insufficient funds."),
        ),
        Card("4000000000009987", "is declined as lost", decline=("card_declined", "lost_card", _DECLINED)),
        Card("4000000000000069", "is declined as expired", decline=("expired_card", None, "Your card has expired.")),
        Card(
            "4000000000000127",
            "is declined for its security code",
            decline=("incorrect_cvc", None, "Your card's security code is incorrect."),
        ),
        Card(
            "4000000000000119",
            "is declined with a processing error",
            decline=(
                "processing_error",
                None,
                "An error occurred while processing your card. Try again in a little bit.",
            ),
        ),
        Card("4000000000003220", "asks for 3-D Secure: approve, fail or walk away", needs_3ds=True),
        Card("4000002760003184", "asks for 3-D Secure as well", needs_3ds=True),
        Card("4000000000000259", "pays, then the holder disputes it", dispute=True),
        Card("4000000000007726", "pays; a refund is pending and succeeds later", refund="pending"),
        Card("4000000000005126", "pays; a refund fails later", refund="fails"),
    )
}
REAL_CARD = (
    "card_declined",
    "test_mode_live_card",
    (
        "Your card was declined. Your request was in test mode, but used a non test card. For a list of valid test "
        "cards, visit: https://stripe.com/docs/testing."
    ),
)


# A number often written for the 3-D Secure card; its check digit is wrong, yet it is understood.
ALIASES = {"4000002760003220": "4000000000003220"}


def is_possible(number: str) -> bool:
    """Whether the check digit is right, or the number is one the sandbox understands all the same."""
    if number in ALIASES:
        return True
    total = 0
    for position, digit in enumerate(reversed(number)):
        value = int(digit) * (2 if position % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def find(number: str) -> Card:
    """The card with this number; one that is no test card is declined, as Stripe does in test mode."""
    return CARDS.get(ALIASES.get(number, number)) or Card(number, "is not a test card", decline=REAL_CARD)
