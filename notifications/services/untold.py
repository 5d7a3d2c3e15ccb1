"""What staff do about people who could not be told."""

from datetime import datetime

from django.db import transaction

from audit import services as audit
from audit.context import Actor
from common.bell import ring_on_commit
from notifications.catalogue import title_of
from notifications.constants import Channel, MessageStatus
from notifications.errors import NoteNeededError
from notifications.models import Message
from notifications.services.outbox import SEND


def send_again(*, message_id: int, by: Actor, now: datetime, to: str = "") -> bool:
    """Put a message that was given up back into the queue, to another address where one is given.

    Returns False where it was not given up, or somebody has told the person meanwhile.
    """
    with transaction.atomic(durable=True):
        message = _locked(message_id)
        if message is None:
            return False
        message.to = to or message.to
        message.status, message.error, message.claimed_until = MessageStatus.QUEUED, "", None
        message.send_at, message.sent_at, message.attempts, message.provider_id = now, None, 0, ""
        message.save()
        _record(message, "message.sent_again", "is sent again", by=by, now=now)
        ring_on_commit(SEND, queue="mail")
    return True


def told_otherwise(*, message_id: int, note: str, by: Actor, now: datetime) -> bool:
    """Record that staff told the person some other way, such as by telephone; takes the message off the work list.

    Returns False where it is not on it. Raises NoteNeededError without a note.
    """
    if not note.strip():
        raise NoteNeededError
    with transaction.atomic(durable=True):
        message = _locked(message_id)
        if message is None:
            return False
        message.told_at, message.told_by, message.told_note = now, str(by), note.strip()[:300]
        message.save(update_fields=["told_at", "told_by", "told_note"])
        _record(message, "message.told_otherwise", "was told another way", by=by, now=now, reason=note.strip()[:300])
    return True


def _locked(message_id: int) -> Message | None:
    waiting = Message.objects.filter(status=MessageStatus.DEAD, told_at=None)
    return waiting.select_for_update(no_key=True).filter(pk=message_id).first()


def _record(message: Message, action: str, what: str, *, by: Actor, now: datetime, reason: str = "") -> None:
    channel = Channel(message.channel).label
    audit.record(
        action,
        by=by,
        now=now,
        words=f"“{title_of(message.kind)}” ({channel.lower()}) could not be delivered and {what}.",
        referral_key=message.referral_key,
        subject=f"message:{message.pk}",
        reason=reason,
    )
