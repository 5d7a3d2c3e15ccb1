"""The story's clock: what happens when, played in order of time up to the moment of loading."""

import datetime as dt
import heapq
from collections.abc import Callable
from itertools import count

Act = Callable[[dt.datetime], None]


class Clock:
    """Events in the order of their time; an event may add later ones. What lies after the end does not happen."""

    def __init__(self, end: dt.datetime) -> None:
        """`end` is the moment of loading."""
        self.end = end
        self._events: list[tuple[dt.datetime, int, Act]] = []
        self._number = count()

    def at(self, when: dt.datetime, act: Act) -> None:
        """Have `act` called with `when`, its time; of two at the same time the one added first."""
        heapq.heappush(self._events, (when, next(self._number), act))

    def play(self) -> None:
        """Let everything happen that happens by the end."""
        while self._events and self._events[0][0] <= self.end:
            when, _, act = heapq.heappop(self._events)
            act(when)
