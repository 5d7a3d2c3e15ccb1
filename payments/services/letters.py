"""Letters to staff about money that needs a person."""

import datetime as dt
from collections.abc import Iterable

from django.conf import settings

from notifications import services as notifications


def write(what: str, *, facts: Iterable[str], path: str, key: str, now: dt.datetime) -> None:
    """A letter to staff, once for each `key`, with the page in admin where it is seen to. Composed."""
    notifications.enqueue(
        "money_task",
        to=settings.HELP_EMAIL,
        dedupe_key=key,
        now=now,
        context={"what": what, "facts": list(facts), "path": path},
    )
