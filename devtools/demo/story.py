"""The plot: seven weeks up to the moment of loading. Dates count from that day, so each load is as fresh."""

import datetime as dt
import random
from collections.abc import Callable
from functools import partial

from audit.context import acting
from bookings.constants import NeedKind
from common.clock import london, london_day
from common.working_time import is_working_day
from courses import services as courses
from devtools.demo import people, sweeps
from devtools.demo.candidates import Candidates, Payer, tell_need
from devtools.demo.clock import Clock
from devtools.demo.offers import Fate, Offer, Offers
from devtools.demo.police import Police, at_hour
from devtools.demo.staff import Staff
from devtools.demo.teaching import Teaching
from devtools.demo.timetable import CANCELLED, FOREVER, TOMORROW, YESTERDAY, Lesson, hold_lessons

BEGINS_DAYS_AGO = 50
# Force, days ago, hour, size, and what becomes of how many. The rest waits.
BATCHES: tuple[tuple[str, int, int, int, dict[Fate, int]], ...] = (
    (
        "46", 48, 9, 105,
        {
            Fate.COMPLETES: 17, Fate.STAYS_AWAY: 3, Fate.EXPIRES: 15, Fate.EXPIRES_AFTER_AWAY: 2, Fate.WITHDRAWN: 4,
            Fate.CANCELS: 1, Fate.BOOKS_AHEAD: 3, Fate.LAPSES: 2,
        },
    ),
    (
        "46", 34, 9, 105,
        {
            Fate.COMPLETES: 16, Fate.STAYS_AWAY: 3, Fate.EXPIRES: 8, Fate.WITHDRAWN: 4, Fate.WITHDRAWN_BOOKED: 1,
            Fate.CANCELS: 3, Fate.BOOKS_AHEAD: 4, Fate.LAPSES: 2,
        },
    ),
    (
        "42", 30, 11, 30,
        {Fate.COMPLETES: 4, Fate.STAYS_AWAY: 1, Fate.EXPIRES: 2, Fate.WITHDRAWN: 1, Fate.BOOKS_AHEAD: 2},
    ),
    (
        "46", 20, 9, 100,
        {
            Fate.COMPLETES: 5, Fate.STAYS_AWAY: 1, Fate.TAUGHT_YESTERDAY: 6, Fate.TAUGHT_TOMORROW: 3, Fate.CANCELS: 2,
            Fate.WITHDRAWN_BOOKED: 2, Fate.KCC_CANCELS: 3, Fate.LAPSES: 2, Fate.BOOKS_AHEAD: 9,
        },
    ),
    (
        "46", 9, 9, 75,
        {Fate.TAUGHT_TOMORROW: 4, Fate.BOOKS_AHEAD: 8, Fate.LAPSES: 2, Fate.LEAVES_PAYMENT: 2},
    ),
    ("42", 4, 11, 30, {Fate.BOOKS_AHEAD: 2}),
    ("46", 1, 8, 54, {Fate.HOLDS_NOW: 2, Fate.PAYS_NOW: 1}),
)  # fmt: skip


class Story:
    """Everything that happens, at its time."""

    def __init__(self, *, now: dt.datetime, staff: Staff, payer: Payer | None, say: Callable[[str], None]) -> None:
        """Without a `payer` nobody can pay: nobody books. `say` is told how far the story is."""
        self.now, self.today, self.staff, self.say = now, london_day(now), staff, say
        self.payer = payer
        self.rng = random.Random(people.SEED)
        self.offers = Offers(self.rng, self.today)
        self.police = Police(staff.officers)
        self.clock = Clock(now)
        self.lessons: list[Lesson] = []

    def play(self) -> None:
        """Let it all happen."""
        begin = at_hour(self._day(BEGINS_DAYS_AGO), 8)
        self.lessons = hold_lessons(self.staff, today=self.today, now=begin)
        self.say(f"{len(self.lessons)} sessions from {self.lessons[0].starts_at:%d %B} on")
        for force_code, days_ago, hour, size, fates in BATCHES:
            self.clock.at(
                at_hour(self._working_day(days_ago), hour, 10), partial(self._batch, force_code, days_ago, size, fates)
            )
        self.clock.at(at_hour(self._working_day(15), 10), lambda now: void(self.police.send_forecast("46", now=now)))
        self._withdrawals()
        if self.payer:
            self.candidates = Candidates(self.payer, self.rng, self.lessons)
            teaching = Teaching(self.staff, self.candidates, self.offers, self.clock)
            teaching.plan()
            self.clock.at(at_hour(self._day(2), 15, 20), self._cancel_session)
        for days_ago in range(BEGINS_DAYS_AGO - 1, -1, -1):
            sweeps.plan_day(self.clock, self._day(days_ago), self.police, self.payer, say=self._say_week)
        self.clock.play()

    # --- Police ------------------------------------------------------------------------------------------------
    def _batch(self, force_code: str, days_ago: int, size: int, fates: dict[Fate, int], now: dt.datetime) -> None:
        """A batch comes; who is in it goes its way from then on."""
        day = self._working_day(days_ago)
        offers = self.offers.make(force_code=force_code, offered_on=day - dt.timedelta(days=1), fates=fates, size=size)
        extra: list[dict[str, str]] = []
        if days_ago == 1:
            offers.insert(20, self.offers.the_candidate(offered_on=day))
            extra = self._odd_rows(day)
        elif days_ago == 20:
            extra = [self._barred(day), *self._odd_rows(day)[:2]]
        batch = self.police.send_referrals(force_code, offers, extra, now=now)
        if days_ago == 20:
            self.clock.at(now + dt.timedelta(hours=5), lambda when: self.police.decide(batch, now=when))
        if self.payer:
            for offer in offers:
                self._plan(offer, now)

    def _barred(self, day: dt.date) -> dict[str, str]:
        """Somebody who has completed the same course for another offence."""
        completed = [offer for offer in self.offers.of(Fate.COMPLETES) if offer.force_code == "46"]
        done = [offer for offer in completed if offer.course == "NSAC" and offer.person.driver_number]
        return self.offers.again(done[0], offered_on=day - dt.timedelta(days=1))

    def _odd_rows(self, day: dt.date) -> list[dict[str, str]]:
        """Rows as no sender means them: four with errors, one of another force, two that we hold already."""
        make = partial(self.offers.people.make, force_code="46", today=self.today)
        spare = Offers(self.rng, self.today, last_number=900_000 + day.toordinal() % 1000 * 100)
        rows = [
            dict(offer.row)
            for offer in spare.make(force_code="46", offered_on=day - dt.timedelta(days=1), fates={}, size=5)
        ]
        rows[0] |= {"date_of_birth": "31/02/1980"}
        rows[1] |= {"offence_code": "SPEED", "email": "not-an-address"}
        rows[2] |= {"pin": "12", "postcode": "ME1"}
        rows[3] |= {"course_code": "RIDE", "forenames": ""}
        rows[4] |= {"force_code": "42"}
        waiting = self.offers.of(Fate.WAITS)
        held = [offer for offer in waiting if offer.force_code == "46" and offer.referral_id]
        moved = make()
        booked = [offer for offer in self.offers.of(Fate.TAUGHT_TOMORROW) if offer.referral_id]
        if held:
            rows.append(dict(held[-1].row))  # the same again
            rows.append(held[-2].row | {"address_1": moved.address_1, "postcode": moved.postcode})
        if booked:
            rows.append(booked[0].row | {"address_1": moved.address_1, "postcode": moved.postcode})
        return rows

    def _withdrawals(self) -> None:
        def batch(fates: tuple[Fate, ...], most: int, now: dt.datetime) -> None:
            offers = [offer for offer in self.offers.of(*fates) if offer.force_code == "46" and offer.referral_id]
            offers = [offer for offer in offers if offer.key not in gone][:most]
            gone.update(offer.key for offer in offers)
            self.police.send_withdrawals("46", offers, f"46KD{99_000_000 + now.day:08d}", now=now)
            if self.payer:
                self.candidates.forget(offers)

        gone: set[str] = set()
        self.clock.at(at_hour(self._working_day(25), 14), partial(batch, (Fate.WITHDRAWN,), 5))
        self.clock.at(at_hour(self._working_day(6), 14), partial(batch, (Fate.WITHDRAWN, Fate.WITHDRAWN_BOOKED), 9))
        essex = (Fate.WITHDRAWN,)
        self.clock.at(
            at_hour(self._working_day(12), 16),
            lambda now: self._withdraw_of("42", essex, now),
        )
        self.clock.at(
            at_hour(self._working_day(3), 11, 40),
            lambda now: self.police.extend(
                next(o for o in self.offers.of(Fate.WAITS) if o.force_code == "46" and o.offered_on > self._day(40)),
                now=now,
            ),
        )

    # --- Candidates --------------------------------------------------------------------------------------------
    def _withdraw_of(self, force_code: str, fates: tuple[Fate, ...], now: dt.datetime) -> None:
        """The force withdraws its offers of these fates one by one, on its pages."""
        for offer in self.offers.of(*fates):
            if offer.force_code == force_code:
                self.police.withdraw(offer, now=now)

    def _plan(self, offer: Offer, received_at: dt.datetime) -> None:
        """Write into the story when this candidate acts, and what they do."""
        if offer.fate in (Fate.WAITS, Fate.EXPIRES, Fate.WITHDRAWN):
            return
        if offer.fate == Fate.HOLDS_NOW:
            self.clock.at(self.now - dt.timedelta(minutes=5), partial(self._hold_only, offer))
        elif offer.fate == Fate.PAYS_NOW:
            self.clock.at(self.now - dt.timedelta(minutes=6), partial(self._leave_payment, offer))
        else:
            slow = offer.fate in (Fate.BOOKS_AHEAD, Fate.LAPSES)
            days = self.rng.uniform(2, 12 if slow else 6)
            when = london(received_at + dt.timedelta(days=days))
            if self.now - dt.timedelta(days=2) < when:  # all of it has happened by the moment of loading
                when = london(self.now - dt.timedelta(hours=self.rng.uniform(16, 40)))
            when = when.replace(hour=self.rng.randint(7, 21), minute=self.rng.randint(0, 59))
            latest = self.now - dt.timedelta(hours=1)
            self.clock.at(min(when.astimezone(dt.UTC), latest), partial(self._act, offer))

    def _act(self, offer: Offer, now: dt.datetime) -> None:
        """The candidate sits down to book."""
        candidates, past = self.candidates, at_hour(self._day(1), 14)
        match offer.fate:
            case Fate.LAPSES:
                self._hold_only(offer, now)
            case Fate.LEAVES_PAYMENT:
                self._leave_payment(offer, now)
            case Fate.TAUGHT_YESTERDAY | Fate.TAUGHT_TOMORROW | Fate.KCC_CANCELS:
                names = {Fate.TAUGHT_YESTERDAY: YESTERDAY, Fate.TAUGHT_TOMORROW: TOMORROW, Fate.KCC_CANCELS: CANCELLED}
                candidates.book(offer, candidates.named(names[offer.fate]), now=now)
                if offer.fate == Fate.TAUGHT_TOMORROW and offer is self.offers.of(offer.fate)[0]:
                    tell_need(offer, NeedKind.CAPTIONS, by=self.staff.clerk, now=now + dt.timedelta(hours=1))
            case Fate.COMPLETES | Fate.STAYS_AWAY | Fate.EXPIRES_AFTER_AWAY:
                candidates.book(offer, candidates.choose(offer, now=now, until=past), now=now)
            case Fate.CANCELS:
                far = now + dt.timedelta(days=12)
                lesson = candidates.choose(offer, now=now, until=FOREVER, earliest=far)
                if candidates.book(offer, lesson, now=now):
                    self.clock.at(now + dt.timedelta(days=1, hours=2), lambda when: candidates.cancel(offer, now=when))
            case _:
                self._book_ahead(offer, now)

    def _book_ahead(self, offer: Offer, now: dt.datetime) -> None:
        soonest = max(now, self.now) + dt.timedelta(hours=50)
        lesson = self.candidates.choose(offer, now=now, until=FOREVER, earliest=soonest)
        booked = self.candidates.book(offer, lesson, now=now)
        if booked and offer is self.offers.of(Fate.BOOKS_AHEAD)[0]:
            self.clock.at(now + dt.timedelta(days=1), lambda when: self.candidates.move(offer, now=when))

    def _hold_only(self, offer: Offer, now: dt.datetime) -> None:
        soonest = max(now, self.now) + dt.timedelta(days=4)
        lesson = self.candidates.choose(offer, now=now, until=FOREVER, earliest=soonest)
        if lesson and self.candidates.hold(offer, lesson, now=now):
            self.clock.at(now + dt.timedelta(minutes=18), partial(self._let_go, lesson))

    def _leave_payment(self, offer: Offer, now: dt.datetime) -> None:
        soonest = max(now, self.now) + dt.timedelta(days=4)
        lesson = self.candidates.choose(offer, now=now, until=FOREVER, earliest=soonest)
        booking = self.candidates.hold(offer, lesson, now=now) if lesson else None
        if lesson and booking:
            self.candidates.go_to_payment(offer, booking, now=now + dt.timedelta(minutes=4))
            self.clock.at(now + dt.timedelta(minutes=45), partial(self._let_go, lesson))

    def _let_go(self, lesson: Lesson, now: dt.datetime) -> None:
        if self.payer:
            sweeps.close_what_was_left(self.payer, now=now)
        lesson.taken -= 1

    # --- KCC ---------------------------------------------------------------------------------------------------
    def _cancel_session(self, now: dt.datetime) -> None:
        """The trainer is ill: everybody gets their money back."""
        lesson = self.candidates.named(CANCELLED)
        with acting(self.staff.clerk):
            courses.cancel_session(session_id=lesson.pk, reason="The trainer is ill", by=self.staff.clerk, now=now)
        self.candidates.forget(self.offers.of(Fate.KCC_CANCELS))

    def _say_week(self, day: dt.date) -> None:
        if day.weekday() == 0:
            booked = sum(lesson.taken for lesson in self.lessons)
            self.say(f"week of {day:%d %B}: {len(self.offers.made)} offers so far, {booked} places taken")

    def _day(self, days_ago: int) -> dt.date:
        return self.today - dt.timedelta(days=days_ago)

    def _working_day(self, days_ago: int) -> dt.date:
        """That day, or the working day before it: police send nothing at the weekend."""
        day = self._day(days_ago)
        while not is_working_day(day):
            day -= dt.timedelta(days=1)
        return day


def void(_: object) -> None:
    """Nothing is made of it."""
