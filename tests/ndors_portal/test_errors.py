"""Error answers, from the real handlers. No test here may use the database: pytest-django forbids it unasked."""

from http import HTTPStatus

import pytest
from django.conf import settings as django_settings
from django.http import HttpResponse
from django.template import TemplateDoesNotExist
from django.test import Client
from pytest_django.asserts import assertInHTML

pytestmark = pytest.mark.urls("tests.ndors_portal.error_urls")


@pytest.fixture
def browser() -> Client:
    return Client(raise_request_exception=False)


@pytest.mark.parametrize(
    ("address", "status", "heading"),
    [
        ("/suspicious/", 400, "Sorry, we could not read that request"),
        ("/forbidden/", 403, "You cannot see this page"),
        ("/nowhere/", 404, "Page not found"),
        ("/post-only/", 405, "Go back and try again"),
        ("/gone/", 410, "This page is no longer here"),
        ("/too-large/", 413, "That is too large"),
        ("/throttled/", 429, "Too many tries"),
        ("/broken/", 500, "Sorry, there is a problem with the service"),
        ("/no-database/", 503, "Sorry, the service is unavailable"),
        ("/no-redis/", 503, "Sorry, the service is unavailable"),
    ],
)
def test_error_page_has_its_heading_help_line_and_policy(
    browser: Client, address: str, status: int, heading: str
) -> None:
    response = browser.get(address)
    html = response.content.decode()
    assert response.status_code == status
    assertInHTML(f'<h1 class="govuk-heading-l">{heading}</h1>', html, count=1)
    assertInHTML(f"<title>{heading} - Book a driver course - Kent County Council</title>", html)
    assert django_settings.HELP_PHONE in html
    assert "secret words" not in html
    assert response["Cache-Control"] == "no-store"
    assert "default-src 'none'" in response["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("address", "name", "url"),
    [
        ("/nowhere/", "Book a driver course", "/"),
        ("/police/nowhere/", "Driver offender retraining: police", "/police/"),
        ("/trainer/nowhere/", "Driver offender retraining: trainers", "/trainer/"),
        ("/admin/nowhere/", "Driver offender retraining: council staff", "/admin/"),
    ],
)
def test_error_page_has_the_name_of_its_door_and_the_way_back(
    browser: Client, address: str, name: str, url: str
) -> None:
    html = browser.get(address).content.decode()
    assertInHTML(f'<a href="{url}" class="govuk-service-navigation__link">{name}</a>', html, count=1)
    assertInHTML(f"<title>Page not found - {name} - Kent County Council</title>", html)


@pytest.mark.parametrize(
    ("address", "status", "title"),
    [
        ("/api/v1/suspicious/", 400, "Bad Request"),
        ("/api/v1/forbidden/", 403, "Forbidden"),
        ("/api/v1/nowhere/", 404, "Not Found"),
        ("/api/v1/post-only/", 405, "Method Not Allowed"),
        ("/api/v1/gone/", 410, "Gone"),
        ("/api/v1/too-large/", 413, HTTPStatus(413).phrase),
        ("/api/v1/throttled/", 429, "Too Many Requests"),
        ("/api/v1/broken/", 500, "Internal Server Error"),
        ("/api/v1/no-database/", 503, "Service Unavailable"),
        ("/api/v1/no-redis/", 503, "Service Unavailable"),
    ],
)
def test_api_gets_a_problem(browser: Client, address: str, status: int, title: str) -> None:
    response = browser.get(address)
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    assert response.json() == {"type": "about:blank", "title": title, "status": status}


def test_words_of_a_refusal_are_shown(browser: Client) -> None:
    assertInHTML(
        '<p class="govuk-body">This course is not yours.</p>', browser.get("/forbidden-with-words/").content.decode()
    )
    assert browser.get("/api/v1/forbidden-with-words/").json()["detail"] == "This course is not yours."


def test_headers_of_an_empty_answer_are_kept(browser: Client) -> None:
    assert browser.get("/post-only/")["Allow"] == "POST"
    assert browser.get("/throttled/")["Retry-After"] == "900"
    assert browser.get("/no-database/")["Retry-After"] == "30"


def test_form_without_its_token_is_refused_in_plain_words() -> None:
    response = Client(enforce_csrf_checks=True).post("/post-only/", {"x": "1"})
    html = response.content.decode()
    assert response.status_code == 403
    assertInHTML('<h1 class="govuk-heading-l">Go back and try again</h1>', html)
    assert "CSRF" not in html


def test_error_page_that_breaks_leaves_a_bare_one(browser: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*args: object) -> str:
        raise TemplateDoesNotExist("500.html")

    monkeypatch.setattr("common.error_pages.render_to_string", missing)
    response = browser.get("/broken/")
    assert response.status_code == 500
    assert b"<h1>Sorry, there is a problem with the service</h1>" in response.content


def test_api_sends_nobody_on_who_has_forgotten_the_slash_of_what_they_send(browser: Client) -> None:
    refused = browser.post("/api/v1/post-only")
    assert refused.status_code == 404
    assert refused["Content-Type"] == "application/problem+json"
    assert refused.json()["detail"] == "The address must end with a slash."
    assert browser.get("/api/v1/post-only").status_code == 301
    assert browser.post("/post-only").status_code == 301


class Unread:
    """A body that nobody may read."""

    def read(self, *_: object) -> bytes:
        raise AssertionError("it was read")

    readline = read


@pytest.mark.parametrize(
    ("kind", "most"),
    [
        ("multipart/form-data; boundary=x", 51 * 1024 * 1024),
        ("application/json", 1024 * 1024),
        ("application/x-www-form-urlencoded", 1024 * 1024),
        ("", 1024 * 1024),
    ],
)
@pytest.mark.parametrize("address", ["/post-only/", "/api/v1/post-only/"])
def test_body_that_is_too_large_is_refused_before_any_of_it_is_read(
    browser: Client, address: str, kind: str, most: int
) -> None:
    def send(length: int) -> HttpResponse:
        request = {"CONTENT_TYPE": kind, "CONTENT_LENGTH": str(length), "wsgi.input": Unread()}
        response: HttpResponse = browser.request(PATH_INFO=address, REQUEST_METHOD="POST", **request)
        return response

    assert send(most).content == b"done"
    refused = send(most + 1)
    told = f"What was sent is larger than {most // (1024 * 1024)} MB. Send it in parts."
    assert refused.status_code == 413
    assert told in refused.content.decode()
