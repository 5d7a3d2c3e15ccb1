"""What police decide: the course again, and whether to prosecute; and that nothing waits unreported."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client

from audit.models import AuditEvent
from courses.models import CourseType
from notifications.models import Message
from referrals import jobs, selectors, services
from referrals.errors import CourseRefusedError, ReasonMissingError, ReferralMoveError
from referrals.models import Officer, Referral
from tests.factories import courses as course_factories
from tests.factories import referrals as factories
from tests.referrals.files import JOB, OFFICER, as_csv, import_bytes, many

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
DRIVER = "SMITH801150JA9XX"


@pytest.fixture
def officer(client: Client, time_machine: Any) -> Officer:
    time_machine.move_to(NOW, tick=False)
    kent: Officer = factories.OfficerFactory.create()
    client.force_login(kent.user)
    return kent


def decide(referral: Referral, course: str = "WDU", **changes: Any) -> Referral:
    given: dict[str, Any] = {"reason": "Sgt 4471 looked again", "by": OFFICER, "now": NOW}
    return services.decide_course(
        force_code=referral.force_id, reference=referral.reference, course_code=course, **(given | changes)
    )


def course_of(referral: Referral) -> str:
    return Referral.objects.values_list("course_type__code", flat=True).get(pk=referral.pk)


def did_wdu(days_ago: int = 400, **changes: Any) -> None:
    factories.CompletedReferralFactory.create(now=NOW - dt.timedelta(days=days_ago), course_type="WDU", **changes)


# --- The course again ------------------------------------------------------------------------------------------
def test_course_is_decided_again_and_on_record() -> None:
    held = factories.LiveReferralFactory.create(now=NOW)
    decide(held)
    assert course_of(held) == "WDU"
    event = AuditEvent.objects.get(action="referral.course_decided")
    assert (event.referral_key, event.reason, event.data) == (
        held.key,
        "Sgt 4471 looked again",
        {"course": ["NSAC", "WDU"], "despite_three_year_bar": False},
    )
    decide(held)
    assert AuditEvent.objects.filter(action="referral.course_decided").count() == 1


def test_the_same_row_sent_again_does_not_take_it_back() -> None:
    content = as_csv(many(1))
    import_bytes(content)
    held = Referral.objects.get()
    other = "WDU" if course_of(held) != "WDU" else "NMAC"
    decide(held, other)
    assert import_bytes(content + b"\r\n").unchanged == 1
    assert course_of(held) == other


@pytest.mark.parametrize(
    ("factory", "changes", "error"),
    [
        (factories.BookedReferralFactory, {}, ReferralMoveError),
        (factories.CompletedReferralFactory, {}, ReferralMoveError),
        (factories.WithdrawnReferralFactory, {}, ReferralMoveError),
        (factories.ExpiredReferralFactory, {}, ReferralMoveError),
        (factories.LiveReferralFactory, {"course": "D4C"}, CourseRefusedError),
        (factories.LiveReferralFactory, {"course": "NOSUCH"}, CourseRefusedError),
        (factories.LiveReferralFactory, {"reason": " "}, ReasonMissingError),
    ],
)
def test_course_that_cannot_be_decided_stays(factory: Any, changes: dict[str, str], error: type[Exception]) -> None:
    held = factory.create(now=NOW)
    events = AuditEvent.objects.count()
    with pytest.raises(error):
        decide(held, **changes)
    assert course_of(held) == "NSAC"
    assert AuditEvent.objects.count() == events


def test_course_stays_while_the_candidate_holds_a_place() -> None:
    held = factories.LiveReferralFactory.create(now=NOW)
    course_factories.HeldPlaceFactory.create(holder=held.key)
    with pytest.raises(CourseRefusedError, match="choosing a date"):
        decide(held)
    assert course_of(held) == "NSAC"


def test_course_is_decided_again_after_one_was_not_completed() -> None:
    held = factories.NotCompletedReferralFactory.create(now=NOW)
    course_factories.TakenPlaceFactory.create(holder=held.key)
    decide(held)
    assert course_of(held) == "WDU"


def test_three_year_rule_is_a_flag_for_police_to_decide() -> None:
    held = factories.LiveReferralFactory.create(now=NOW, driver_number=DRIVER)
    did_wdu(driver_number=DRIVER)
    with pytest.raises(CourseRefusedError, match="completed WDU for an offence on"):
        decide(held)
    assert course_of(held) == "NSAC"
    decide(held, is_despite_bar=True)
    assert course_of(held) == "WDU"
    assert AuditEvent.objects.get(action="referral.course_decided").data["despite_three_year_bar"] is True


def test_other_people_and_older_offences_bar_nothing() -> None:
    held = factories.LiveReferralFactory.create(now=NOW, driver_number=DRIVER)
    did_wdu(driver_number="JONES801150JA9XX")
    did_wdu(1200, driver_number=DRIVER)
    assert selectors.bar_of(held, course=CourseType.objects.get(code="WDU"), now=NOW) is None


def test_page_asks_once_more_tells_the_bar_and_acts(client: Client, officer: Officer) -> None:
    held = factories.LiveReferralFactory.create(now=NOW, driver_number=DRIVER)
    did_wdu(driver_number=DRIVER)
    address = f"/police/referrals/{held.reference}/course/"
    assert f'href="{address}"' in client.get(f"/police/referrals/{held.reference}/").content.decode()
    assert client.post(address, {"course": "WDU"}).status_code == 422
    sent = {"course": "WDU", "reason": "looked again"}
    assert "The same person completed WDU" in client.post(address, sent).content.decode()
    assert course_of(held) == "NSAC"
    assert client.post(address, sent | {"confirmed": "yes"}).status_code == 302
    assert course_of(held) == "WDU"


# --- Whether to prosecute --------------------------------------------------------------------------------------
def test_countdown_is_offence_and_six_months(client: Client, officer: Officer) -> None:
    offence = dt.datetime(2026, 8, 31, 9, tzinfo=dt.UTC)
    held = factories.NotCompletedReferralFactory.create(now=NOW, offence_at=offence)
    told = selectors.countdown(held, now=NOW)
    assert told is not None
    assert (told.by, told.days_left) == (dt.date(2027, 2, 28), 100)
    page = " ".join(client.get(f"/police/referrals/{held.reference}/").content.decode().split())
    assert "Prosecution decision needed by" in page
    assert "28 February 2027 (100 days left)" in page


@pytest.mark.parametrize(
    "factory", [factories.LiveReferralFactory, factories.CompletedReferralFactory, factories.WithdrawnReferralFactory]
)
def test_no_countdown_for_who_did_not_fail(factory: Any) -> None:
    assert selectors.countdown(factory.create(now=NOW), now=NOW) is None


def test_list_has_the_most_urgent_first_and_leaves_out_what_is_over(client: Client, officer: Officer) -> None:
    def failed(days: int, factory: Any = factories.NotCompletedReferralFactory, **changes: Any) -> str:
        offence_at = NOW - dt.timedelta(days=days)
        offer_on = offence_at.date() + dt.timedelta(days=10)
        made = factory.create(now=NOW, offence_at=offence_at, offer_on=offer_on, **changes)
        return str(made.reference)

    late, early = failed(20), failed(150, factories.ExpiredReferralFactory)
    failed(200)
    failed(30, force="42")
    failed(30, factories.WithdrawnReferralFactory)
    page = client.get("/police/referrals/to-decide/")
    assert [referral.reference for referral, _ in page.context["rows"]] == [early, late]
    assert client.get("/police/").context["figures"].to_be_decided == 2


# --- Unreported ------------------------------------------------------------------------------------------------
def outcome(recorded_at: dt.datetime) -> None:
    factories.outcome(factories.CompletedReferralFactory.create(now=recorded_at), now=recorded_at)


def test_outcome_is_late_once_a_working_day_has_passed() -> None:
    friday = dt.datetime(2026, 11, 13, 16, tzinfo=dt.UTC)
    outcome(friday)
    assert selectors.unreported(now=friday + dt.timedelta(days=3)) == []
    tuesday = friday + dt.timedelta(days=4)
    (late,) = selectors.unreported(now=tuesday)
    assert (late.force_code, late.count, late.since) == ("46", 1, friday)
    assert selectors.unreported(now=tuesday, force="42") == []


def test_kcc_and_the_force_are_told_once_a_day(settings: Any) -> None:
    settings.HELP_EMAIL = "staff@example.org"
    for days in (7, 6):
        outcome(NOW - dt.timedelta(days=days))
    kent = factories.force("46")
    kent.contact_email = "kent@example.org"
    kent.save()
    for minutes in (0, 30, 24 * 60):
        assert services.tell_unreported(by=JOB, now=NOW + dt.timedelta(minutes=minutes)) == 1
    told = Message.objects.order_by("created_at", "dedupe_key").values_list("to", "dedupe_key", "context__count")
    assert list(told) == [
        ("kent@example.org", "unreported:46:2026-11-20:force", 2),
        ("staff@example.org", "unreported:46:2026-11-20:kcc", 2),
        ("kent@example.org", "unreported:46:2026-11-21:force", 2),
        ("staff@example.org", "unreported:46:2026-11-21:kcc", 2),
    ]


def test_nobody_is_told_where_nothing_waits() -> None:
    outcome(NOW)
    assert services.tell_unreported(by=JOB, now=NOW) == 0
    assert not Message.objects.exists()


def test_returns_page_tells_what_has_waited(client: Client, officer: Officer) -> None:
    outcome(NOW - dt.timedelta(days=7))
    page = " ".join(client.get("/police/returns/").content.decode().split())
    words = "1 outcome has waited for more than a working day, the first since midday on Friday 13 November 2026."
    assert words in page


# --- The story -------------------------------------------------------------------------------------------------
def test_story_holds_what_was_sent_between_what_happened(client: Client, officer: Officer) -> None:
    held = factories.LiveReferralFactory.create(now=NOW)
    for hours, note in ((-2, "first"), (2, "last")):
        at = NOW + dt.timedelta(hours=hours)
        services.add_note(force_code="46", reference=held.reference, note=note, by=OFFICER, now=at)
    sent = {"created_at": NOW, "send_at": NOW, "sent_at": NOW, "status": "SENT"}
    Message.objects.create(kind="offer_ready", to="x@example.org", dedupe_key="x", referral_key=held.key, **sent)
    first, second, third = (entry.words for entry in selectors.story(held).entries)
    assert (first, third) == ("Note: last", "Note: first")
    assert second.startswith("E-mail sent: ")
    assert second[13:] in client.get(f"/police/referrals/{held.reference}/").content.decode()


# --- Files that cannot be finished -----------------------------------------------------------------------------
def test_kcc_and_who_sent_it_are_told_once_of_a_file_that_was_tried_too_often(settings: Any) -> None:
    settings.HELP_EMAIL = "staff@example.org"
    tried = {
        "attempts": 20,
        "status": "RUNNING",
        "settled_at": None,
        "rows": 3,
        "rows_expected": 9,
        "file_name": "offers.csv",
    }
    batch = factories.BatchFactory.create(**tried, receipt_email="sergeant@example.org")
    factories.BatchFactory.create(**tried | {"attempts": 19})
    factories.BatchFactory.create(**tried, claimed_until=NOW + dt.timedelta(minutes=1))
    factories.BatchFactory.create(attempts=20)
    for minutes in (0, 0.5):
        assert services.tell_left(now=NOW + dt.timedelta(minutes=minutes)) == 1
    told = Message.objects.order_by("to").values_list("kind", "to", "context__path", "context__settled")
    assert list(told) == [
        ("batch_left", "sergeant@example.org", f"/police/batches/{batch.pk}/", 3),
        ("batch_left", "staff@example.org", f"/admin/referrals/batch/{batch.pk}/change/", 3),
    ]


def test_a_file_that_nobody_left_an_address_for_is_told_to_kcc(settings: Any) -> None:
    settings.HELP_EMAIL = "staff@example.org"
    factories.BatchFactory.create(attempts=20, status="RUNNING", settled_at=None)
    jobs.import_batches()
    assert list(Message.objects.values_list("to", flat=True)) == ["staff@example.org"]
