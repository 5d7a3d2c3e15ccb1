"""Writing to the outbox and emptying it."""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from common import claims
from common.bell import ring_on_commit
from notifications import channels, rendering, rules
from notifications.constants import Channel, MessageStatus
from notifications.errors import TryAgainError, UndeliverableError
from notifications.models import Message

logger = logging.getLogger(__name__)

# Longer than the mail server may take to answer, so that nobody else takes up a message that is being sent.
CLAIM_SECONDS = 120
SEND = "notifications.jobs.send_messages"


def enqueue(
    kind: str,
    *,
    to: str,
    dedupe_key: str,
    now: datetime,
    referral_key: str = "",
    context: dict[str, Any] | None = None,
    send_at: datetime | None = None,
    useless_at: datetime | None = None,
    attachments: Sequence[dict[str, str]] = (),
    channel: Channel = Channel.EMAIL,
) -> None:
    """Put a message into the outbox, in the caller's transaction: it exists exactly if the change it tells of does.

    `context` holds plain JSON values, dates already in words. `attachments` are {name, content_type, text}.
    `send_at` defaults to now; from `useless_at` on it is dropped unsent and listed. Where there is nobody to write
    to, or the same `dedupe_key` was written before, nothing happens.
    """
    if not to:
        return
    message = Message(
        kind=kind,
        channel=channel,
        to=to,
        dedupe_key=dedupe_key,
        referral_key=referral_key,
        context=context or {},
        attachments=list(attachments),
        created_at=now,
        send_at=send_at or now,
        useless_at=useless_at,
    )
    with transaction.atomic():
        Message.objects.bulk_create([message], ignore_conflicts=True)
        if send_at is None or send_at <= now:
            ring_on_commit(SEND, queue="mail")


def withdraw(*, dedupe_keys: Sequence[str], now: datetime) -> int:
    """Drop messages that wait but are no longer true, such as reminders of a cancelled course. Composed.

    Returns how many were dropped; what is sent or being sent stays as it is.
    """
    with transaction.atomic():
        return Message.objects.filter(dedupe_key__in=dedupe_keys, status=MessageStatus.QUEUED).update(
            status=MessageStatus.DROPPED, error="withdrawn: no longer true", claimed_until=None
        )


def send_messages(*, now: datetime, limit: int = 200) -> dict[str, int]:
    """Send what is due, oldest first; several workers may do so at once.

    A message is claimed before it is sent, and is sent outside any transaction. A worker that dies in between leaves
    its claim to run out; the message then goes again under the same Message-ID. Returns counts by what became of
    them: {"sent", "dropped", "put_off", "dead"}.
    """
    counts = {"sent": 0, "dropped": 0, "put_off": 0, "dead": 0}
    due = Message.objects.filter(status__in=[MessageStatus.QUEUED, MessageStatus.SENDING], send_at__lte=now)
    for message in claims.claim(due, now=now, limit=limit, seconds=CLAIM_SECONDS, ordering=("send_at", "id")):
        counts[_send(message, now)] += 1
    return counts


def send_again(*, message_id: int, now: datetime) -> bool:
    """Put a message that was given up back into the queue. Returns False where it was not given up."""
    with transaction.atomic(durable=True):
        changed = Message.objects.filter(pk=message_id, status=MessageStatus.DEAD).update(
            status=MessageStatus.QUEUED, send_at=now, attempts=0, error="", claimed_until=None
        )
        ring_on_commit(SEND, queue="mail")
    return bool(changed)


def _send(message: Message, now: datetime) -> str:
    if rules.is_useless(useless_at=message.useless_at, now=now):
        _record(message, MessageStatus.DROPPED, error="no longer useful: its time had passed")
        return "dropped"
    try:
        words = _words(message)
        message.subject, message.body = words.subject, words.text
        channels.send_email(
            channels.Letter(
                identity=message.dedupe_key,
                to=message.to,
                subject=words.subject,
                text=words.text,
                html=words.html,
                attachments=message.attachments,
            )
        )
    except UndeliverableError as error:
        _record(message, MessageStatus.DEAD, error=str(error))
        return "dead"
    except TryAgainError as error:
        if rules.is_given_up(attempts=message.attempts):
            _record(message, MessageStatus.DEAD, error=str(error))
            return "dead"
        message.send_at = rules.next_try_at(attempts=message.attempts, now=now)
        _record(message, MessageStatus.QUEUED, error=str(error))
        return "put_off"
    message.sent_at = now
    _record(message, MessageStatus.SENT, error="")
    return "sent"


def _words(message: Message) -> rendering.Rendered:
    """The words of a message. Raises TryAgainError where they cannot be made.

    That is a fault of a template or of its values: once it is mended the message goes by itself. Until then the
    messages behind it must not wait for it.
    """
    try:
        return rendering.render(message.kind, message.context)
    except Exception as error:
        logger.exception("message %s cannot be put into words", message.pk)
        raise TryAgainError(f"cannot be put into words ({type(error).__name__})") from error


def _record(message: Message, status: MessageStatus, *, error: str) -> None:
    """The one place that moves a message on; its claim ends here."""
    message.status, message.error, message.claimed_until = status, error[:200], None
    message.save(update_fields=["status", "error", "claimed_until", "subject", "body", "send_at", "sent_at"])
