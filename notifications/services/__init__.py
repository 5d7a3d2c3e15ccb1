"""Telling people: into the outbox, out of it, and what is done where that fails."""

from notifications.services.outbox import (
    Draft,
    enqueue,
    enqueue_many,
    readdress,
    tell,
    was_told,
    withdraw,
    withdraw_kinds,
)
from notifications.services.receipts import record_receipt
from notifications.services.sending import MOST_AT_ONCE, send_messages
from notifications.services.untold import send_again, told_otherwise
from notifications.services.wording import preview, publish

__all__ = [
    "MOST_AT_ONCE",
    "Draft",
    "enqueue",
    "enqueue_many",
    "preview",
    "publish",
    "readdress",
    "record_receipt",
    "send_again",
    "send_messages",
    "tell",
    "told_otherwise",
    "was_told",
    "withdraw",
    "withdraw_kinds",
]
