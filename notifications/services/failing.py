"""Where a message cannot be delivered: another channel tells the person, or else staff must."""

from datetime import datetime

from django.db import transaction

from common.bell import ring_on_commit
from notifications import channels, rules
from notifications.constants import Channel, MessageStatus
from notifications.models import Message
from notifications.services.outbox import SEND, text_key

_TOLD = (MessageStatus.QUEUED, MessageStatus.SENDING, MessageStatus.SENT)
_FIELDS = (
    "status", "error", "claimed_until", "attempts", "subject", "body", "version", "provider_id", "send_at", "sent_at",
)  # fmt: skip


def record(message: Message, status: MessageStatus, *, error: str) -> None:
    """The one place that moves a message on; its claim ends here."""
    message.status, message.error, message.claimed_until = status, error[:200], None
    message.save(update_fields=_FIELDS)


def not_delivered(message: Message, *, why: str, now: datetime) -> None:
    """Pass a message that cannot be delivered to the next channel; with none left it waits for a person. Composed."""
    with transaction.atomic():
        is_told = _is_told_otherwise(message) or _text_instead(message, now)
        record(message, MessageStatus.PASSED_ON if is_told else MessageStatus.DEAD, error=why)


def _is_told_otherwise(message: Message) -> bool:
    """Whether the other channel has told the same, or is about to."""
    key = message.dedupe_key
    other = text_key(key) if message.channel == Channel.EMAIL else key.removesuffix(text_key(""))
    return Message.objects.filter(dedupe_key=other, status__in=_TOLD).exclude(pk=message.pk).exists()


def _text_instead(message: Message, now: datetime) -> bool:
    if not message.fallback_to or not channels.is_on(Channel.SMS):
        return False
    send_at = rules.after_quiet_hours(now)
    if rules.is_useless(useless_at=message.useless_at, now=send_at):
        return False
    key = text_key(message.dedupe_key)
    text = Message(
        kind=message.kind,
        channel=Channel.SMS,
        to=message.fallback_to,
        dedupe_key=key,
        referral_key=message.referral_key,
        context=message.context,
        created_at=now,
        send_at=send_at,
        useless_at=message.useless_at,
    )
    Message.objects.bulk_create([text], ignore_conflicts=True)
    ring_on_commit(SEND, queue="mail")
    # One that was there before and failed as well is no way to be told.
    return Message.objects.filter(dedupe_key=key, status__in=_TOLD).exists()
