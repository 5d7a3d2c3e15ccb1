"""Finance issues, reads, exports and pays statements, and enters costs, in admin."""

import csv
import datetime as dt
import io

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import Role, User
from payments import services
from payments.models import Cost, Statement, StatementPayment
from tests.payments.conftest import CLERK
from tests.payments.test_statements import APRIL, IN_APRIL, IN_MAY, _completed, _undo

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("heard")]


@pytest.fixture
def page() -> Client:
    return _client("finance-test", Role.FINANCE)


def _client(name: str, role: str) -> Client:
    user: User = User.objects.create_user(name, role=role, is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="payments"))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def statement() -> Statement:
    """Of April, of force 46: two completed, one of them undone in March's stead."""
    for charge in [_completed("46", IN_APRIL) for _ in range(2)][:1]:
        _undo(charge, IN_APRIL)
    services.issue_statements(month=APRIL, by=CLERK, now=IN_MAY)
    return Statement.objects.get(force_code="46")


def test_a_statement_is_addressed_by_the_forces_name(page: Client, statement: Statement) -> None:
    for name in ("payments_statement_print", "payments_statement_change", "payments_statement_paid"):
        text = page.get(reverse(f"admin:{name}", args=[statement.pk])).text
        assert ("Kent Police" in text, "Force 46" in text) == (True, False), name
    record = page.get(reverse("admin:payments_statement_change", args=[statement.pk])).text
    assert ("April 2027" in record, "1 April" in record) == (True, False)
    listed = page.get(reverse("admin:payments_statement_changelist")).text
    assert ("Kent Police" in listed, "UKROEd" in listed) == (True, True)


def test_a_month_is_issued_and_paid_by_finance_alone(page: Client) -> None:
    _completed("46", dt.datetime(2026, 9, 10, tzinfo=dt.UTC))
    issue = reverse("admin:payments_statement_issue")
    manager = _client("manager-test", Role.MANAGER)
    assert manager.post(issue, {"month": "2026-09"}).status_code == 403
    assert "Issue a month" not in manager.get(reverse("admin:payments_statement_changelist")).text
    assert "Issue a month" in page.get(reverse("admin:payments_statement_changelist")).text
    assert "Enter a valid date" in page.post(issue, {"month": "September"}).text
    assert "2 statements issued for September 2026" in page.post(issue, {"month": "2026-09"}, follow=True).text
    assert "Statements are issued for a month that is over" in page.post(issue, {"month": "2026-08"}).text
    statement = Statement.objects.get(force_code="46")
    record = reverse("admin:payments_statement_change", args=[statement.pk])
    assert "Mark as paid" in page.get(record).text
    assert "Mark as paid" not in manager.get(record).text
    paid = reverse("admin:payments_statement_paid", args=[statement.pk])
    given = {"paid_on": "2026-10-05", "reference": "BACS 7"}
    assert manager.post(paid, given).status_code == 403
    assert page.post(paid, given).status_code == 302
    assert StatementPayment.objects.get().paid_on == dt.date(2026, 10, 5)
    text = page.get(record).text
    assert "5 October 2026, BACS 7" in text
    assert "Mark as paid" not in text
    assert page.post(record, {}).status_code == 403


def test_the_file_is_journal_lines_that_balance_and_no_formula(page: Client, statement: Statement) -> None:
    answer = page.get(reverse("admin:payments_statement_csv", args=[statement.pk]))
    assert answer["Content-Disposition"] == 'attachment; filename="statement-2027-04-46.csv"'
    text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["kind"], row["debit"], row["credit"]) for row in rows] == [
        ("Course completed", "45.00", ""),
        ("Course completed", "45.00", ""),
        ("Correction", "", "45.00"),
        ("Total", "", "45.00"),
    ]
    assert {(row["statement"], row["date"], row["force"]) for row in rows[:3]} == {("2027-04-46", "2027-04-10", "46")}
    assert (rows[-1]["account"], rows[-1]["description"]) == ("Creditor: force 46", "To pay for April 2027")
    debit, credit = (sum(round(float(row[side] or 0) * 100) for row in rows) for side in ("debit", "credit"))
    assert debit == credit == 9000
    assert not [cell for row in rows for cell in row.values() if cell[:1] in "=+-@\t\r" and cell]


def test_a_page_for_paper(page: Client, statement: Statement) -> None:
    text = page.get(reverse("admin:payments_statement_print", args=[statement.pk])).text
    for words in ("Statement 2027-04-46", "Kent Police", "April 2027", "£90.00", "-£45.00", "£45.00", "css/print"):
        assert words in text


def test_the_list_makes_as_many_queries_for_thirty_rows_as_for_one(
    page: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    address = reverse("admin:payments_statement_changelist")
    counts = []
    for forces in (["01"], [f"{code:02}" for code in range(2, 31)]):
        for force in forces:
            _completed(force, IN_APRIL if force == "01" else IN_MAY)
        services.issue_due_statements(
            by=CLERK, now=IN_MAY if force == "01" else dt.datetime(2027, 6, 1, tzinfo=dt.UTC)
        )
        page.get(address)
        with django_assert_max_num_queries(15) as made:
            page.get(address)
        counts.append(len(made.captured_queries))
    assert counts[0] == counts[1]
    assert Statement.objects.count() == 32


def test_costs_are_entered_and_the_surplus_shown_with_its_law(page: Client) -> None:
    _completed("46", IN_APRIL)
    add = reverse("admin:payments_cost_add")
    given = {"month": "2027-04", "kind": "TRAINERS", "amount": "110", "note": "invoice 12"}
    assert "Enter an amount." in page.post(add, given | {"amount": "0"}).text
    assert page.post(add, given).status_code == 302
    assert page.post(add, given | {"amount": "-90.50", "note": "half of invoice 12 was ours"}).status_code == 302
    assert _client("manager-test", Role.MANAGER).post(add, given).status_code == 403
    assert list(Cost.objects.order_by("pk").values_list("amount_pence", flat=True)) == [11000, -9050]
    assert page.get(reverse("admin:payments_cost_changelist")).status_code == 200
    address = reverse("admin:payments_statement_surplus")
    text = page.get(address, {"first": "2027-04", "last": "2027-04"}).text
    for words in ("£44.00", "-£19.50", "£24.50", "Road Traffic Offenders Act 1988, section 90G"):
        assert words in text
    assert page.get(address, {"first": "never"}).status_code == 200


def test_nobody_without_permission_reads_statements(statement: Statement) -> None:
    user: User = User.objects.create_user("clerk-test", role=Role.CLERK, is_staff=True)
    client = Client()
    client.force_login(user)
    for name, args in (("changelist", []), ("surplus", []), ("csv", [statement.pk]), ("print", [statement.pk])):
        assert client.get(reverse(f"admin:payments_statement_{name}", args=args)).status_code == 403
