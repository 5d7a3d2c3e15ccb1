"""The demo's story: its people and its timetable by themselves, then all of it played into a database."""

import ast
import csv
import datetime as dt
import random
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db.models import Count, F, Sum

from accounts.models import User
from audit.models import AuditEvent
from bookings.constants import BookingStatus, CancelCause
from bookings.models import Booking, Move
from common.clock import from_london, london_day
from common.working_time import bank_holidays
from courses.constants import Mode, SessionStatus
from courses.models import Session
from devtools.demo import people
from devtools.demo.clock import Clock
from devtools.demo.offers import DEMO_PIN, DEMO_REFERENCE, Fate, Offers
from devtools.demo.timetable import WEEKS_AHEAD, lessons
from devtools.stripe_sandbox.testing import Sandbox
from notifications.constants import MessageStatus
from notifications.models import Message
from payments.constants import JournalKind, RefundStatus, RunStatus
from payments.models import Journal, Posting, ReconciliationRun, Refund
from referrals import rules, selectors
from referrals.constants import BatchStatus, ReferralStatus
from referrals.models import Batch, BatchRow, Outcome, Referral
from rosters import selectors as rosters
from rosters.models import Register
from tests.referrals.rows import COURSES, context

ROOT = Path(__file__).resolve().parent.parent.parent
TODAY = dt.date(2027, 3, 17)
NOW = from_london(TODAY, dt.time(11, 25))


# --- People and offers -----------------------------------------------------------------------------------------
def test_every_offer_is_a_row_that_police_could_send() -> None:
    offers = Offers(random.Random(people.SEED), TODAY)
    for fate in Fate:
        offers.make(force_code="46", offered_on=TODAY - dt.timedelta(days=30), fates={fate: 20}, size=20)
    the_candidate = offers.the_candidate(offered_on=TODAY - dt.timedelta(days=1))
    setting = context(now=NOW)

    checked = [rules.check_referral({**_EMPTY, **offer.row}, context=setting) for offer in offers.made]

    assert [each.errors for each in checked if each.errors] == []
    assert {problem.code for each in checked for problem in each.warnings} <= {
        *("book_by_filled_in", "complete_by_filled_in"),
        *("speed_outside_band", "no_contact"),
    }
    assert [
        offer.reference
        for offer, each in zip(offers.made, checked, strict=True)
        if each.values and each.values.complete_by != offer.complete_by
    ] == []
    assert len({offer.reference for offer in offers.made}) == len(offers.made)
    assert the_candidate.person.driver_number == "ASHDO805124RJ9AA"


_EMPTY = dict.fromkeys(rules.REFERRAL_COLUMNS, "")


def test_nobody_in_the_demo_can_be_reached() -> None:
    offers = Offers(random.Random(1), TODAY)
    made = offers.make(force_code="42", offered_on=TODAY, fates={}, size=300)

    assert {offer.person.email.partition("@")[2] for offer in made} == {"", "example.org"}
    assert all(re.fullmatch(r"|07700 900\d{3}", offer.person.mobile) for offer in made)


def test_the_same_people_come_each_time() -> None:
    first, second = (Offers(random.Random(people.SEED), TODAY) for _ in range(2))
    for offers in (first, second):
        offers.make(force_code="46", offered_on=TODAY, fates={Fate.COMPLETES: 5}, size=30)
    assert first.made == second.made


# --- Timetable and clock ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("today", [TODAY, dt.date(2026, 12, 20), dt.date(2027, 10, 2)])
def test_the_next_six_weeks_have_every_course_in_every_way(today: dt.date) -> None:
    ahead = [lesson for lesson in lessons(today) if london_day(lesson.starts_at) > today]
    ways = {(lesson.code, lesson.town) for lesson in ahead}
    on_the_road = {("SCD", "Maidstone"), ("SCD", "Ashford")}

    assert ways == {(code, town) for code in COURSES - {"SCD"} for town in ("", "Maidstone", "Ashford")} | on_the_road
    assert london_day(max(lesson.starts_at for lesson in ahead)) <= today + dt.timedelta(weeks=WEEKS_AHEAD)
    holidays = bank_holidays(today.year) | bank_holidays(today.year + 1)
    assert not {london_day(lesson.starts_at) for lesson in ahead if not lesson.name} & holidays


def test_the_clock_plays_in_order_of_time_and_stops_at_its_end() -> None:
    clock, played = Clock(NOW), []
    minute = dt.timedelta(minutes=1)

    def early(when: dt.datetime) -> None:
        played.append(("early", when))
        clock.at(when + minute, lambda later: played.append(("added", later)))

    clock.at(NOW, lambda when: played.append(("last", when)))
    clock.at(NOW + minute, lambda when: played.append(("too late", when)))
    clock.at(NOW - 9 * minute, early)
    clock.play()

    assert played == [("early", NOW - 9 * minute), ("added", NOW - 8 * minute), ("last", NOW)]


# --- The whole story -------------------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_the_demo_is_a_living_house(stripe_sandbox: Sandbox, settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    said = StringIO()
    call_command("load_demo", now=NOW, stdout=said)

    assert "the demo is loaded" in said.getvalue()
    assert list(Move.objects.values_list("status", "rule")) == [("DONE", "FREE")]
    _check_who_signs_in()
    _check_referrals()
    _check_bookings()
    _check_the_trainer()
    _check_money()
    unsent = set(Message.objects.exclude(status=MessageStatus.SENT).values_list("status", flat=True))
    assert unsent <= {MessageStatus.QUEUED, MessageStatus.DROPPED}
    state = stripe_sandbox.state()
    assert (state["clock_offset_seconds"], state["webhooks"]["drop"]) == (0, False)

    events = AuditEvent.objects.count()
    again = StringIO()
    call_command("load_demo", now=NOW, stdout=again)
    assert (again.getvalue(), AuditEvent.objects.count()) == ("", events)


def test_a_police_file_to_try_is_taken_row_for_row(tmp_path: Path) -> None:
    file = tmp_path / "offers.csv"
    call_command("police_file", file, "--rows", "40", "--json", now=NOW, stdout=StringIO())
    setting = context(now=NOW)
    with file.open(encoding="utf-8", newline="") as rows:
        checked = [
            (row["reference"], rules.check_referral({**_EMPTY, **row}, context=setting))
            for row in csv.DictReader(rows)
        ]
    assert [(each.errors, len(reference)) for reference, each in checked] == [((), 12)] * 40
    assert len({reference for reference, _ in checked}) == 40


def _check_who_signs_in() -> None:
    for name in ("admin", "clerk", "officer", "officer-essex", "trainer", "finance", "finance-2", "manager"):
        assert User.objects.get(username=name).check_password("demo"), name
    assert User.objects.get(username="officer").officer.force_id == "46"
    assert User.objects.get(username="officer-essex").officer.force_id == "42"
    by_pin = selectors.find_offer(reference=DEMO_REFERENCE, pin=DEMO_PIN)
    by_number = selectors.find_offer(reference=DEMO_REFERENCE, driver_number="ASHDO805124RJ9AA")
    assert by_pin == by_number == Referral.objects.get(force_id="46", reference=DEMO_REFERENCE)
    assert (by_pin.status, by_pin.course_type.code, by_pin.bookings.count()) == (ReferralStatus.LIVE, "NSAC", 0)
    assert by_pin.book_by > TODAY + dt.timedelta(days=20)
    assert by_pin.complete_by > TODAY + dt.timedelta(days=80)


def _check_referrals() -> None:
    assert Referral.objects.count() == 500
    assert set(Referral.objects.values_list("status", flat=True)) == set(ReferralStatus.values)
    assert set(Batch.objects.values_list("status", flat=True)) == {BatchStatus.SETTLED}
    assert set(Batch.objects.values_list("force_id", "kind")) == {
        *(("46", kind) for kind in ("referrals", "withdrawals", "forecast")),
        ("42", "referrals"),
    }
    last = Batch.objects.filter(force_id="46", kind="referrals").latest("received_at")
    assert (last.rows, last.new, last.unchanged, last.changed, last.rejected, last.quarantined) == (63, 55, 1, 1, 4, 2)
    barred = BatchRow.objects.filter(batch__force_id="46", decision="refused")
    assert "three_year_bar" in {problem["code"] for row in barred for problem in row.errors}
    ended = Referral.objects.filter(
        status__in=[ReferralStatus.COMPLETED, ReferralStatus.NOT_COMPLETED, ReferralStatus.EXPIRED]
    )
    assert not ended.filter(outcomes=None).exists()
    assert Outcome.objects.filter(returned_in=None).exists()
    assert Outcome.objects.exclude(returned_in=None).exists()


def _check_bookings() -> None:
    found = dict(Booking.objects.values_list("status").annotate(Count("pk")))
    assert set(found) == set(BookingStatus.values)
    assert found[BookingStatus.COMPLETED] >= 30
    assert found[BookingStatus.CONFIRMED] >= 30
    causes = set(Booking.objects.exclude(cancel_cause="").values_list("cancel_cause", flat=True))
    assert causes == {CancelCause.CANDIDATE, CancelCause.KCC, CancelCause.POLICE}
    assert not Session.objects.filter(ends_at__lt=NOW - dt.timedelta(days=2), status=SessionStatus.OPEN).exists()
    assert Session.objects.filter(starts_at__gt=NOW, status=SessionStatus.OPEN, mode=Mode.ON_ROAD).exists()
    assert Session.objects.filter(places_claimed=F("capacity"), starts_at__gt=NOW).exists()
    assert not Session.objects.filter(assignments=None).exists()


def _check_the_trainer() -> None:
    user = User.objects.get(username="trainer")
    coming, recent = rosters.upcoming(user, now=NOW).first(), rosters.recent(user, now=NOW).get()
    assert coming is not None
    assert coming.starts_at - NOW < dt.timedelta(hours=48)
    assert len(rosters.roster(coming)) == 7
    assert [line.actions for line in rosters.roster(coming) if line.actions] == [
        ["Turn captions on, or seat by the hearing loop."]
    ]
    marked = [line for line in rosters.roster(recent) if line.attendance]
    assert (len(marked), len(rosters.roster(recent))) == (2, 6)
    assert Register.objects.get(session=recent).closed_at is None
    assert Register.objects.exclude(closed_at=None).count() >= 10


def _check_money() -> None:
    assert Posting.objects.aggregate(Sum("amount_pence"))["amount_pence__sum"] == 0
    assert set(Refund.objects.values_list("status", flat=True)) == {RefundStatus.SUCCEEDED}
    paid = Booking.objects.filter(confirmed_at__isnull=False).count()
    assert Posting.objects.filter(account="STRIPE_CLEARING", amount_pence__gt=0).count() == paid
    assert set(ReconciliationRun.objects.values_list("status", flat=True)) == {RunStatus.GREEN}
    assert ReconciliationRun.objects.latest("day").day == TODAY - dt.timedelta(days=1)
    assert Journal.objects.filter(kind=JournalKind.FORFEITED).exists()


@pytest.mark.django_db(transaction=True)
def test_the_demo_is_never_loaded_over_what_is_there(stripe_sandbox: Sandbox) -> None:
    User.objects.create_user("somebody")
    said = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("load_demo", now=NOW, stderr=said)
    assert ended.value.code == 1
    assert "neither empty nor a finished demo" in said.getvalue()
    assert (User.objects.count(), Session.objects.count()) == (1, 0)


# --- The README ------------------------------------------------------------------------------------------------
def test_every_variable_that_is_read_stands_in_the_readme() -> None:
    read = set()
    for name in ("ndors_portal/settings/base.py", "gunicorn.conf.py"):
        for call in ast.walk(ast.parse((ROOT / name).read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and ast.unparse(call.func) in _READERS:
                read.add(str(ast.literal_eval(call.args[0])))
    told = re.findall(r"^\| `([A-Z_]+)` \|", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(told) == sorted(read)


_READERS = {"env.required", "env.optional", "os.environ.get"}
