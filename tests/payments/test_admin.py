"""Finance's pages: everything can be read, and what is done is done by a service."""

import datetime as dt
import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import Role, User
from audit.models import AuditEvent
from common import clock
from payments import rules
from payments.admin import searching
from payments.constants import ChargeStatus, EventStatus
from payments.models import Attempt, Charge, FeeSchedule, Refund, StripeEvent
from payments.services import ledger as bookkeeping
from tests.factories import payments as f
from tests.payments.conftest import CLERK

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("heard")]


@pytest.fixture
def finance() -> User:
    user: User = User.objects.create_user("finance-test", role=Role.FINANCE, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="payments"))
    return user


@pytest.fixture
def page(finance: User) -> Client:
    client = Client()
    client.force_login(finance)
    return client


def _paid_with_story() -> Any:
    charge = f.PaidChargeFactory.create(now=clock.now())
    bookkeeping.write_paid(charge=charge, attempt=charge.attempts.get(), by=CLERK, now=clock.now())
    f.SucceededRefundFactory.create(charge=charge, amount_pence=200)
    return charge


TRACKED: dict[str, Any] = {"charge": Charge, "refund": Refund, "feeschedule": FeeSchedule}
LISTS = ["charge", "refund", "stripeevent", "webhookrefusal", "journal", "feeschedule"]


@pytest.mark.parametrize("name", LISTS)
def test_every_list_and_record_opens_and_nothing_can_be_changed(page: Client, name: str) -> None:
    charge = _paid_with_story()
    f.ParkedEventFactory.create()
    assert page.get(reverse(f"admin:payments_{name}_changelist")).status_code == 200
    if name != "feeschedule":
        assert page.get(reverse(f"admin:payments_{name}_add")).status_code == 403
    if name == "charge":
        assert page.post(reverse("admin:payments_charge_change", args=[charge.pk]), {}).status_code == 403
        assert page.post(reverse("admin:payments_charge_delete", args=[charge.pk])).status_code == 403


@pytest.mark.parametrize(
    ("name", "factory"),
    [("charge", f.PaidChargeFactory), ("refund", f.SucceededRefundFactory), ("stripeevent", f.ParkedEventFactory)],
)
def test_lists_make_as_many_queries_for_thirty_rows_as_for_one(
    page: Client, name: str, factory: Any, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    address = reverse(f"admin:payments_{name}_changelist")
    factory.create()
    page.get(address)
    with django_assert_max_num_queries(15) as one:
        page.get(address)
    factory.create_batch(29)
    with django_assert_max_num_queries(15) as thirty:
        page.get(address)
    assert len(one.captured_queries) == len(thirty.captured_queries)


def test_a_charge_tells_its_story(page: Client, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    charge = _paid_with_story()
    bookkeeping.record_completion(booking_reference=charge.booking_reference, by=CLERK, now=clock.now())
    address = reverse("admin:payments_charge_change", args=[charge.pk])
    page.get(address)
    with django_assert_max_num_queries(15):
        text = page.get(address).text
    for words in (
        "Visa ending 4242",
        "Police cost recovery £45.00, UKROEd levy £3.00, VAT £0.00, KCC £44.00",
        "Course completed: £45 falls due to force 46",
        "Police cost recovery payable 46",
        "Cancelled by the candidate in time",
        f"{address.removesuffix('change/')}refund/",
    ):
        assert words in text


def test_posting_to_the_page_of_an_old_row_puts_nothing_back(client: Client) -> None:
    client.force_login(User.objects.create_superuser("root-test"))
    charge = f.PaidChargeFactory.create()
    Charge.objects.filter(pk=charge.pk).update(description="as it is now")
    f.SucceededRefundFactory.create(charge=charge, amount_pence=200)
    fee = f.fee()
    rows = {name: list(model.objects.order_by("pk").values()) for name, model in TRACKED.items()}
    for name, record in (("charge", charge), ("refund", Refund.objects.get()), ("feeschedule", fee)):
        oldest = TRACKED[name].history.filter(id=record.pk).earliest("history_id")
        address = reverse(f"admin:payments_{name}_simple_history", args=[record.pk, oldest.pk])
        assert client.get(address).status_code == 200
        old = {key: value for key, value in vars(oldest).items() if isinstance(value, str | int)}
        assert client.post(address, old).status_code == 403
    assert {name: list(model.objects.order_by("pk").values()) for name, model in TRACKED.items()} == rows


@pytest.mark.parametrize(
    "by",
    [
        "booking",
        "as typed",
        "referral",
        "intent",
        "checkout",
        "last4",
        "stripe refund",
        "dispute",
        "fee",
        "amount",
        "day",
        "all",
    ],
)
def test_a_charge_is_found(page: Client, by: str) -> None:
    charge = _paid_with_story()
    yesterday = clock.now() - dt.timedelta(days=1)
    f.ChargeFactory.create(referral_key="46/OTHER00001", amount_pence=9300, now=yesterday, parts=f.PARTS)
    today = clock.london_day(clock.now()).isoformat()
    words = {
        "booking": charge.booking_reference,
        "referral": charge.referral_key,
        "as typed": charge.booking_reference.lower().replace("-", " "),
        "intent": charge.attempts.get().payment_intent_id,
        "checkout": charge.attempts.get().checkout_session_id,
        "amount": "£92.00",
        "day": today,
        "all": f"4242 £92 {today} 46/46TEST0001",
        "last4": "4242",
        "stripe refund": charge.refunds.get().stripe_refund_id,
        "dispute": f.DisputeFactory.create(charge=charge).stripe_dispute_id,
        "fee": "txn_kept",
    }
    bookkeeping.write_journal(
        "STRIPE_FEE",
        source="stripe-fee:txn_kept",
        lines=rules.fee_lines(158),
        occurred_at=clock.now(),
        booking_reference=charge.booking_reference,
        by=CLERK,
        now=clock.now(),
    )
    text = page.get(reverse("admin:payments_charge_changelist"), {"q": words[by]}).text
    assert "1 charge" in text
    assert charge.booking_reference in text


@pytest.mark.parametrize(
    "words",
    ["4243", "£91.00", "2026-13-45", "pi_nobody", "du_nobody", "txn_nobody", "46/NOBODY", "4242 £1", "nonsense"],
)
def test_what_means_nothing_finds_nothing(page: Client, words: str) -> None:
    _paid_with_story()
    assert "0 charges" in page.get(reverse("admin:payments_charge_changelist"), {"q": words}).text


SEARCHES = {
    "KCC-CDFG-HJKM": "payments_charge_booking",
    "46/46TEST0001": "payments_charge_referral",
    "pi_nobody": "payments_attempt_intent",
    "cs_nobody": "payments_attempt_checkout",
    "re_nobody": "payments_refund_stripe_once",
    "4242": "payments_attempt_last4",
    "£92.00": "payments_charge_amount",
    "2026-11-20": "payments_charge_created",
}
MANY = 3000


def _many_payments() -> None:
    """Enough of them, no two alike, that the planner need not toss a coin."""
    charges = Charge.objects.bulk_create(
        f.ChargeFactory.build(
            booking_reference=f"KCC-{n}",
            referral_key=f"46/MANY{n}",
            status=ChargeStatus.PAID,
            amount_pence=20_000 + n,
            paid_pence=20_000 + n,
            now=f.NOW - dt.timedelta(days=2 + n),
        )
        for n in range(MANY)
    )
    attempts = Attempt.objects.bulk_create(
        f.PaidAttemptFactory.build(charge=charge, card_last4=f"{n % 4000:04}") for n, charge in enumerate(charges)
    )
    Refund.objects.bulk_create(
        f.RefundFactory.build(charge=attempt.charge, attempt=attempt, stripe_refund_id=f"re_invented_{n}")
        for n, attempt in enumerate(attempts)
    )
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE payments_charge, payments_attempt, payments_refund")


def test_each_kind_of_search_has_its_index() -> None:
    _many_payments()
    for words, index in SEARCHES.items():
        plan = Charge.objects.filter(searching.matching(words)).order_by().explain()
        assert index in plan
        assert "Seq Scan" not in plan


# --- Events ----------------------------------------------------------------------------------------------------
def test_parked_events_are_tried_again_and_others_left(page: Client, finance: User) -> None:
    parked, applied = f.ParkedEventFactory.create(), f.AppliedEventFactory.create()
    given = {"action": "try_again", "_selected_action": [parked.pk, applied.pk]}
    answer = page.post(reverse("admin:payments_stripeevent_changelist"), given, follow=True)
    assert "1 parked events will be tried again." in answer.text
    assert StripeEvent.objects.get(pk=parked.pk).status == EventStatus.RECEIVED
    assert StripeEvent.objects.get(pk=applied.pk).status == EventStatus.APPLIED
    assert AuditEvent.objects.get().actor == f"staff:{finance.pk}"


def test_trying_again_needs_the_permission(page: Client, finance: User) -> None:
    parked = f.ParkedEventFactory.create()
    finance.user_permissions.remove(Permission.objects.get(codename="change_stripeevent"))
    given = {"action": "try_again", "_selected_action": [parked.pk]}
    page.post(reverse("admin:payments_stripeevent_changelist"), given)
    assert StripeEvent.objects.get().status == EventStatus.PARKED


# --- Ledger and fees -------------------------------------------------------------------------------------------
def test_the_trial_balance_of_a_day(page: Client) -> None:
    charge = f.PaidChargeFactory.create()
    bookkeeping.write_paid(charge=charge, attempt=charge.attempts.get(), by=CLERK, now=f.NOW)
    address = reverse("admin:payments_journal_balance")
    text = page.get(address, {"day": "2026-11-20"}).text
    assert "Trial balance at the end of 20 November 2026" in text
    assert text.count("£92.00") == 6
    assert "Nothing was booked by then." in page.get(address, {"day": "2026-11-19"}).text
    assert page.get(address, {"day": "never"}).status_code == 200


def _seen(text: str) -> str:
    found = re.search('name="seen" value="([0-9a-f]{64})"', text)
    assert found is not None
    return found[1]


def test_a_fee_is_set_from_a_day_on(page: Client) -> None:
    fee = f.fee()
    tomorrow = clock.london_day(clock.now()) + dt.timedelta(days=1)
    given = {
        "course_type": fee.course_type_id,
        "mode": fee.mode,
        "valid_from": tomorrow.isoformat(),
        "police": "48",
        "levy": "3.50",
        "vat_code": "OUTSIDE",
        "vat": "0",
        "provider": "43.50",
        "reason": "published",
    }
    address = reverse("admin:payments_feeschedule_add")
    today = given | {"valid_from": (tomorrow - dt.timedelta(days=1)).isoformat()}
    refused = page.post(address, today | {"seen": _seen(page.post(address, today).text)})
    assert "A new fee must begin on a later day than today" in refused.text
    assert "Only the standard rate has VAT to pay." in page.post(address, given | {"vat": "1"}).text
    preview = page.post(address, given).text
    assert "<td>£92.00</td><td>£95.00</td><td>£3.00</td>" in "".join(preview.split("\n")).replace(" ", "")
    changed = given | {"levy": "4", "seen": _seen(preview)}
    assert "Difference" in page.post(address, changed).text  # what was not previewed is not saved
    assert FeeSchedule.objects.filter(course_type=fee.course_type, mode=fee.mode).count() == 1
    assert page.post(address, given | {"seen": _seen(preview)}).status_code == 302
    new = f.fee()
    assert (new.valid_from, new.total_pence, new.police_pence, new.levy_pence) == (tomorrow, 9500, 4800, 350)
    assert page.get(reverse("admin:payments_feeschedule_change", args=[new.pk])).status_code == 200


def test_nobody_without_permission_reads_money(db: None) -> None:
    user = User.objects.create_user("clerk-test", role=Role.CLERK, is_staff=True)
    client = Client()
    client.force_login(user)
    for name in LISTS:
        assert client.get(reverse(f"admin:payments_{name}_changelist")).status_code == 403
    assert client.get(reverse("admin:payments_journal_balance")).status_code == 403
    assert client.get(reverse("admin:payments_feeschedule_add")).status_code == 403
