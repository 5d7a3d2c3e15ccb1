"""Roles, and who may reach the admin."""

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Role, User

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("role", [Role.OFFICER, Role.TRAINER])
def test_officers_and_trainers_never_reach_the_admin(role: Role) -> None:
    with pytest.raises(IntegrityError, match="accounts_only_kcc_staff_reach_admin"), transaction.atomic():
        User.objects.create_user("one", role=role, is_staff=True)
    user = User.objects.create_user("one", role=role)
    with pytest.raises(IntegrityError, match="accounts_only_kcc_staff_reach_admin"), transaction.atomic():
        User.objects.filter(pk=user.pk).update(is_staff=True)
    assert User.objects.get().is_staff is False


def test_a_superuser_is_staff() -> None:
    with pytest.raises(IntegrityError, match="accounts_superuser_is_staff"), transaction.atomic():
        User.objects.create_user("one", is_superuser=True)
    assert User.objects.create_superuser("admin", password="demo").actor_kind == "staff"
