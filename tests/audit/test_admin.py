"""Staff read the record in admin; nobody writes it there."""

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.urls import reverse

from accounts.models import User
from audit import services
from audit.context import Actor, acting
from audit.models import AccessLog, AuditEvent, RetentionProof, Seal
from audit.paging import BoundedPaginator

NOW = dt.datetime(2026, 11, 20, 10, tzinfo=dt.UTC)
CLERK = Actor("staff", "7")

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff(client: Any) -> Any:
    client.force_login(User.objects.create_superuser("admin", password="demo"))
    return client


def test_history_shows_who_and_why_and_what(staff: Any) -> None:
    with acting(CLERK, on_behalf_of="candidate:46/A", reason="Rang up <b>"):
        user = User.objects.create_user("one", first_name="Ann")
        User.objects.filter(pk=user.pk).update(first_name="Anna")
    page = staff.get(reverse("admin:accounts_user_history", args=[user.pk])).content.decode()
    assert "staff:7 for candidate:46/A" in page
    assert "Rang up &lt;b&gt;" in page
    assert "Ann\n" in page
    assert "Anna" in page
    assert "Revert" not in page


def test_an_old_row_can_be_looked_at_but_not_put_back(staff: Any) -> None:
    user = User.objects.create_user("one", first_name="Ann")
    User.objects.filter(pk=user.pk).update(first_name="Anna")
    address = reverse("admin:accounts_user_simple_history", args=[user.pk, user.history.earliest().pk])
    assert staff.get(address).status_code == 200
    assert staff.post(address, {"username": "one", "first_name": "Ann"}).status_code == 403
    user.refresh_from_db()
    assert (user.first_name, user.history.count()) == ("Anna", 2)


def test_events_are_found_by_reference(staff: Any) -> None:
    services.record("a.b", by=CLERK, now=NOW, words="The one.", referral_key="46/46DEMO0001")
    services.record("a.b", by=CLERK, now=NOW, words="Another.", referral_key="46/46DEMO0002")
    page = staff.get(reverse("admin:audit_auditevent_changelist"), {"q": "46/46DEMO0001"}).content.decode()
    assert "The one." in page
    assert "Another." not in page


@pytest.mark.parametrize("model", [AuditEvent, AccessLog, Seal, RetentionProof])
def test_the_record_is_read_and_nothing_else(staff: Any, model: Any) -> None:
    services.record("a.b", by=CLERK, now=NOW, words="The one.")
    services.log_access("a.opened", by=CLERK, now=NOW)
    services.seal(now=NOW)
    name = f"admin:audit_{model._meta.model_name}"
    assert staff.get(reverse(f"{name}_changelist")).status_code == 200
    assert staff.get(reverse(f"{name}_add")).status_code == 403
    row = model.objects.first()
    if row is not None:
        assert staff.get(reverse(f"{name}_change", args=[row.pk])).status_code == 200
        assert staff.post(reverse(f"{name}_change", args=[row.pk]), {"words": "x"}).status_code == 403
        assert staff.get(reverse(f"{name}_delete", args=[row.pk])).status_code == 403


def test_who_has_no_permission_sees_no_record(client: Any) -> None:
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    assert client.get(reverse("admin:audit_auditevent_changelist")).status_code == 403


def test_the_list_costs_the_same_for_one_event_and_for_thirty(staff: Any, django_assert_num_queries: Any) -> None:
    address = reverse("admin:audit_auditevent_changelist")
    services.record("a.b", by=CLERK, now=NOW, words="X.")
    staff.get(address)
    with django_assert_num_queries(3):
        staff.get(address)
    for number in range(29):
        services.record("a.b", by=CLERK, now=NOW, words=f"X {number}.")
    with django_assert_num_queries(3):
        staff.get(address)


def test_no_more_rows_are_counted_than_the_bound(django_assert_num_queries: Any) -> None:
    services.record_many(services.event_of("a.b", by=CLERK, now=NOW, words="X.") for _ in range(30))

    class Few(BoundedPaginator):
        most = 20

    with django_assert_num_queries(1) as queries:
        assert Few(AuditEvent.objects.order_by("-pk"), 10).count == 20
    assert "LIMIT 20" in queries.captured_queries[0]["sql"]


def test_events_of_a_reference_come_by_an_index() -> None:
    services.record_many(
        services.event_of("a.b", by=CLERK, now=NOW, words="X.", referral_key=f"46/{number}") for number in range(3000)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE audit_auditevent")
    plan = AuditEvent.objects.filter(referral_key__exact="46/7").order_by("-pk").explain()
    assert "audit_event_referral" in plan
    either = AuditEvent.objects.filter(referral_key="46/7") | AuditEvent.objects.filter(subject="46/7")
    assert "Seq Scan" not in either.explain()
