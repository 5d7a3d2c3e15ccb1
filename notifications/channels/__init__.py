"""The ways out: each takes a rendered message and sends it, or says whether trying again makes sense."""

from django.conf import settings

from notifications.channels.letter import Letter
from notifications.channels.notify import send_by_notify
from notifications.channels.smtp import message_id, send_email
from notifications.constants import Channel

__all__ = ["Letter", "carries_files", "is_on", "message_id", "send"]


def is_on(channel: Channel) -> bool:
    """Whether messages of this channel can go out at all here."""
    return channel == Channel.EMAIL or bool(settings.NOTIFY_API_KEY and settings.NOTIFY_SMS_TEMPLATE_ID)


def carries_files(channel: Channel) -> bool:
    """Whether what goes out on this channel takes its attachments along. Notify takes no calendar files."""
    return channel == Channel.EMAIL and settings.EMAIL_CHANNEL == "smtp"


def send(letter: Letter) -> str:
    """Hand a message over; the provider's id of it, if there is one. Raises TryAgainError, UndeliverableError."""
    if letter.channel == Channel.EMAIL and settings.EMAIL_CHANNEL == "smtp":
        send_email(letter)
        return ""
    return send_by_notify(letter)
