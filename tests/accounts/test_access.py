"""Doors: who is let in, who is sent to sign in, who is refused."""

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.test import RequestFactory
from django.views import View

from accounts.access import RoleRequiredMixin, client_address, role_required
from accounts.models import Role, User


@role_required("OFFICER", "MANAGER")
def function_page(request: HttpRequest) -> HttpResponse:
    return HttpResponse("in")


class ClassPage(RoleRequiredMixin, View):
    roles = (Role.OFFICER, Role.MANAGER)

    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("in")


pages = pytest.mark.parametrize("page", [function_page, ClassPage.as_view()], ids=["function", "class"])


@pages
@pytest.mark.parametrize("role", [Role.OFFICER, Role.MANAGER])
def test_a_role_that_is_named_comes_in(rf: RequestFactory, page: Any, role: Role) -> None:
    request = rf.get("/police/")
    request.user = User(pk=1, role=role)
    assert page(request).content == b"in"


@pages
@pytest.mark.parametrize("user", [User(pk=1, role=Role.TRAINER), User(pk=1, role=Role.CLERK, is_superuser=True)])
def test_another_role_is_refused_even_a_superuser(rf: RequestFactory, page: Any, user: User) -> None:
    request = rf.get("/police/")
    request.user = user
    with pytest.raises(PermissionDenied):
        page(request)


@pages
def test_who_is_not_signed_in_is_sent_there_and_back(rf: RequestFactory, page: Any) -> None:
    request = rf.get("/police/batches/", {"state": "rejected"})
    request.user = AnonymousUser()
    response = page(request)
    assert response.status_code == 302
    assert response.url == "/accounts/login/?next=/police/batches/%3Fstate%3Drejected"


@pages
def test_an_account_switched_off_is_refused(rf: RequestFactory, page: Any) -> None:
    request = rf.get("/police/")
    request.user = User(pk=1, role=Role.OFFICER, is_active=False)
    with pytest.raises(PermissionDenied):
        page(request)


def test_a_role_that_does_not_exist_is_a_mistake_in_the_code() -> None:
    with pytest.raises(ValueError, match="POLICE"):
        role_required("POLICE")


@pytest.mark.parametrize(
    ("proxies", "forwarded", "address"),
    [
        (0, "198.51.100.1", "192.0.2.1"),
        (1, "198.51.100.1", "198.51.100.1"),
        (1, "203.0.113.9, 198.51.100.1", "198.51.100.1"),
        (2, "203.0.113.9, 198.51.100.1", "203.0.113.9"),
        (2, "198.51.100.1", "192.0.2.1"),
        (1, "", "192.0.2.1"),
        (1, "nonsense", None),
        (1, "2001:db8::1", "2001:db8::1"),
    ],
)
def test_the_address_is_what_our_own_proxies_say(
    rf: RequestFactory, settings: Any, proxies: int, forwarded: str, address: str | None
) -> None:
    settings.TRUSTED_PROXIES = proxies
    request = rf.get("/", REMOTE_ADDR="192.0.2.1", headers={"X-Forwarded-For": forwarded})
    assert client_address(request) == address


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("role", "door"),
    [(Role.OFFICER, "/police/"), (Role.TRAINER, "/trainer/"), (Role.CLERK, "/admin/"), (Role.FINANCE, "/admin/")],
)
def test_everybody_lands_at_their_own_door(client: Any, role: Role, door: str) -> None:
    client.force_login(User.objects.create_user("one", role=role))
    response = client.get("/accounts/home/")
    assert (response.status_code, response.url) == (302, door)
