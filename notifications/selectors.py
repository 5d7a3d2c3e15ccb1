"""What waits in the outbox, and which words are live."""

from datetime import datetime

from django.db.models import Min, QuerySet

from notifications import channels, rendering
from notifications.constants import WAITING, Channel, MessageStatus
from notifications.models import Message, TemplateVersion
from notifications.rules import Words


def oldest_unsent_at(*, now: datetime) -> datetime | None:
    """Since when the oldest message that is due has been waiting; None when nothing is due."""
    waiting = Message.objects.filter(status__in=WAITING, created_at__lte=now)
    first: datetime | None = waiting.filter(send_at__lte=now).aggregate(first=Min("send_at"))["first"]
    return first


def untold() -> QuerySet[Message]:
    """Messages that nobody got and that nobody has seen to, oldest first."""
    return Message.objects.filter(status=MessageStatus.DEAD, told_at=None).order_by("created_at")


def told(referral_key: str) -> QuerySet[Message]:
    """Everything that was told about one referral, or is about to be, newest first; not what was dropped as untrue."""
    return Message.objects.filter(referral_key=referral_key).exclude(status=MessageStatus.DROPPED).order_by("-pk")


def published(*, now: datetime) -> dict[tuple[str, str], TemplateVersion]:
    """The words that staff have published and that are live, by kind and channel."""
    live = TemplateVersion.objects.filter(valid_from__lte=now).order_by("kind", "channel", "-version")
    return {(each.kind, each.channel): each for each in live.distinct("kind", "channel")}


def live_words(kind: str, channel: Channel, *, now: datetime) -> tuple[Words, int]:
    """The words that a message of this kind would go out with now, and their version."""
    live = TemplateVersion.objects.filter(kind=kind, channel=channel, valid_from__lte=now).order_by("-version").first()
    return words_of(live, kind, channel)


def words_of(version: TemplateVersion | None, kind: str, channel: Channel) -> tuple[Words, int]:
    """The words of a published version; of the files where there is none."""
    if version is None:
        return rendering.words_in_files(kind, channel), 0
    return Words(subject=version.subject, body=version.body, html=version.html), version.version


def can_text() -> bool:
    """Whether text messages can go out here."""
    return channels.is_on(Channel.SMS)


def can_reach(*, email: str, mobile: str) -> bool:
    """Whether a message to this address or number, either of which may be empty, can go out here."""
    return bool(email) or (bool(mobile) and can_text())
