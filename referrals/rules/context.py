"""What the checks of a batch's rows need to know, passed in: the day, the force, and the tables of the scheme."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field

from common.clock import london_day, require_aware


@dataclass(frozen=True, slots=True)
class Context:
    """The setting in which a batch's rows are checked.

    `force` is the one that sent the batch, `forces` and `courses` the codes that are known, `now` the instant at which
    the batch is checked (with its time zone; `ValueError` if without). `speed_bands` gives for a limit the slowest and
    fastest recorded speed that lead to a course, in mph. An offer without its days can be booked for `book_by_days`
    and completed within `complete_by_months` of the offence.
    """

    force: str
    now: dt.datetime
    forces: frozenset[str]
    courses: frozenset[str]
    speed_bands: Mapping[int, tuple[int, int]]
    book_by_days: int
    complete_by_months: int
    today: dt.date = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "today", london_day(require_aware(self.now)))
