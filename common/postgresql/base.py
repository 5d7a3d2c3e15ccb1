"""Whether a connection kept from the last request still works, seen without asking the server.

Django asks `SELECT 1` at the start of each request: a round trip for every page. A server that has died or let the
connection go has closed its end, and that can be seen on this side of it.
"""

import select
from typing import Any, cast

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's own, but for the look."""

    def is_usable(self) -> bool:
        """Whether the connection works. Nothing is to be heard on one that rests; where something is, Django asks."""
        held = cast(Any, self.connection)
        if held is None or held.closed:
            return False
        ear = select.poll()
        ear.register(held.fileno(), select.POLLIN | select.POLLERR | select.POLLHUP)
        return not ear.poll(0) or bool(super().is_usable())
