"""Into the outbox: in the transaction that gave the reason to tell, once for each reason."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction

from common.bell import ring_on_commit
from notifications import channels, rules
from notifications.catalogue import KINDS
from notifications.constants import Channel, MessageStatus
from notifications.models import Message

SEND = "notifications.jobs.send_messages"
SLICE = 1000
NOWHERE = "no email address, and no number we can text: tell them by post or telephone"


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What somebody is to be told, by e-mail, by text message or both (`notifications.catalogue` says when).

    `context` holds plain JSON values, dates already in words. `attachments` are {name, content_type, text}.
    `send_at` defaults to now; from `useless_at` on it is dropped unsent and listed.
    """

    kind: str
    dedupe_key: str
    email: str = ""
    mobile: str = ""
    referral_key: str = ""
    context: dict[str, Any] = field(default_factory=dict)
    send_at: datetime | None = None
    useless_at: datetime | None = None
    attachments: Sequence[dict[str, str]] = ()


def tell(draft: Draft, *, now: datetime) -> None:
    """Put one draft into the outbox, composed: it exists exactly if the change it tells of does.

    Where the same `dedupe_key` was written before, nothing happens. Where there is no way to reach the person, staff
    get it on their list of people to tell, if the kind must be told at all.
    """
    enqueue_many([draft], now=now)


def enqueue_many(drafts: Iterable[Draft], *, now: datetime) -> int:
    """Put many drafts into the outbox, a thousand rows a statement. Composed; may be repeated.

    Returns how many messages the drafts make; those written before stay as they are and are counted too.
    """
    messages = [message for draft in drafts for message in _messages(draft, now)]
    _insert(messages, now)
    return len(messages)


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
    """Put one message on one channel into the outbox, as `tell` does for whoever has an address there. Composed."""
    if to:
        draft = Draft(
            kind=kind,
            dedupe_key=dedupe_key,
            referral_key=referral_key,
            context=context or {},
            send_at=send_at,
            useless_at=useless_at,
            attachments=attachments,
        )
        _insert([_message(draft, channel, to, dedupe_key, now)], now)


def withdraw(*, dedupe_keys: Sequence[str], now: datetime) -> int:
    """Drop messages that wait but are no longer true, such as reminders of a cancelled course. Composed.

    Returns how many were dropped; what is sent or being sent stays as it is.
    """
    keys = [*dedupe_keys, *map(text_key, dedupe_keys)]
    with transaction.atomic():
        return _drop(Message.objects.filter(dedupe_key__in=keys))


def withdraw_kinds(*, referral_key: str, kinds: Sequence[str], now: datetime) -> int:
    """Drop what waits of these kinds for one referral, such as chasers once something is booked. Composed."""
    with transaction.atomic():
        return _drop(Message.objects.filter(referral_key=referral_key, kind__in=kinds))


def readdress(*, referral_key: str, was: str, to: str, now: datetime) -> int:
    """Send what waits for one referral to another address or number of the same kind. Composed; returns how many."""
    if not was or not to or was == to:
        return 0
    waiting = Message.objects.filter(referral_key=referral_key, status=MessageStatus.QUEUED)
    with transaction.atomic():
        waiting.filter(fallback_to=was).update(fallback_to=to)
        return int(waiting.filter(to=was).update(to=to))


def was_told(*, dedupe_key: str, saying: dict[str, Any] | None = None) -> bool:
    """Whether something was told under this key, in writing or by text, or is about to be, `saying` these values."""
    told = Message.objects.filter(dedupe_key__in=[dedupe_key, text_key(dedupe_key)])
    return (told.filter(context__contains=saying) if saying else told).exists()


def text_key(dedupe_key: str) -> str:
    """The key of the text message that says the same as an e-mail."""
    return f"{dedupe_key}:sms"


def _drop(messages: Any) -> int:
    dropped: int = messages.filter(status=MessageStatus.QUEUED).update(
        status=MessageStatus.DROPPED, error="withdrawn: no longer true", claimed_until=None
    )
    return dropped


def _messages(draft: Draft, now: datetime) -> list[Message]:
    can_text = bool(draft.mobile) and channels.is_on(Channel.SMS) and KINDS[draft.kind].has_sms
    made = []
    if draft.email:
        message = _message(draft, Channel.EMAIL, draft.email, draft.dedupe_key, now)
        message.fallback_to = draft.mobile if can_text else ""
        made.append(message)
    if can_text and (KINDS[draft.kind].is_also_texted or not draft.email):
        made.append(_message(draft, Channel.SMS, draft.mobile, text_key(draft.dedupe_key), now))
    if not made and KINDS[draft.kind].must_be_told:
        message = _message(draft, Channel.EMAIL, "", draft.dedupe_key, now)
        message.status, message.error = MessageStatus.DEAD, NOWHERE
        made.append(message)
    return made


def _message(draft: Draft, channel: Channel, to: str, dedupe_key: str, now: datetime) -> Message:
    send_at = draft.send_at or now
    return Message(
        kind=draft.kind,
        channel=channel,
        to=to,
        dedupe_key=dedupe_key,
        referral_key=draft.referral_key,
        context=draft.context,
        attachments=list(draft.attachments) if channel == Channel.EMAIL else [],
        created_at=now,
        send_at=rules.after_quiet_hours(send_at) if channel == Channel.SMS else send_at,
        useless_at=draft.useless_at,
    )


def _insert(messages: list[Message], now: datetime) -> None:
    if not messages:
        return
    with transaction.atomic():
        Message.objects.bulk_create(messages, ignore_conflicts=True, batch_size=SLICE)
        if any(message.status == MessageStatus.QUEUED and message.send_at <= now for message in messages):
            ring_on_commit(SEND, queue="mail")
