"""Out of the outbox."""

import logging
from datetime import datetime

from common import claims
from notifications import channels, rendering, rules, selectors
from notifications.constants import WAITING, Channel, MessageStatus
from notifications.errors import TryAgainError, UndeliverableError
from notifications.models import Message, TemplateVersion
from notifications.services import failing

logger = logging.getLogger(__name__)

# Longer than a mail server may take to answer, so that nobody else takes up a message that is being sent.
CLAIM_SECONDS = 120
MOST_AT_ONCE = 200
Published = dict[tuple[str, str], TemplateVersion]


def send_messages(*, now: datetime, limit: int = MOST_AT_ONCE) -> dict[str, int]:
    """Send what is due, oldest first; several workers may do so at once.

    A message is claimed before it is sent, and is sent outside any transaction. A worker that dies in between leaves
    its claim to run out; the message then goes again under the same Message-ID, or Notify is asked whether it has it.
    Returns counts by what became of them: {"sent", "dropped", "put_off", "dead"}.
    """
    counts = {"sent": 0, "dropped": 0, "put_off": 0, "dead": 0}
    due = Message.objects.filter(status__in=WAITING, send_at__lte=now)
    claimed = claims.claim(due, now=now, limit=limit, seconds=CLAIM_SECONDS, ordering=("send_at", "id"))
    published = selectors.published(now=now) if claimed else {}
    for message in claimed:
        counts[_send(message, published, now)] += 1
    return counts


def _send(message: Message, published: Published, now: datetime) -> str:
    if rules.is_useless(useless_at=message.useless_at, now=now):
        return _drop(message, "no longer useful: its time had passed")
    if message.channel == Channel.SMS and (morning := rules.after_quiet_hours(now)) > now:
        if rules.is_useless(useless_at=message.useless_at, now=morning):
            return _drop(message, "no longer useful by the morning, and nobody is texted at night")
        message.attempts -= 1  # it was not tried
        return _put_off(message, morning, "waits for the morning")
    try:
        words = _words(message, published)
        message.subject, message.body, message.version = words.subject, words.text, words.version
        message.provider_id = channels.send(_letter(message, words))
    except UndeliverableError as error:
        failing.not_delivered(message, why=str(error), now=now)
        return "dead"
    except TryAgainError as error:
        if rules.is_given_up(attempts=message.attempts):
            failing.not_delivered(message, why=str(error), now=now)
            return "dead"
        return _put_off(message, rules.next_try_at(attempts=message.attempts, now=now), str(error))
    message.sent_at = now
    failing.record(message, MessageStatus.SENT, error="")
    return "sent"


def _words(message: Message, published: Published) -> rendering.Rendered:
    """The words of a message. Raises TryAgainError where they cannot be made.

    That is a fault of a template or of its values: once it is mended the message goes by itself. Until then the
    messages behind it must not wait for it.
    """
    channel = Channel(message.channel)
    try:
        words, version = selectors.words_of(published.get((message.kind, channel)), message.kind, channel)
        is_attached = bool(message.attachments) and channels.carries_files(channel)
        return rendering.render(words, message.context, channel=channel, is_attached=is_attached, version=version)
    except Exception as error:
        logger.exception("message %s cannot be put into words", message.pk)
        raise TryAgainError(f"cannot be put into words ({type(error).__name__})") from error


def _letter(message: Message, words: rendering.Rendered) -> channels.Letter:
    return channels.Letter(
        channel=Channel(message.channel),
        identity=message.dedupe_key,
        number=message.pk,
        is_repeat=message.attempts > 1,
        to=message.to,
        subject=words.subject,
        text=words.text,
        html=words.html,
        attachments=message.attachments,
    )


def _drop(message: Message, why: str) -> str:
    failing.record(message, MessageStatus.DROPPED, error=why)
    return "dropped"


def _put_off(message: Message, until: datetime, why: str) -> str:
    message.send_at = until
    failing.record(message, MessageStatus.QUEUED, error=why)
    return "put_off"
