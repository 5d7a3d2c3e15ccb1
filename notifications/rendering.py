"""From a kind and its values to the words: what staff published, or else the files of the software."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.template.loader import get_template, render_to_string
from django.utils.safestring import mark_safe

from notifications import rules
from notifications.constants import Channel
from notifications.rules import Words

# Parts that several messages share: {{ details }} in a message stands for the words of email/_details.*.
PARTS = ("details", "on_the_day")
COMMON = frozenset({"site_url", "help_phone", "is_attached"})

_parsed = lru_cache(maxsize=512)(rules.parse)


@dataclass(frozen=True, slots=True)
class Rendered:
    """The words of one message and their version (0: the files). `body_html` is `html` without its frame."""

    subject: str
    text: str
    html: str
    version: int = 0
    body_html: str = ""


def words_in_files(kind: str, channel: Channel) -> Words:
    """Version 0 of a message: templates/email/<kind>.{subject.txt,body.txt,html} or templates/sms/<kind>.txt."""
    if channel == Channel.SMS:
        return Words(subject="", body=_file(f"sms/{kind}.txt"), html="")
    return Words(
        subject=_file(f"email/{kind}.subject.txt"),
        body=_file(f"email/{kind}.body.txt"),
        html=_file(f"email/{kind}.html"),
    )


def render(
    words: Words, context: Mapping[str, Any], *, channel: Channel, is_attached: bool, version: int = 0
) -> Rendered:
    """Put values into words and the words into the frame of their channel. Raises rules.WordsError.

    The subject is one line; values are escaped in HTML and nowhere else. `is_attached` tells whether files go along.
    """
    values = {
        **context,
        "site_url": settings.SITE_URL,
        "help_phone": settings.HELP_PHONE,
        "is_attached": is_attached,
    }
    if channel == Channel.SMS:
        text = rules.tidy(rules.fill(_parsed(words.body), values))
        return Rendered(subject="", text=text, html="", version=version)
    subject = " ".join(rules.fill(_parsed(words.subject), values).split())
    body = rules.fill(_parsed(words.body), values, parts=_parts("txt"))
    signature = rules.fill(_parsed(_file("email/_signature.txt")), values)
    html = rules.fill(_parsed(words.html), values, is_html=True, parts=_parts("html"))
    # Every value in it is escaped, and the tags around them are ours or were checked when they were published.
    safe = mark_safe(html)  # noqa: S308
    frame = {**values, "heading": subject, "body": safe}
    return Rendered(
        subject=subject,
        text=rules.tidy(f"{body}\n\n{signature}"),
        html=render_to_string("email/base.html", frame),
        version=version,
        body_html=safe,
    )


def _parts(suffix: str) -> dict[str, rules.Parsed]:
    return {part: _parsed(_file(f"email/_{part}.{suffix}")) for part in PARTS}


def _file(name: str) -> str:
    source: str = get_template(name).template.source  # type: ignore[attr-defined]
    return source
