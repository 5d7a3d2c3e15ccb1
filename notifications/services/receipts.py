"""What GOV.UK Notify says became of a message."""

from datetime import datetime

from django.db import transaction

from notifications.constants import MessageStatus
from notifications.errors import NotYetSentError
from notifications.models import Message
from notifications.services import failing

DELIVERED = "delivered"
_UNDER_WAY = frozenset({"created", "sending", "pending", "accepted", "received", "sent"})


def record_receipt(*, provider_id: str, reference: str, status: str, now: datetime) -> bool:
    """Record that a message arrived, or pass one that did not to the next channel. Twice does nothing more.

    Returns whether something changed; receipts of messages that are not ours change nothing. Raises NotYetSentError
    where the receipt overtook our own note that the message went: Notify tries again.
    """
    number = reference.removeprefix("ndors-")
    if not number.isdigit() or reference == number or status in _UNDER_WAY:
        return False
    with transaction.atomic(durable=True):
        message = Message.objects.select_for_update(no_key=True).filter(pk=int(number)).first()
        if message is None:
            return False
        if not message.provider_id and message.status in (MessageStatus.QUEUED, MessageStatus.SENDING):
            raise NotYetSentError
        # One of an earlier sending says nothing of the later.
        if message.provider_id != provider_id or message.status != MessageStatus.SENT or message.delivered_at:
            return False
        if status == DELIVERED:
            message.delivered_at = now
            message.save(update_fields=["delivered_at"])
        else:
            failing.not_delivered(message, why=f"Notify could not deliver it ({status[:60]})", now=now)
    return True
