"""What the checks of a batch's rows need to know, passed in: the day, the force, and the tables of the scheme.

The speed bands and time limits of DOMAIN.md §3 are the defaults, and the application passes no others yet.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from common.clock import london_day, require_aware

# Limit -> slowest and fastest recorded speed, in mph, that lead to a course (askthe.police.uk).
DEFAULT_SPEED_BANDS: Mapping[int, tuple[int, int]] = MappingProxyType(
    {20: (24, 31), 30: (35, 42), 40: (46, 53), 50: (57, 64), 60: (68, 75), 70: (79, 86)}
)


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """How dates of an offer follow from one another.

    The time limit is that for laying an information, six months from the offence (Magistrates' Courts Act 1980 s.127);
    16 is the youngest age at which one may hold a licence for anything.
    """

    book_by_days: int = 28
    complete_by_months: int = 4
    time_limit_months: int = 6
    minimum_age_years: int = 16


@dataclass(frozen=True, slots=True)
class Context:
    """The setting in which a batch's rows are checked.

    `force` is the one that sent the batch, `forces` and `courses` the codes that are known, `now` the instant at which
    the batch is checked (with its time zone; `ValueError` if without).
    """

    force: str
    now: dt.datetime
    forces: frozenset[str]
    courses: frozenset[str]
    speed_bands: Mapping[int, tuple[int, int]] = field(default_factory=lambda: DEFAULT_SPEED_BANDS)
    time_limits: TimeLimits = field(default_factory=TimeLimits)
    today: dt.date = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "today", london_day(require_aware(self.now)))
