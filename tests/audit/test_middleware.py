"""A request's writes are laid at the door of its user or candidate, and nothing is loaded to find out."""

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.db import SessionStore
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.utils.functional import SimpleLazyObject

from accounts.models import Role, User
from audit.context import NOBODY, Acting, Actor, current
from audit.middleware import ActingUserMiddleware, act_as, acting_of, actor_of


@pytest.fixture
def request_(rf: RequestFactory) -> HttpRequest:
    request = rf.get("/")
    request.session = SessionStore()
    request.user = AnonymousUser()
    return request


def run(request: HttpRequest) -> list[Acting]:
    seen: list[Acting] = []

    def view(_: HttpRequest) -> HttpResponse:
        seen.append(current())
        return HttpResponse()

    ActingUserMiddleware(view)(request)
    assert current() == NOBODY
    return seen


@pytest.mark.parametrize(
    ("role", "actor"),
    [
        (Role.CLERK, "staff:7"),
        (Role.MANAGER, "staff:7"),
        (Role.FINANCE, "staff:7"),
        (Role.OFFICER, "officer:7"),
        (Role.TRAINER, "trainer:7"),
    ],
)
def test_a_user_acts_as_what_they_are(request_: HttpRequest, role: Role, actor: str) -> None:
    request_.user = User(pk=7, role=role)
    assert [str(told.actor) for told in run(request_)] == [actor]
    assert str(actor_of(request_)) == actor


def test_nobody_acts_on_an_anonymous_page(request_: HttpRequest) -> None:
    assert run(request_) == [NOBODY]
    assert actor_of(request_) is None


def test_a_user_nobody_asked_for_is_not_loaded(request_: HttpRequest) -> None:
    def load() -> Any:
        raise AssertionError("loaded")

    request_.user = SimpleLazyObject(load)  # type: ignore[assignment]
    request_.session = SessionStore("not-loaded")
    assert run(request_) == [NOBODY]


def test_a_candidate_acts_under_their_reference(request_: HttpRequest) -> None:
    request_.session = SessionStore()
    request_.session["candidate_referral_key"] = "46/46DEMO0001"
    assert run(request_) == [Acting(Actor("candidate", "46/46DEMO0001"))]
    assert actor_of(request_) == Actor("candidate", "46/46DEMO0001")


def test_a_user_signed_in_beside_a_candidate_is_the_one_who_acts(request_: HttpRequest) -> None:
    request_.session["candidate_referral_key"] = "46/46DEMO0001"
    request_.user = User(pk=7)
    assert run(request_) == [Acting(Actor("staff", "7"))]


def test_a_view_may_say_who_acts(request_: HttpRequest) -> None:
    act_as(request_, Actor("api", "46"), on_behalf_of="officer:3", reason="batch")
    assert run(request_) == [Acting(Actor("api", "46"), "officer:3", "batch")]
    assert actor_of(request_) == Actor("api", "46")
    assert acting_of(request_).reason == "batch"


def test_a_view_of_the_api_may_say_so_too(request_: HttpRequest) -> None:
    from rest_framework.request import Request

    act_as(Request(request_), Actor("api", "46"))
    assert run(request_) == [Acting(Actor("api", "46"))]


@pytest.mark.django_db
def test_a_real_request_records_its_user(client: Any) -> None:
    staff = User.objects.create_superuser("admin", password="demo")
    other = User.objects.create_user("one")
    client.force_login(staff)
    response = client.post(
        f"/admin/accounts/user/{other.pk}/change/",
        {
            "username": "two",
            "role": "CLERK",
            "is_active": "on",
            "date_joined_0": "2026-01-01",
            "date_joined_1": "09:00",
        },
    )
    assert response.status_code == 302
    row = other.history.latest("history_id")
    assert (row.username, row.history_actor) == ("two", f"staff:{staff.pk}")
