"""Admin's first page says what waits for whoever opens it."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from accounts.models import Role, User
from common import clock
from ndors_portal import waiting_work
from payments.models import Refund
from tests.factories import payments as p

pytestmark = pytest.mark.django_db


def client_with(name: str, *permissions: str) -> Client:
    user = User.objects.create_user(name, role=Role.FINANCE, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__in=permissions))
    client = Client()
    client.force_login(user)
    return client


def test_what_waits_is_named_with_the_way_to_it_for_who_may_see_it(monkeypatch: pytest.MonkeyPatch) -> None:
    finance = client_with("finance", "view_refund", "view_charge")
    clerk = client_with("clerk", "view_charge")
    index = reverse("admin:index")
    assert "Nothing waits for you." in finance.get(index).text
    p.WaitingRefundFactory.create_batch(2, now=clock.now())
    page = finance.get(index).text
    address = f"{reverse('admin:payments_refund_changelist')}?needs=decision"
    assert f'<a href="{address}">Refunds to decide on: 2</a>' in page
    assert "Nothing waits" not in page
    listed = finance.get(address).context["cl"].result_list
    assert {refund.pk for refund in listed} == set(Refund.objects.values_list("pk", flat=True))
    assert "Nothing waits for you." in clerk.get(index).text
    monkeypatch.setattr(waiting_work, "MOST_COUNTED", 2)
    assert "Refunds to decide on: 2 or more" in finance.get(index).text


def test_every_list_that_may_wait_can_be_opened_as_it_is_linked(client: Client) -> None:
    client.force_login(User.objects.create_superuser("root-test"))
    for permission, _, rows, name, query in waiting_work._lists():
        assert Permission.objects.filter(codename=permission.partition(".")[2]).exists(), permission
        assert rows.count() == 0
        answer = client.get(f"{reverse(f'admin:{name}_changelist')}{query}")
        assert answer.status_code == 200, answer
        assert "?e=1" not in answer.get("Location", "")
