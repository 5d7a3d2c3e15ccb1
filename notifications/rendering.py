"""From a kind and its values to the words: templates/email/<kind>.{subject,body}.txt and .html."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string


@dataclass(frozen=True, slots=True)
class Rendered:
    """The words of one message."""

    subject: str
    text: str
    html: str


def render(kind: str, context: dict[str, Any]) -> Rendered:
    """The message's words. The subject is one line; text is not HTML-escaped, HTML is."""
    values = {
        **context,
        "site_url": settings.SITE_URL,
        "help_phone": settings.HELP_PHONE,
    }
    subject = " ".join(render_to_string(f"email/{kind}.subject.txt", values).split())
    text = render_to_string(f"email/{kind}.body.txt", values).strip() + "\n"
    return Rendered(subject=subject, text=text, html=render_to_string(f"email/{kind}.html", values))
