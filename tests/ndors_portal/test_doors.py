"""Doors of machines stand before the middleware of people."""

import pytest
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import resolve
from django.utils.module_loading import import_string

from ndors_portal import doors
from payments import services

DOOR = "/payments/stripe/webhook/"


@pytest.mark.parametrize(("path", "name"), settings.SIGNED_DOORS.items())
def test_every_signed_door_is_the_view_of_its_address_and_needs_no_form_token(path: str, name: str) -> None:
    view = import_string(name)
    assert resolve(path).func is view
    assert view.csrf_exempt


def test_only_what_finds_out_about_people_stands_behind_the_doors() -> None:
    behind = settings.MIDDLEWARE[settings.MIDDLEWARE.index("ndors_portal.doors.SignedDoorsMiddleware") + 1 :]
    assert behind == [
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
        "allauth.account.middleware.AccountMiddleware",
        "accounts.middleware.SecondFactorMiddleware",
        "django_htmx.middleware.HtmxMiddleware",
        "audit.middleware.ActingUserMiddleware",
    ]


def test_a_signed_door_gets_a_bare_request_and_the_headers_of_every_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    met: list[HttpRequest] = []

    def door(request: HttpRequest) -> HttpResponse:
        met.append(request)
        return HttpResponse()

    monkeypatch.setattr(doors, "_view", lambda name: door)
    answer = Client(enforce_csrf_checks=True).post(DOOR, b"{}", content_type="application/json")
    assert (answer.status_code, [hasattr(request, "user") for request in met]) == (200, [False])
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert answer["Content-Length"] == "0"


def test_a_signed_door_that_breaks_has_the_error_page_of_every_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(services, "receive_webhook", lambda **_: 1 / 0)
    answer = Client(raise_request_exception=False).post(DOOR, b"{}", content_type="application/json")
    assert answer.status_code == 500
    assert "Sorry, there is a problem with the service" in answer.content.decode()
