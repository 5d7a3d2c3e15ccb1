"""Accounts in admin: privileges are a superuser's to give, and no account is deleted."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.urls import reverse

from accounts.models import User

pytestmark = pytest.mark.django_db


@pytest.fixture
def manager(client: Any) -> Any:
    user = User.objects.create_user("manager", is_staff=True, role="MANAGER")
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="accounts"))
    client.force_login(user)
    return client


def change(client: Any, user: User, **values: str) -> Any:
    form = {
        "username": user.username,
        "role": user.role,
        "is_active": "on",
        "date_joined_0": "2026-01-01",
        "date_joined_1": "09:00",
    }
    return client.post(reverse("admin:accounts_user_change", args=[user.pk]), form | values)


def test_a_manager_changes_accounts_but_gives_no_privileges(manager: Any) -> None:
    user = User.objects.create_user("one")
    assert change(manager, user, first_name="Ann", is_superuser="on", is_staff="on").status_code == 302
    user.refresh_from_db()
    assert (user.first_name, user.is_superuser, user.is_staff) == ("Ann", False, True)


def test_a_manager_cannot_become_a_superuser_by_changing_ones_password(manager: Any) -> None:
    admin = User.objects.create_superuser("admin", password="demo")
    before = admin.password
    assert change(manager, admin, first_name="Ann").status_code == 403
    address = reverse("admin:auth_user_password_change", args=[admin.pk])
    assert manager.post(address, {"password1": "x" * 20, "password2": "x" * 20}).status_code == 403
    admin.refresh_from_db()
    assert (admin.password, admin.first_name) == (before, "")


def test_no_account_is_deleted(client: Any) -> None:
    client.force_login(User.objects.create_superuser("admin", password="demo"))
    user = User.objects.create_user("one")
    assert client.post(reverse("admin:accounts_user_delete", args=[user.pk]), {"post": "yes"}).status_code == 403
    assert User.objects.filter(pk=user.pk).exists()


def test_a_mistake_of_role_is_said_in_words(client: Any) -> None:
    client.force_login(User.objects.create_superuser("admin", password="demo"))
    user = User.objects.create_user("one")
    response = change(client, user, role="OFFICER", is_staff="on")
    assert "Police officers and trainers have no access to the admin." in response.content.decode()
