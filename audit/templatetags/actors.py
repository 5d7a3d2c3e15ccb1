"""Who did something, as people call them."""

from typing import Any

from django import template
from django.template import Context

from accounts.models import User

register = template.Library()
_NAMELESS = {"candidate": "the candidate", "api": "the force’s own system"}
_PROGRAMS = {"job": "the portal", "command": "a command on the server"}


@register.simple_tag(takes_context=True)
def actor_words(context: Context, actor: str) -> str:
    """An actor of the record: "staff:7" is "amara (staff)", "job:send_refunds" is "the portal (send refunds)".

    Whoever is met again on a page is looked up once.
    """
    kept: Any = context.render_context
    known: dict[str, str] = kept.setdefault("actors", {})
    if actor not in known:
        known[actor] = _words(actor)
    return known[actor]


def _words(actor: str) -> str:
    kind, _, key = actor.partition(":")
    if kind in ("staff", "officer", "trainer") and key.isdecimal():
        name = User.objects.filter(pk=key).values_list("username", flat=True).first()
        return f"{name} ({kind})" if name else actor
    if kind in _PROGRAMS:
        return f"{_PROGRAMS[kind]} ({key.replace('_', ' ')})"
    return _NAMELESS.get(kind, actor)
