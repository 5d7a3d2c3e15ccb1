"""Finance asks for refunds, decides on those of others, and settles what failed, in admin."""

import datetime as dt

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import Role, User
from audit.models import AccessLog, AuditEvent
from common import clock
from payments.constants import RefundReason, RefundStatus
from payments.models import Refund, RefundLimit
from tests.factories import payments as f

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("heard")]


def _finance(name: str, role: str = Role.FINANCE) -> User:
    user: User = User.objects.create_user(name, role=role, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="payments"))
    return user


def _client(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def finance() -> User:
    return _finance("finance-test")


@pytest.fixture
def page(finance: User) -> Client:
    return _client(finance)


@pytest.fixture
def second() -> User:
    return _finance("second-test")


# --- Refunds ---------------------------------------------------------------------------------------------------
def test_a_refund_is_asked_for_with_its_reason(page: Client, finance: User) -> None:
    charge = f.PaidChargeFactory.create()
    address = reverse("admin:payments_charge_refund", args=[charge.pk])
    assert "At most £92.00" in page.get(address).text
    answer = page.post(address, {"amount": "46.00", "reason": RefundReason.GOODWILL, "note": "bereavement"})
    assert (answer.status_code, answer["Location"]) == (
        302,
        reverse("admin:payments_charge_change", args=[charge.pk]),
    )
    refund = Refund.objects.get()
    assert (refund.amount_pence, refund.cause, refund.note) == (4600, RefundReason.GOODWILL, "bereavement")
    assert (refund.status, refund.requested_by) == (RefundStatus.WAITING, f"staff:{finance.pk}")
    assert AuditEvent.objects.get(action="refund.asked").reason == "bereavement"


def test_who_asked_is_named_and_not_offered_to_decide(page: Client, second: User) -> None:
    charge = f.PaidChargeFactory.create()
    given = {"amount": "46.00", "reason": RefundReason.GOODWILL, "note": "bereavement"}
    page.post(reverse("admin:payments_charge_refund", args=[charge.pk]), given)
    refund = Refund.objects.get()
    address = reverse("admin:payments_refund_change", args=[refund.pk])
    approve = reverse("admin:payments_refund_act", args=[refund.pk, "approve"])
    own, others = page.get(address).text, _client(second).get(address).text
    assert ("another person of finance decides" in own, approve in own) == (True, False)
    assert ("another person of finance decides" in others, approve in others) == (False, True)
    for where in (address, approve, reverse("admin:payments_charge_change", args=[charge.pk])):
        text = _client(second).get(where).text
        assert ("finance-test (staff)" in text, refund.requested_by in text) == (True, False), where
    assert address in _client(second).get(reverse("admin:payments_charge_change", args=[charge.pk])).text


def test_the_list_names_everybody_with_one_query(
    page: Client, finance: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    address = reverse("admin:payments_refund_changelist")

    def ask(name: str) -> None:
        refund = f.WaitingRefundFactory.create()
        user = _finance(name)
        Refund.objects.filter(pk=refund.pk).update(requested_by=f"staff:{user.pk}")

    ask("one")
    with CaptureQueriesContext(connection) as first:
        assert "one (staff)" in page.get(address).text
    for n in range(29):
        ask(f"another-{n}")
    with django_assert_num_queries(len(first)):
        assert "another-28 (staff)" in page.get(address).text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"amount": "92.01"}, "That is more than was paid and has not yet been refunded."),
        ({"amount": "0"}, "That is more than was paid"),
        ({"amount": "ninety"}, "Enter a number."),
        ({"note": ""}, "This field is required."),
        ({"reason": RefundReason.PAID_TWICE}, "Select a valid choice."),
    ],
)
def test_a_refund_that_is_wrong_is_refused_in_words(page: Client, changes: dict[str, str], words: str) -> None:
    charge = f.PaidChargeFactory.create()
    given = {"amount": "92.00", "reason": RefundReason.GOODWILL, "note": "bereavement"} | changes
    answer = page.post(reverse("admin:payments_charge_refund", args=[charge.pk]), given)
    assert answer.status_code == 200
    assert words in answer.text
    assert (Refund.objects.count(), AuditEvent.objects.count()) == (0, 0)


def test_a_refund_needs_the_permission_and_money_to_refund(page: Client, finance: User) -> None:
    charge, unpaid = f.PaidChargeFactory.create(), f.ChargeFactory.create()
    given = {"amount": "1.00", "reason": RefundReason.GOODWILL, "note": "x"}
    assert page.post(reverse("admin:payments_charge_refund", args=[unpaid.pk]), given).status_code == 403
    assert page.get(reverse("admin:payments_charge_refund", args=[0])).status_code == 404
    finance.user_permissions.remove(Permission.objects.get(codename="add_refund"))
    assert page.post(reverse("admin:payments_charge_refund", args=[charge.pk]), given).status_code == 403
    assert Refund.objects.count() == 0
    assert f"{charge.pk}/refund/" not in page.get(reverse("admin:payments_charge_change", args=[charge.pk])).text


def test_a_manager_with_every_permission_moves_no_money() -> None:
    charge = f.PaidChargeFactory.create()
    manager = _client(_finance("manager-test", Role.MANAGER))
    given = {"amount": "1.00", "reason": RefundReason.GOODWILL, "note": "x"}
    assert manager.post(reverse("admin:payments_charge_refund", args=[charge.pk]), given).status_code == 403
    assert f"{charge.pk}/refund/" not in manager.get(reverse("admin:payments_charge_change", args=[charge.pk])).text
    failed = f.FailedRefundFactory.create(charge=charge)
    for what in ("approve", "reject", "retry", "elsewhere"):
        answer = manager.post(reverse("admin:payments_refund_act", args=[failed.pk, what]), {"note": "x"})
        assert answer.status_code == 403
    assert Refund.objects.get().status == RefundStatus.FAILED


def test_opening_a_charge_is_in_the_access_log(page: Client, finance: User) -> None:
    charge = f.PaidChargeFactory.create()
    page.get(reverse("admin:payments_charge_change", args=[charge.pk]))
    entry = AccessLog.objects.get()
    assert (entry.actor, entry.action, entry.subject, entry.referral_key, entry.address) == (
        f"staff:{finance.pk}",
        "charge.opened",
        f"charge:{charge.pk}",
        charge.referral_key,
        "127.0.0.1",
    )


def test_a_second_person_decides_and_the_first_cannot(page: Client, second: User) -> None:
    refund = f.WaitingRefundFactory.create(requested_by="staff:0")
    own = f.WaitingRefundFactory.create(requested_by=f"staff:{second.pk}")
    listed = page.get(reverse("admin:payments_refund_changelist"), {"needs": "decision"}).text
    assert "2 refunds" in listed
    record = page.get(reverse("admin:payments_refund_change", args=[refund.pk])).text
    assert "Approve" in record
    assert "Try again" not in record
    decider = _client(second)
    address = reverse("admin:payments_refund_act", args=[refund.pk, "approve"])
    assert "staff:0 asked for £92.00" in decider.get(address).text
    rejecting = decider.get(reverse("admin:payments_refund_act", args=[refund.pk, "reject"])).text
    said = "The candidate is told that it is not sent if they were told that it is being checked."
    assert (said in rejecting, said in decider.get(address).text) == (True, False)
    assert "This field is required." in decider.post(address, {"note": ""}).text
    assert decider.post(address, {"note": "evidence seen"}).status_code == 302
    refused = decider.post(reverse("admin:payments_refund_act", args=[own.pk, "approve"]), {"note": "mine"})
    assert "You asked for this refund, so somebody else must decide on it." in refused.text
    refund.refresh_from_db()
    own.refresh_from_db()
    assert (refund.status, refund.decided_by, refund.decision_note) == (
        RefundStatus.REQUESTED,
        f"staff:{second.pk}",
        "evidence seen",
    )
    assert (own.status, own.decided_by) == (RefundStatus.WAITING, "")


def test_a_failed_refund_is_on_the_work_list_until_it_is_settled(page: Client) -> None:
    again, bank, large = (
        *f.FailedRefundFactory.create_batch(2),
        f.FailedRefundFactory.create(needs_approval=True, decided_by="staff:0", decided_at=clock.now()),
    )
    f.SucceededRefundFactory.create()
    work = reverse("admin:payments_refund_changelist")
    assert "3 refunds" in page.get(work, {"needs": "settling"}).text
    address = reverse("admin:payments_refund_act", args=[large.pk, "elsewhere"])
    said = page.post(address, {"note": "card closed"}, follow=True).text
    assert "A second person now decides on the refund." in said
    assert "1 refund" in page.get(work, {"needs": "decision"}).text
    for refund, what in ((again, "retry"), (bank, "elsewhere")):
        address = reverse("admin:payments_refund_act", args=[refund.pk, what])
        assert page.post(address, {"note": "card closed"}).status_code == 302
    assert "0 refunds" in page.get(work, {"needs": "settling"}).text
    assert [Refund.objects.get(pk=one.pk).status for one in (again, bank)] == ["REPLACED", "ELSEWHERE"]
    assert page.get(reverse("admin:payments_refund_act", args=[again.pk, "burn"])).status_code == 302


def test_the_limit_is_previewed_and_set_from_a_day_on(page: Client) -> None:
    f.WaitingRefundFactory.create(requested_by="staff:0", now=clock.now())
    tomorrow = clock.london_day(clock.now()) + dt.timedelta(days=1)
    given = {"over": "90", "valid_from": tomorrow.isoformat(), "reason": "audit advice"}
    address = reverse("admin:payments_refundlimit_add")
    preview = page.post(address, given)
    assert RefundLimit.objects.count() == 1
    words = "".join(preview.text.split())
    assert '<thscope="row">Asitis</th><td>£150.00</td><td>0</td>' in words
    assert '<thscope="row">Withthechange</th><td>£90.00</td><td>1</td>' in words
    assert page.post(address, given | {"seen": preview.context["seen"]}).status_code == 302
    assert [(limit.over_pence, limit.valid_to) for limit in RefundLimit.objects.all()] == [
        (9000, None),
        (15000, tomorrow - dt.timedelta(days=1)),
    ]
    assert AuditEvent.objects.get().words.startswith("Refunds above £90 (was £150) need a second person from")
    assert page.get(reverse("admin:payments_refundlimit_changelist")).status_code == 200
