"""Publishing new words for a message."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from django.db import IntegrityError, transaction

from audit import services as audit
from audit.context import Actor
from notifications import rendering, rules, selectors
from notifications.catalogue import KINDS, known_placeholders
from notifications.constants import Channel
from notifications.errors import StaleWordsError, UnfitWordsError
from notifications.models import TemplateVersion
from notifications.rules import Words


def preview(*, kind: str, channel: Channel, words: Words) -> rendering.Rendered:
    """How a message would look, with made-up values. Raises UnfitWordsError with everything that is wrong."""
    problems = rules.check(words, known=known_placeholders(kind), is_sms=channel == Channel.SMS)
    if problems:
        raise UnfitWordsError(problems)
    try:
        return rendering.render(words, KINDS[kind].sample, channel=channel, is_attached=True)
    except rules.WordsError as error:
        raise UnfitWordsError([f"{error}."]) from error


def publish(
    *, kind: str, channel: Channel, words: Words, instead_of: int, by: Actor, now: datetime
) -> TemplateVersion:
    """Have messages of this kind say these words from now on.

    `instead_of` is the version the editor saw: StaleWordsError where another was published meanwhile. Raises
    UnfitWordsError where something is wrong with the words; nothing is published then.
    """
    preview(kind=kind, channel=channel, words=words)
    if selectors.live_words(kind, channel, now=now)[1] != instead_of:
        raise StaleWordsError
    with _stale_where_taken(), transaction.atomic(durable=True):
        version = TemplateVersion.objects.create(
            kind=kind,
            channel=channel,
            version=instead_of + 1,
            subject=words.subject.strip(),
            body=words.body.replace("\r\n", "\n").strip() + "\n",
            html=words.html.replace("\r\n", "\n").strip(),
            valid_from=now,
            created_at=now,
            by=str(by),
        )
        audit.record(
            "words.published",
            by=by,
            now=now,
            words=f"New words for “{KINDS[kind].title}” ({channel.label.lower()}), version {version.version}.",
            subject=f"words:{kind}:{channel}:{version.version}",
        )
    return version


@contextmanager
def _stale_where_taken() -> Iterator[None]:
    """Two editors at once: the database takes one version of a number, and the second editor is told."""
    try:
        yield
    except IntegrityError as error:
        raise StaleWordsError from error
