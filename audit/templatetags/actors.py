"""Who did something, as people call them."""

from typing import Any

from django import template
from django.template import Context

from audit.naming import name_of

register = template.Library()


@register.simple_tag(takes_context=True)
def actor_words(context: Context, actor: str) -> str:
    """An actor of the record in words; whoever is met again on a page is looked up once."""
    kept: Any = context.render_context
    known: dict[str, str] = kept.setdefault("actors", {})
    if actor not in known:
        known[actor] = name_of(actor)
    return known[actor]
