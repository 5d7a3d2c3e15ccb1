"""When courses are held: the last five weeks thinly, the next six fully, at all hours and in every way."""

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from audit.context import acting
from common.clock import from_london, london_day
from common.working_time import bank_holidays
from courses import services as courses
from courses.constants import Mode, TrainerRole
from courses.models import CourseType
from courses.services.sessions import Plan
from devtools.demo.staff import Licensed, Staff

WEEKS_AHEAD = 6
# Weekday (Monday is 0), start, course, town ("" is digital).
_NEXT_WEEKS = (
    (0, "09:30", "NSAC", ""),
    (1, "13:30", "NSAC", ""),
    (2, "17:45", "NSAC", ""),
    (3, "09:30", "NSAC", ""),
    (4, "13:30", "NSAC", ""),
    (5, "09:00", "NSAC", ""),
    (6, "14:00", "NSAC", ""),
    (1, "17:45", "NMAC", ""),
    (3, "13:15", "NMAC", ""),
    (2, "09:30", "WDU", ""),
    (5, "13:00", "WDU", ""),
    (3, "17:45", "NRRAC", ""),
    (0, "13:30", "NSAC", "Maidstone"),
    (5, "09:30", "NSAC", "Maidstone"),
    (2, "13:30", "NMAC", "Maidstone"),
    (3, "17:30", "WDU", "Maidstone"),
    (5, "13:45", "NRRAC", "Maidstone"),
    (4, "08:30", "SCD", "Maidstone"),
    (1, "09:30", "NSAC", "Ashford"),
    (3, "17:45", "NSAC", "Ashford"),
    (4, "09:30", "NMAC", "Ashford"),
    (4, "13:30", "WDU", "Ashford"),
    (5, "09:30", "NRRAC", "Ashford"),
    (6, "08:30", "SCD", "Ashford"),
)
# Days ago, start, course, town.
_LAST_WEEKS = (
    (36, "17:45", "NSAC", ""),
    (33, "13:30", "NSAC", "Maidstone"),
    (30, "09:30", "NSAC", ""),
    (29, "17:45", "NMAC", ""),
    (26, "09:30", "WDU", ""),
    (24, "17:45", "NSAC", ""),
    (22, "08:30", "SCD", "Maidstone"),
    (20, "09:30", "NSAC", "Ashford"),
    (17, "13:30", "NSAC", ""),
    (15, "17:45", "NRRAC", ""),
    (13, "09:30", "NMAC", ""),
    (11, "17:45", "NSAC", ""),
    (9, "09:30", "NSAC", "Maidstone"),
    (8, "13:30", "WDU", ""),
    (5, "17:45", "NSAC", ""),
    (3, "09:30", "NSAC", ""),
    (1, "09:00", "NSAC", ""),
)
FOREVER = dt.datetime.max.replace(tzinfo=dt.UTC)
YESTERDAY, TOMORROW, CANCELLED = "yesterday", "tomorrow", "cancelled"
# With names of their own in the story; the first two are the trainer's who signs in.
_NAMED = ((-1, "17:30", YESTERDAY), (1, "10:00", TOMORROW), (4, "18:30", CANCELLED))


@dataclass
class Lesson:
    """A session as the story knows it."""

    code: str
    mode: str
    starts_at: dt.datetime
    town: str = ""
    name: str = ""
    capacity: int = 0
    pk: int = 0
    ends_at: dt.datetime = FOREVER
    taken: int = 0
    trainers: list[Licensed] = field(default_factory=list)

    @property
    def has_place(self) -> bool:
        """Whether one more can come."""
        return self.taken < self.capacity


def lessons(today: dt.date) -> Iterator[Lesson]:
    """Every session of the story, in no order."""
    for days, start, name in _NAMED:
        yield _lesson(today + dt.timedelta(days=days), start, "NSAC", "", name)
    for days, start, code, town in _LAST_WEEKS:
        yield _lesson(today - dt.timedelta(days=days), start, code, town)
    for day in (today + dt.timedelta(days=days) for days in range(1, 7 * WEEKS_AHEAD + 1)):
        if day in bank_holidays(day.year):
            continue
        for weekday, start, code, town in _NEXT_WEEKS:
            if day.weekday() == weekday:
                yield _lesson(day, start, code, town)


def _lesson(day: dt.date, start: str, code: str, town: str, name: str = "") -> Lesson:
    mode = Mode.DIGITAL if not town else Mode.ON_ROAD if code == "SCD" else Mode.CLASSROOM
    return Lesson(code, mode, from_london(day, dt.time.fromisoformat(start)), town, name)


def hold_lessons(staff: Staff, *, today: dt.date, now: dt.datetime) -> list[Lesson]:
    """Schedule, staff and open every session, at the story's beginning `now`; sorted by start."""
    found = sorted(lessons(today), key=lambda lesson: (lesson.starts_at, lesson.name == ""))
    types = dict(CourseType.objects.values_list("code", "pk"))
    plans = [
        Plan(
            course_type_id=types[lesson.code],
            mode=lesson.mode,
            starts_at=lesson.starts_at,
            room_id=staff.rooms[lesson.town][0].pk if lesson.town else None,
            # A big class with two trainers, once in a while.
            capacity=24 if lesson.mode == Mode.CLASSROOM and _is_big(lesson) else None,
            joining_url="" if lesson.town else f"https://video.example.org/j/{8_460_000 + number}",
        )
        for number, lesson in enumerate(found)
    ]
    with acting(staff.manager):
        sessions = courses.schedule_many(plans=plans, by=staff.manager, now=now)
    with acting(staff.clerk):
        for lesson, session in zip(found, sessions, strict=True):
            lesson.pk, lesson.ends_at, lesson.capacity = session.pk, session.ends_at, session.capacity
        _staff(found, staff, now=now)
        for lesson in found:
            courses.open_session(session_id=lesson.pk, by=staff.clerk, now=now)
    return found


def _is_big(lesson: Lesson) -> bool:
    return lesson.town == "Maidstone" and lesson.code == "NSAC" and lesson.starts_at.isoweekday() == 6


def _staff(found: Iterable[Lesson], staff: Staff, *, now: dt.datetime) -> None:
    """Give each session its trainers: whoever is licensed that day, free, and has had the least to do."""
    busy: dict[int, list[Lesson]] = {each.trainer.pk: [] for each in staff.trainers}
    for lesson in sorted(found, key=lambda each: (each.name == "", each.starts_at)):
        needed = [TrainerRole.LEAD]
        if lesson.mode == Mode.ON_ROAD:
            needed.append(TrainerRole.ON_ROAD)
        elif lesson.capacity > 12:
            needed.append(TrainerRole.SECOND)
        for role in needed:
            free = [each for each in staff.trainers if _may(each, lesson, role, busy[each.trainer.pk])]
            # Those with a name of their own are the first trainer's, so that whoever signs in has them.
            free.sort(key=lambda each: 0 if lesson.name else len(busy[each.trainer.pk]))
            if free:
                chosen = free[0]
                busy[chosen.trainer.pk].append(lesson)
                lesson.trainers.append(chosen)
                courses.roster(session_id=lesson.pk, trainer_id=chosen.trainer.pk, role=role, by=staff.clerk, now=now)


def _may(each: Licensed, lesson: Lesson, role: TrainerRole, busy: list[Lesson]) -> bool:
    day = london_day(lesson.starts_at)
    needs = [lesson.code, *(["ADI"] if role == TrainerRole.ON_ROAD else [])]
    is_licensed = all(code in each.until and day <= each.until[code] for code in needs)
    return is_licensed and all(
        other.ends_at <= lesson.starts_at or lesson.ends_at <= other.starts_at for other in busy
    )
