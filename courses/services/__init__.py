"""Every write to courses, sessions and places: one function per use case."""

from courses.services.places import hold_place, keep_place, let_run_out, release_place, take_place
from courses.services.sessions import (
    cancel_session,
    change_capacity,
    change_session,
    close_session,
    mark_delivered,
    open_session,
    schedule,
    schedule_many,
)
from courses.services.trainers import roster, take_off

__all__ = [
    "cancel_session",
    "change_capacity",
    "change_session",
    "close_session",
    "hold_place",
    "keep_place",
    "let_run_out",
    "mark_delivered",
    "open_session",
    "release_place",
    "roster",
    "schedule",
    "schedule_many",
    "take_off",
    "take_place",
]
