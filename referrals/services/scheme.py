"""The tables of the scheme that an import needs, read once for a batch."""

from dataclasses import dataclass
from datetime import date

from courses.models import CourseType
from referrals.models import CourseBlock, Force, OfferTerms, SpeedBand


@dataclass(frozen=True)
class Scheme:
    """Keys of the course types by code, the codes delivered today, names of forces by code, and what bars what.

    Of the day it was read for: the speed bands by limit, and what is filled in where an offer comes without its days.
    """

    courses: dict[str, int]
    delivered: frozenset[str]
    forces: dict[str, str]
    blocks: tuple[tuple[int, int, date, date | None], ...]
    speed_bands: dict[int, tuple[int, int]]
    terms: OfferTerms

    def bars(self, course: int, done: int, on: date) -> bool:
        """Whether having done one course bars an offer of another made on a day."""
        return any(
            course == offered and done == blocker and first <= on and (last is None or on <= last)
            for offered, blocker, first, last in self.blocks
        )

    def code_of(self, course: int) -> str:
        """The code of a course type."""
        return next(code for code, pk in self.courses.items() if pk == course)


def read_scheme(on: date) -> Scheme:
    """Read the scheme's tables as they are on a London day."""
    types = list(CourseType.objects.values_list("code", "pk", "is_delivered"))
    return Scheme(
        courses={code: pk for code, pk, _ in types},
        delivered=frozenset(code for code, _, is_delivered in types if is_delivered),
        forces=dict(Force.objects.filter(is_active=True).values_list("code", "name")),
        blocks=tuple(CourseBlock.objects.values_list("course_type_id", "blocked_by_id", "valid_from", "valid_to")),
        speed_bands={
            limit: (slowest, fastest)
            for limit, slowest, fastest in SpeedBand.objects.filter(valid_from__lte=on)
            .order_by("valid_from")
            .values_list("limit_mph", "slowest_mph", "fastest_mph")
        },
        terms=OfferTerms.objects.filter(valid_from__lte=on).latest("valid_from"),
    )
