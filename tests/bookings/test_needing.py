"""What candidates need: told on a page, filtering the dates, arranged by staff, seen by few and as actions."""

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.models import Role, User
from audit.models import AccessLog, AuditEvent
from bookings import rules, services
from bookings.constants import NeedKind, NeedStatus
from bookings.errors import OfferEndedError
from bookings.models import Need
from common import clock
from courses.models import Session
from referrals.models import Referral
from tests.bookings.conftest import NOW, STAFF, candidate, rows, sign_in
from tests.factories import bookings as b
from tests.factories import courses as c
from tests.factories import referrals as r

DAY = dt.timedelta(days=1)
pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:No directory at")]


def clerk(username: str, *, may: bool = True) -> User:
    user = User.objects.create_user(username, password="demo", role=Role.CLERK, is_staff=True)
    if may:
        user.user_permissions.set(Permission.objects.filter(codename__in=["view_need", "change_need"]))
    return user


def tell(referral: Referral, now: dt.datetime = NOW, **told: str) -> list[Need]:
    return services.tell_needs(referral_id=referral.pk, told=told, by=candidate(referral), now=now)


def at(days: int, hour: int = 9) -> dt.datetime:
    return clock.from_london(clock.london_day(clock.now()) + days * DAY, dt.time(hour))


def page_of(response: Any) -> str:
    return " ".join(response.content.decode().split())


# --- Told -----------------------------------------------------------------------------------------------------------
def test_what_is_told_becomes_a_task_with_an_owner_and_a_day(referral: Referral) -> None:
    clerk("finance", may=False)
    mine = clerk("clerk")
    (need,) = tell(referral, BSL="")
    # NOW is Friday 20 November: three working days on is Wednesday.
    assert (need.status, need.owner, need.due_on, need.told_at) == (
        NeedStatus.OPEN,
        mine,
        dt.date(2026, 11, 25),
        NOW,
    )
    event = AuditEvent.objects.get(action="needs.told")
    assert (event.actor, "BSL" in f"{event.words}{event.data}") == (f"candidate:{referral.key}", False)


def test_the_least_busy_gets_the_next(referral: Referral) -> None:
    first, second = clerk("first"), clerk("second")
    needs = tell(referral, BSL="", STEP_FREE="")
    assert [need.owner for need in needs] == [first, second]


def test_nobody_may_and_the_task_is_nobodys(referral: Referral) -> None:
    assert tell(referral, BSL="")[0].owner is None


def test_told_again_nothing_happens(referral: Referral) -> None:
    tell(referral, OTHER="A chair with arms")
    before = (rows(), list(Need.objects.values()))
    tell(referral, NOW + DAY, OTHER="A chair with arms")
    assert (rows(), list(Need.objects.values())) == before


def test_a_task_is_due_before_the_course(referral: Referral) -> None:
    session = c.OpenSessionFactory.create(starts_at=clock.from_london(dt.date(2026, 11, 24), dt.time(9)))
    b.BookingFactory.create(referral=referral, session=session)
    assert tell(referral, CAPTIONS="")[0].due_on == dt.date(2026, 11, 23)


def test_what_is_no_longer_needed_is_forgotten_or_undone(referral: Referral) -> None:
    arranged, not_yet = tell(referral, BSL="", LARGE_PRINT="")
    services.arrange_need(need_id=arranged.pk, by=STAFF, now=NOW)
    assert tell(referral, NOW + DAY) == []
    assert list(Need.objects.values_list("pk", "status")) == [(arranged.pk, NeedStatus.UNDO)]
    assert Need.history.filter(id=not_yet.pk, history_type="-").count() == 1
    assert Need.objects.get().action == "Undo: Book a British Sign Language interpreter"
    assert services.arrange_need(need_id=arranged.pk, by=STAFF, now=NOW + DAY)
    assert Need.objects.count() == 0
    assert AuditEvent.objects.filter(action="need.undone").count() == 1


def test_needed_again_it_is_to_be_arranged_anew(referral: Referral) -> None:
    (need,) = tell(referral, BSL="")
    services.arrange_need(need_id=need.pk, by=STAFF, now=NOW)
    tell(referral, NOW + DAY)
    (again,) = tell(referral, NOW + 2 * DAY, BSL="")
    assert (again.pk, again.status, again.arranged_at) == (need.pk, NeedStatus.OPEN, None)


def test_nothing_is_arranged_for_an_offer_that_ended() -> None:
    withdrawn = r.WithdrawnReferralFactory.create()
    before = rows()
    with pytest.raises(OfferEndedError):
        tell(withdrawn, BSL="")
    assert (rows(), Need.objects.count()) == (before, 0)


# --- Arranged -------------------------------------------------------------------------------------------------------
def test_a_need_is_arranged_once_and_the_record_does_not_say_what_it_was(referral: Referral) -> None:
    need = b.NeedFactory.create(referral=referral)
    assert [services.arrange_need(need_id=need.pk, by=STAFF, now=NOW) for _ in range(2)] == [True, False]
    need.refresh_from_db()
    assert (need.status, need.arranged_at, need.arranged_by) == (NeedStatus.ARRANGED, NOW, "staff:7")
    event = AuditEvent.objects.get(action="need.arranged")
    assert "BSL" not in f"{event.words}{event.data}"


def test_a_task_changes_hands(referral: Referral) -> None:
    need, other = b.NeedFactory.create(referral=referral), clerk("other")
    done = [services.take_need(need_id=need.pk, owner=other, by=STAFF, now=NOW) for _ in range(2)]
    need.refresh_from_db()
    assert (done, need.owner) == ([True, False], other)


@pytest.mark.parametrize(
    ("course_on", "due_on"),
    [
        (None, dt.date(2026, 11, 25)),
        (dt.date(2026, 12, 14), dt.date(2026, 11, 25)),
        (dt.date(2026, 11, 23), dt.date(2026, 11, 20)),  # Monday's course: the Friday before
        (dt.date(2026, 11, 20), dt.date(2026, 11, 20)),  # today
    ],
)
def test_due_before_the_course_and_never_in_the_past(course_on: dt.date | None, due_on: dt.date) -> None:
    assert rules.need_due_on(told_on=dt.date(2026, 11, 20), days=3, course_on=course_on) == due_on


@pytest.mark.parametrize(
    ("is_digital", "is_step_free", "is_offline", "needs_step_free", "fits"),
    [
        (True, False, False, True, True),
        (True, False, True, False, False),
        (False, False, True, False, True),
        (False, False, False, True, False),
        (False, True, True, True, True),
    ],
)
def test_what_fits(
    *, is_digital: bool, is_step_free: bool, is_offline: bool, needs_step_free: bool, fits: bool
) -> None:
    found = rules.fits_needs(
        is_digital=is_digital, is_step_free=is_step_free, is_offline=is_offline, needs_step_free=needs_step_free
    )
    assert found is fits


# --- The page -------------------------------------------------------------------------------------------------------
@pytest.fixture
def offer() -> Referral:
    return r.LiveReferralFactory.create(now=clock.now(), reference="46TEST0001X")


@pytest.fixture
def browser(client: Client, offer: Referral) -> Client:
    return sign_in(client, offer, clock.now())


def test_asked_once_before_the_dates(browser: Client) -> None:
    assert 'href="/needs/"' in page_of(browser.get("/offer/"))
    assert browser.post("/needs/", {"needs": ["NOTHING"]})["Location"] == "/sessions/"
    assert 'href="/sessions/"' in page_of(browser.get("/offer/"))
    assert Need.objects.count() == 0
    assert "checked" in page_of(browser.get("/needs/"))


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "Select what you need, or select ‘No, I do not need anything’"),
        ({"needs": ["NOTHING", "BSL"]}, "but not both"),
        ({"needs": ["INTERPRETER"]}, "Enter the language your interpreter speaks"),
        ({"needs": ["OTHER"], "other": " "}, "Enter what you need"),
        ({"needs": ["TAMPERED"]}, "TAMPERED is not one of the available choices"),
    ],
)
def test_an_unclear_answer_is_asked_again_and_changes_nothing(
    browser: Client, given: dict[str, Any], words: str
) -> None:
    before = rows()
    assert words in page_of(browser.post("/needs/", given))
    assert (rows(), Need.objects.count()) == (before, 0)


def test_no_internet_leaves_classrooms_and_says_so(browser: Client) -> None:
    c.OpenSessionFactory.create(starts_at=at(3))
    c.ClassroomSessionFactory.create(starts_at=at(3, 13))
    browser.post("/needs/", {"needs": ["NO_INTERNET"]})
    page = page_of(browser.get("/sessions/"))
    assert "You told us you have no internet, so we do not show online courses." in page
    assert "1 date does not fit what you told us you need." in page
    assert page.count('name="session"') == 1
    assert "In a classroom in Maidstone" in page


def test_step_free_leaves_out_places_with_steps(browser: Client) -> None:
    steps = c.RoomFactory.create(venue__is_step_free=False, venue__town="Deal")
    c.ClassroomSessionFactory.create(starts_at=at(3), room=steps)
    browser.post("/needs/", {"needs": ["STEP_FREE"]})
    page = page_of(browser.get("/sessions/"))
    assert "There is 1 date that does not fit what you told us you need." in page
    assert page.count('name="session"') == 0


def test_a_held_date_that_does_not_fit_leads_back_to_the_dates(browser: Client, offer: Referral) -> None:
    online: Session = c.OpenSessionFactory.create(starts_at=at(3))
    browser.post("/booking/hold/", {"session": online.pk})
    assert browser.post("/needs/", {"needs": ["BSL"]})["Location"] == "/booking/details/"
    assert browser.post("/needs/", {"needs": ["NO_INTERNET"]})["Location"] == "/sessions/"
    assert list(Need.objects.values_list("kind", flat=True)) == [NeedKind.NO_INTERNET]


def test_changed_from_the_booking_which_says_when_it_does_not_fit(browser: Client, offer: Referral) -> None:
    b.ConfirmedBookingFactory.create(
        now=clock.now(), referral=offer, session=c.OpenSessionFactory.create(starts_at=at(20))
    )
    Referral.objects.filter(pk=offer.pk).update(status="BOOKED")
    assert browser.post("/needs/", {"needs": ["INTERPRETER"], "language": "Polish"})["Location"] == "/booking/?needs"
    page = page_of(browser.get("/booking/?needs"))
    assert "We know what you need" in page
    assert "Bringing an interpreter (Polish)" in page
    browser.post("/needs/", {"needs": ["NO_INTERNET"]})
    assert "This course does not fit what you told us you need" in page_of(browser.get("/booking/?needs"))


def test_a_withdrawn_offer_is_not_asked(browser: Client, offer: Referral) -> None:
    Referral.objects.filter(pk=offer.pk).update(status="WITHDRAWN")
    response = browser.post("/needs/", {"needs": ["BSL"]})
    assert response.status_code == 409
    assert "The police have withdrawn your offer" in page_of(response)
    assert Need.objects.count() == 0


# --- The work list --------------------------------------------------------------------------------------------------
def test_staff_see_actions_by_due_day(client: Client, referral: Referral) -> None:
    client.force_login(clerk("clerk"))
    tell(referral, OTHER="I faint when I stand")
    page = page_of(client.get(reverse("admin:bookings_need_changelist")))
    assert "Ring and ask what to arrange" in page
    assert "I faint" not in page
    need = Need.objects.get()
    opened = page_of(client.get(reverse("admin:bookings_need_change", args=[need.pk])))
    assert "I faint when I stand" in opened
    assert AccessLog.objects.get(action="need.opened").referral_key == referral.key


def test_the_list_shows_what_is_to_do_mine_nobodys_and_arranged(client: Client, referral: Referral) -> None:
    me = clerk("clerk")
    client.force_login(me)
    mine = b.NeedFactory.create(referral=referral, owner=me)
    nobodys = b.NeedFactory.create(referral=referral, kind=NeedKind.CAPTIONS)
    arranged = b.ArrangedNeedFactory.create(referral=referral, kind=NeedKind.LARGE_PRINT)
    for show, expected in (
        ("", {mine, nobodys}),
        ("mine", {mine}),
        ("nobody", {nobodys}),
        ("arranged", {arranged}),
        ("all", {mine, nobodys, arranged}),
    ):
        response = client.get(reverse("admin:bookings_need_changelist"), {"show": show} if show else {})
        assert set(response.context["cl"].result_list) == expected


def test_who_may_not_arrange_sees_none_of_it(client: Client, referral: Referral) -> None:
    client.force_login(clerk("finance", may=False))
    need = b.NeedFactory.create(referral=referral)
    for name, args in (("changelist", []), ("change", [need.pk]), ("history", [need.pk])):
        assert client.get(reverse(f"admin:bookings_need_{name}", args=args)).status_code == 403


def test_taking_over_makes_it_mine(client: Client, referral: Referral) -> None:
    me = clerk("clerk")
    client.force_login(me)
    need = b.NeedFactory.create(referral=referral)
    client.post(reverse("admin:bookings_need_changelist"), {"action": "take", "_selected_action": [need.pk]})
    need.refresh_from_db()
    assert need.owner == me


@pytest.mark.parametrize("count", [1, 30])
def test_the_list_costs_the_same_few_queries(client: Client, count: int, django_assert_num_queries: Any) -> None:
    client.force_login(clerk("clerk"))
    owner = clerk("owner")
    for _ in range(count):
        b.NeedFactory.create(owner=owner)
    client.get(reverse("admin:bookings_need_changelist"))
    with django_assert_num_queries(5):
        client.get(reverse("admin:bookings_need_changelist"))
