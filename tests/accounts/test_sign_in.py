"""Sign-in is django-allauth's: closed to newcomers, throttled, with a second factor before everything else."""

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.urls import reverse

from accounts.models import Role, User

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery staple"


@pytest.fixture
def officer() -> User:
    return User.objects.create_user("officer", password=PASSWORD, role=Role.OFFICER)


def sign_in(client: Any, username: str = "officer", password: str = PASSWORD) -> Any:
    return client.post(reverse("account_login"), {"login": username, "password": password})


def code_for(secret: str) -> str:
    counter = next(iter(yield_hotp_counters_from_time()))
    return format_hotp_value(hotp_value(secret, counter))


def test_a_right_password_leads_home(client: Any, officer: User) -> None:
    response = sign_in(client)
    assert (response.status_code, response.url) == (302, "/accounts/home/")


def test_what_is_missing_is_named(client: Any) -> None:
    page = sign_in(client, username="", password="").content.decode()
    assert "Enter your username" in page
    assert "Enter your password" in page


def test_nobody_registers(client: Any) -> None:
    client.post(
        reverse("account_signup"),
        {"username": "new", "email": "new@example.org", "password1": PASSWORD, "password2": PASSWORD},
    )
    assert User.objects.count() == 0


def test_guessing_is_throttled(client: Any, officer: User) -> None:
    for number in range(5):
        assert sign_in(client, password=f"wrong {number}").status_code == 200
    response = sign_in(client)
    assert "_auth_user_id" not in client.session
    assert b"Too many failed login attempts" in response.content


@pytest.mark.parametrize("path", ["/admin/", "/accounts/home/", "/accounts/password/change/"])
def test_a_second_factor_comes_before_everything_else(client: Any, settings: Any, path: str) -> None:
    settings.MFA_REQUIRED = True
    client.force_login(User.objects.create_superuser("admin", password=PASSWORD))
    response = client.get(path)
    assert (response.status_code, response.url) == (302, "/accounts/2fa/")
    assert client.get(reverse("account_logout")).status_code == 200


def test_who_has_a_second_factor_is_asked_for_it_at_sign_in(client: Any, settings: Any, officer: User) -> None:
    settings.MFA_REQUIRED = True
    secret = generate_totp_secret()
    TOTP.activate(officer, secret)
    response = sign_in(client)
    assert response.url == "/accounts/2fa/authenticate/"
    assert "_auth_user_id" not in client.session
    assert client.get("/accounts/home/").status_code == 302
    client.post(reverse("mfa_authenticate"), {"code": code_for(secret)})
    assert client.session["_auth_user_id"] == str(officer.pk)
    assert client.get("/accounts/home/").url == "/police/"


def test_the_second_factor_is_looked_up_once_a_session(
    client: Any, settings: Any, officer: User, django_assert_max_num_queries: Any
) -> None:
    settings.MFA_REQUIRED = True
    TOTP.activate(officer, generate_totp_secret())
    client.force_login(officer)
    client.get("/accounts/home/")
    with django_assert_max_num_queries(2) as queries:
        assert client.get("/accounts/home/").url == "/police/"
    assert [query["sql"] for query in queries.captured_queries if "mfa_authenticator" in query["sql"]] == []


def test_the_last_factor_stays_where_one_is_required(client: Any, settings: Any, officer: User) -> None:
    settings.MFA_REQUIRED = True
    TOTP.activate(officer, generate_totp_secret())
    client.force_login(officer)
    client.post(reverse("mfa_deactivate_totp"))
    assert Authenticator.objects.filter(user=officer).count() == 1


def test_candidates_and_others_without_an_account_are_let_by(client: Any, settings: Any) -> None:
    settings.MFA_REQUIRED = True
    assert client.get(reverse("account_login")).status_code == 200


def test_a_directory_signs_in_nobody_new() -> None:
    from allauth.socialaccount.adapter import get_adapter

    assert get_adapter().is_open_for_signup(None, None) is False


def test_sign_in_while_redis_is_away_says_to_try_again(client: Any, settings: Any) -> None:
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}}
    client.raise_request_exception = False
    response = client.post("/accounts/login/", {"login": "clerk", "password": "wrong"})
    assert (response.status_code, response["Retry-After"]) == (503, "30")
