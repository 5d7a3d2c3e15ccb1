"""Disputes, payouts and reconciliation in admin: lists of constant cost, both sides of a difference, acts."""

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import Role, User
from audit.models import AccessLog, AuditEvent
from payments.constants import DisputeStatus, PayoutStatus, RunStatus
from payments.models import Dispute, Payout, ReconciliationException, ReconciliationRun
from tests.factories import payments as f

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("heard")]
NOW = f.NOW


def _client(*, role: str = Role.FINANCE, apps: tuple[str, ...] = ("payments",)) -> Client:
    user: User = User.objects.create_user(f"{role}-test", role=role, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label__in=apps))
    client = Client()
    client.force_login(user)
    return client


def dispute(number: int = 1, **given: Any) -> Dispute:
    """A dispute that waits for our answer until the 27th."""
    charge = f.PaidChargeFactory.create()
    facts = {
        "stripe_dispute_id": f"du_{number}", "charge": charge, "attempt": charge.attempts.get(),
        "reason": "fraudulent", "amount_pence": 9200, "status": DisputeStatus.NEEDS_RESPONSE, "status_at": NOW,
        "opened_at": NOW, "evidence_due_by": NOW + dt.timedelta(days=7),
    }  # fmt: skip
    return Dispute.objects.create(**(facts | given))


def payout(number: int = 1) -> Payout:
    """Arrived, and agreeing with its transactions."""
    return Payout.objects.create(
        stripe_payout_id=f"po_{number}", amount_pence=9042, status=PayoutStatus.ARRIVED, status_at=NOW,
        created_at=NOW, arrives_on=NOW.date(), transactions=1, transactions_pence=9042,
    )  # fmt: skip


def run_of(number: int = 1, *, status: str = RunStatus.EXCEPTIONS, differences: int = 1) -> ReconciliationRun:
    """A day with differences."""
    run = ReconciliationRun.objects.create(
        day=NOW.date() - dt.timedelta(days=number - 1), status=status, turn=1, started_at=NOW, finished_at=NOW,
        done_by="job:reconcile_payments", transactions=3, payments_pence=18400, fees_pence=316,
        stripe_balance_pence=18084, ledger_balance_pence=9042,
    )  # fmt: skip
    for each in range(differences):
        ReconciliationException.objects.create(
            run=run, kind="AT_STRIPE_ONLY", subject=f"txn_{each}", theirs_pence=9200, effect_pence=-9200,
            note="charge ch_1 has no entry in the ledger", found_at=NOW,
        )  # fmt: skip
    return run


@pytest.mark.parametrize(("name", "make"), [("dispute", dispute), ("payout", payout), ("reconciliationrun", run_of)])
def test_lists_make_as_many_queries_for_thirty_rows_as_for_one(
    name: str, make: Any, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    page, address = _client(), reverse(f"admin:payments_{name}_changelist")
    make(1)
    assert page.get(address).status_code == 200
    with django_assert_max_num_queries(15) as one:
        page.get(address)
    for number in range(2, 31):
        make(number)
    with django_assert_max_num_queries(15) as thirty:
        page.get(address)
    assert len(one.captured_queries) == len(thirty.captured_queries)
    for act, words in (("add", []), ("delete", [1])):
        assert page.post(reverse(f"admin:payments_{name}_{act}", args=words)).status_code == 403


def test_a_day_shows_both_sides_of_each_difference() -> None:
    run = run_of()
    charge = f.PaidChargeFactory.create()
    ReconciliationException.objects.create(
        run=run, kind="BOOKING_UNPAID", subject=f"booking:{charge.booking_reference}", ours_pence=0, theirs_pence=9200,
        booking_reference=charge.booking_reference, found_at=NOW,
    )  # fmt: skip
    text = _client().get(reverse("admin:payments_reconciliationrun_change", args=[run.pk])).content.decode()
    for words in ("At Stripe, not with us", "txn_0", "nothing", "£92.00", "charge ch_1 has no entry in the ledger"):
        assert words in text
    assert reverse("admin:payments_charge_change", args=[charge.pk]) in text
    assert text.count(">Explain<") == 2
    assert "agree to the penny" not in text


def test_a_green_day_says_so() -> None:
    run = run_of(status=RunStatus.GREEN, differences=0)
    text = _client().get(reverse("admin:payments_reconciliationrun_change", args=[run.pk])).content.decode()
    assert '<p class="day-agrees">Stripe, the ledger and the bookings agree to the penny.</p>' in text


def test_a_difference_is_explained_with_a_reason() -> None:
    run = run_of()
    found = ReconciliationException.objects.get()
    page, address = _client(), reverse("admin:payments_reconciliation_resolve", args=[found.pk])
    assert "txn_0: with us nothing, at Stripe £92.00." in page.get(address).content.decode()
    assert page.post(address, {"reason": ""}).status_code == 200
    assert AuditEvent.objects.count() == 0
    answer = page.post(address, {"reason": "A test of the card reader"})
    assert answer["Location"] == reverse("admin:payments_reconciliationrun_change", args=[run.pk])
    found.refresh_from_db()
    assert (found.resolution, ReconciliationRun.objects.get().status) == ("A test of the card reader", "EXPLAINED")
    again = page.post(address, {"reason": "Again"}).content.decode()
    assert "This difference is explained already, or is gone." in again


@pytest.mark.parametrize("name", ["payments_reconciliation_resolve", "payments_dispute_take"])
def test_a_clerk_decides_nothing(name: str) -> None:
    run_of()
    key = ReconciliationException.objects.get().pk if "resolve" in name else dispute().pk
    answer = _client(role=Role.CLERK).post(reverse(f"admin:{name}", args=[key]), {"reason": "Because"})
    assert answer.status_code == 403
    assert (AuditEvent.objects.count(), Dispute.objects.exclude(taken_at=None).count()) == (0, 0)
    assert ReconciliationException.objects.exclude(resolved_at=None).count() == 0


def test_a_dispute_is_taken() -> None:
    found = dispute()
    page = _client()
    text = page.get(reverse("admin:payments_dispute_change", args=[found.pk])).content.decode()
    assert "The payer says that it was not they who paid (fraudulent)" in text
    assert "10am on Friday 27 November 2026" in text
    assert "See to it" in text
    page.post(reverse("admin:payments_dispute_take", args=[found.pk]), {"reason": "Register is ready"})
    found.refresh_from_db()
    assert (found.note, found.taken_by.startswith("staff:")) == ("Register is ready", True)
    text = page.get(reverse("admin:payments_dispute_changelist"), {"waits": "untaken"}).content.decode()
    assert found.charge.booking_reference not in text


def test_the_record_pack_needs_both_rights() -> None:
    found = dispute()
    assert _client().get(reverse("admin:payments_dispute_pack", args=[found.pk])).status_code == 403
    assert AccessLog.objects.count() == 0
