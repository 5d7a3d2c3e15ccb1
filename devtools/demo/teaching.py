"""How courses go: trainers mark who came, registers are closed, and what nobody booked is cancelled."""

import datetime as dt
from functools import partial
from typing import Literal

from audit.context import acting
from bookings.constants import BookingStatus
from bookings.models import Booking
from courses import services as courses
from devtools.demo.candidates import Candidates
from devtools.demo.clock import Clock
from devtools.demo.offers import Fate, Offer, Offers
from devtools.demo.staff import Staff
from devtools.demo.timetable import CANCELLED, YESTERDAY, Lesson
from rosters import services as rosters
from rosters.constants import DocumentKind, Mark

_AWAY = (Fate.STAYS_AWAY, Fate.EXPIRES_AFTER_AWAY)
_WHY = (Mark.DID_NOT_ATTEND, Mark.LATE, Mark.NO_VALID_ID, Mark.DID_NOT_ATTEND, Mark.TECHNICAL)


class Teaching:
    """The days of the courses that lie in the past."""

    def __init__(self, staff: Staff, candidates: Candidates, offers: Offers, clock: Clock) -> None:
        """What each candidate does stands in `offers`."""
        self.staff, self.candidates, self.offers, self.clock = staff, candidates, offers, clock
        self.away = 0
        self.closed = 0

    def plan(self) -> None:
        """Write each session that is over by the end of the story into it."""
        for lesson in self.candidates.lessons:
            if lesson.name == YESTERDAY:
                self.clock.at(lesson.ends_at - dt.timedelta(minutes=20), partial(self._mark_some, lesson))
            elif lesson.name != CANCELLED and lesson.ends_at < self.clock.end:
                self.clock.at(lesson.starts_at - dt.timedelta(hours=20), partial(self._cancel_if_empty, lesson))
                self.clock.at(lesson.ends_at + dt.timedelta(minutes=5), partial(self._mark_all, lesson))

    def _cancel_if_empty(self, lesson: Lesson, now: dt.datetime) -> None:
        if not lesson.taken:
            with acting(self.staff.clerk):
                courses.cancel_session(session_id=lesson.pk, reason="Nobody booked", by=self.staff.clerk, now=now)

    def _mark_all(self, lesson: Lesson, now: dt.datetime) -> None:
        """Mark everybody; close the register the same hour, once too late."""
        if not lesson.taken:
            return
        trainer = lesson.trainers[0].actor
        for booking in _on(lesson):
            self._mark(lesson, booking, now=now)
        self.closed += 1
        closed_at = now + (dt.timedelta(hours=3) if self.closed == 5 else dt.timedelta(minutes=20))
        with acting(trainer):
            rosters.close_register(session_id=lesson.pk, by=trainer, now=closed_at)

    def _mark_some(self, lesson: Lesson, now: dt.datetime) -> None:
        """Two marks; the rest is left for the trainer who signs in."""
        for booking in _on(lesson)[:2]:
            self._mark(lesson, booking, now=now)

    def _mark(self, lesson: Lesson, booking: Booking, *, now: dt.datetime) -> None:
        mark = Mark.COMPLETED
        document: DocumentKind | Literal[""] = DocumentKind.PHOTOCARD
        if self._fate_of(booking).fate in _AWAY:
            mark, document = _WHY[self.away % len(_WHY)], ""
            self.away += 1
        elif booking.pk % 7 == 0:
            document = DocumentKind.PASSPORT
        trainer = lesson.trainers[0].actor
        with acting(trainer):
            rosters.mark(
                session_id=lesson.pk,
                booking_id=booking.pk,
                mark=mark,
                document_kind=document,
                seen_at=None,
                by=trainer,
                now=now,
            )

    def _fate_of(self, booking: Booking) -> Offer:
        return next(offer for offer in self.offers.made if offer.referral_id == booking.referral_id)


def _on(lesson: Lesson) -> list[Booking]:
    return list(Booking.objects.filter(place__session_id=lesson.pk, status=BookingStatus.CONFIRMED).order_by("pk"))
