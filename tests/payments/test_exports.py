"""Exports: asked for with a purpose, made by a job, downloaded on the record, deleted after their days."""

import csv
import datetime as dt
import hashlib
import io
import json
from collections.abc import Callable
from io import StringIO
from typing import Any

import pytest
from celery import current_app
from django.contrib.auth.models import Permission
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts.models import Role, User
from audit.models import AccessLog, AuditEvent
from common import clock
from notifications.models import Message
from payments import jobs, services, sheets
from payments.constants import ExportKind, ExportStatus
from payments.errors import (
    ExportExpiredError,
    ExportNotFoundError,
    ExportPeriodError,
    ExportPurposeError,
    ExportStateError,
)
from payments.models import Export
from payments.services import exports
from payments.services import ledger as bookkeeping
from tests.factories import payments as f
from tests.payments.conftest import CLERK, Killed, die

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("heard")]
UTC = dt.UTC
FIRST, LAST = dt.date(2026, 4, 1), dt.date(2026, 4, 30)
IN_APRIL = dt.datetime(2026, 4, 10, 12, tzinfo=UTC)
NOW = dt.datetime(2026, 5, 3, 9, tzinfo=UTC)
PURPOSE = "Month end for the finance system"


def _ask(kind: str = ExportKind.JOURNALS, **given: Any) -> Export:
    values = {"first_on": FIRST, "last_on": LAST, "purpose": PURPOSE, "by": CLERK, "now": NOW} | given
    return services.ask_export(kind=kind, **values)


def _made(kind: str = ExportKind.JOURNALS, **given: Any) -> Export:
    export = _ask(kind, **given)
    assert services.make_exports(now=given.get("now", NOW))["ready"] == 1
    export.refresh_from_db()
    return export


def _bytes(export: Export) -> bytes:
    with default_storage.open(str(export.file.name)) as file:
        content: bytes = file.read()
    return content


def _rows(export: Export) -> list[list[str]]:
    return list(csv.reader(io.StringIO(_bytes(export).decode(), newline="")))


def _stored(export: Export) -> list[str]:
    folder = f"exports/{export.pk}"
    return default_storage.listdir(folder)[1] if default_storage.exists(folder) else []


def _state() -> tuple[Any, ...]:
    return list(Export.objects.order_by("pk").values()), AuditEvent.objects.count(), Message.objects.count()


def _paid(at: dt.datetime = IN_APRIL, **given: Any) -> Any:
    charge = f.PaidChargeFactory.create(now=at, **given)
    with transaction.atomic():
        bookkeeping.write_paid(charge=charge, attempt=charge.attempts.get(), by=CLERK, now=at)
    return charge


# --- What they hold --------------------------------------------------------------------------------------------
def test_journal_lines_are_those_of_the_london_days_and_balance() -> None:
    charge = _paid()
    # London's April begins an hour before UTC's, and ends an hour before it.
    last = _paid(dt.datetime(2026, 4, 30, 22, 59, 59, tzinfo=UTC))
    _paid(dt.datetime(2026, 4, 30, 23, 0, tzinfo=UTC))
    _paid(dt.datetime(2026, 3, 31, 22, 59, 59, tzinfo=UTC))
    export = _made()
    heads, *rows = _rows(export)
    assert heads == [
        "journal", "line", "date", "kind", "source", "booking", "account", "force", "debit", "credit"
    ]  # fmt: skip
    intents = [one.attempts.get().payment_intent_id for one in (charge, last)]
    assert [row[2:] for row in rows] == [
        [day, "Paid", f"paid:{intent}", one.booking_reference, account, "", debit, credit]
        for one, intent, day in zip((charge, last), intents, ("2026-04-10", "2026-04-30"), strict=True)
        for account, debit, credit in (("Stripe clearing", "92.00", ""), ("Fees received in advance", "", "92.00"))
    ]
    assert (export.status, export.row_count, export.error) == (ExportStatus.READY, 4, "")
    assert export.sha256 == hashlib.sha256(_bytes(export)).hexdigest()
    assert (export.ready_at, export.expires_at) == (NOW, NOW + dt.timedelta(days=7))


def test_charges_have_their_parts_and_no_person() -> None:
    charge = _paid()
    open_one = f.ChargeFactory.create(now=IN_APRIL)
    export = _made(ExportKind.CHARGES)
    assert _rows(export)[1:] == [
        [
            str(charge.pk), "2026-04-10", charge.booking_reference, "46", "Course fee", "Paid", "92.00", "45.00",
            "3.00", "0.00", "44.00", "92.00", "0.00", "2026-04-10", charge.attempts.get().payment_intent_id, "4242",
        ],
        [
            str(open_one.pk), "2026-04-10", open_one.booking_reference, "46", "Course fee", "To be paid", "92.00",
            "45.00", "3.00", "0.00", "44.00", "0.00", "0.00", "", "", "",
        ],
    ]  # fmt: skip
    text = _bytes(export).decode()
    assert not [word for word in ("46TEST0001", "candidate", "example.org") if word in text]


def test_refunds_have_no_notes() -> None:
    refund = f.SucceededRefundFactory.create(now=IN_APRIL, note="bereavement", amount_pence=9200, charge=_paid())
    export = _made(ExportKind.REFUNDS)
    attempt = refund.attempt
    assert _rows(export)[1:] == [
        [
            str(refund.pk), "2026-04-10", refund.charge.booking_reference, str(refund.charge_id), "92.00",
            "Cancelled by the candidate in time", "Refunded", "2026-04-10", refund.stripe_refund_id,
            attempt.payment_intent_id, "4242",
        ]
    ]  # fmt: skip
    assert "bereavement" not in _bytes(export).decode()
    assert "46TEST0001" not in _bytes(export).decode()


def test_no_cell_is_a_formula() -> None:
    _paid(booking_reference='=HYPERLINK("x"')
    (row,) = _rows(_made(ExportKind.CHARGES))[1:]
    assert row[2] == '\'=HYPERLINK("x"'
    assert sheets.line(["=1+1", "@x", "-5", "safe"]) == "'=1+1,'@x,'-5,safe\r\n"


def test_a_period_without_anything_is_a_file_of_headings() -> None:
    export = _made(ExportKind.REFUNDS)
    assert (len(_rows(export)), export.row_count) == (1, 0)


def test_rows_come_in_chunks_and_none_is_lost_between_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "_CHUNK_ROWS", 2)
    for _ in range(5):
        f.ChargeFactory.create(now=IN_APRIL)
    export = _made(ExportKind.CHARGES)
    assert export.row_count == len({row[0] for row in _rows(export)[1:]}) == 5


# --- Asking ----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"purpose": "too short"}, ExportPurposeError),
        ({"purpose": "a         b"}, ExportPurposeError),
        ({"first_on": LAST, "last_on": FIRST}, ExportPeriodError),
        ({"last_on": dt.date(2026, 5, 4)}, ExportPeriodError),
    ],
)
def test_without_a_purpose_or_a_period_that_was_nothing_is_asked(given: dict[str, Any], error: type) -> None:
    before = _state()
    with pytest.raises(error):
        _ask(**given)
    assert _state() == before


def test_the_database_too_wants_a_purpose_and_a_period() -> None:
    for broken in ({"purpose": "because"}, {"first_on": LAST, "last_on": FIRST}, {"status": "READY"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            f.ExportFactory.create(**broken)


def test_asking_is_on_record_and_rings() -> None:
    export = _ask()
    event = AuditEvent.objects.get(subject=f"export:{export.pk}")
    assert event.words == "Export of journal lines, 1 April 2026 to 30 April 2026: asked for"
    assert (event.actor, event.reason) == ("staff:7", PURPOSE)


# --- Making ----------------------------------------------------------------------------------------------------
def _broken(*args: Any) -> Any:
    raise OSError("no space on /a/private/path")


def test_a_failed_try_is_made_later_and_given_up_after_five(monkeypatch: pytest.MonkeyPatch) -> None:
    _paid()
    export, now = _ask(), NOW
    with monkeypatch.context() as full:
        full.setattr(default_storage, "save", _broken)
        assert services.make_exports(now=now) == {"ready": 0, "failed": 0, "put_off": 1}
        assert services.make_exports(now=now) == {"ready": 0, "failed": 0, "put_off": 0}
        for failed in (0, 0, 0, 1):
            now += dt.timedelta(hours=1)
            assert services.make_exports(now=now) == {"ready": 0, "failed": failed, "put_off": 1 - failed}
        now += dt.timedelta(hours=1)
        assert services.make_exports(now=now) == {"ready": 0, "failed": 0, "put_off": 0}
    export.refresh_from_db()
    assert (export.status, export.error, export.row_count) == (ExportStatus.FAILED, "OSError", None)
    assert (export.file.name, _stored(export)) == ("", [])
    services.try_export_again(export_id=export.pk, by=CLERK, now=now)
    before = _state()
    with pytest.raises(ExportStateError):
        services.try_export_again(export_id=export.pk, by=CLERK, now=now)
    assert _state() == before
    assert services.make_exports(now=now) == {"ready": 1, "failed": 0, "put_off": 0}
    export.refresh_from_db()
    assert (export.status, export.error, export.row_count) == (ExportStatus.READY, "", 2)
    events = AuditEvent.objects.filter(subject=f"export:{export.pk}").order_by("pk")
    told = ["export.asked", "export.failed", "export.tried_again", "export.ready"]
    assert list(events.values_list("action", flat=True)) == told


def test_a_killed_worker_leaves_nothing_that_the_next_does_not_put_right(monkeypatch: pytest.MonkeyPatch) -> None:
    _paid()
    export = _ask()
    with monkeypatch.context() as killing:
        killing.setattr(exports, "_move", die)  # the file is in storage, the row does not yet say so
        with pytest.raises(Killed):
            services.make_exports(now=NOW)
    assert len(_stored(export)) == 1
    assert services.make_exports(now=NOW)["ready"] == 0  # the claim of the dead stands
    assert services.make_exports(now=NOW + dt.timedelta(minutes=15))["ready"] == 1
    export.refresh_from_db()
    assert [f"exports/{export.pk}/{name}" for name in _stored(export)] == [export.file.name]
    assert export.sha256 == hashlib.sha256(_bytes(export)).hexdigest()


def test_who_comes_late_with_a_claim_that_lapsed_leaves_the_other_s_file(monkeypatch: pytest.MonkeyPatch) -> None:
    _paid()
    export = _ask()
    write: Callable[..., Any] = exports._write
    later = NOW + dt.timedelta(minutes=15)

    def slowly(*args: Any) -> Any:
        monkeypatch.setattr(exports, "_write", write)
        assert services.make_exports(now=later)["ready"] == 1
        return write(*args)

    monkeypatch.setattr(exports, "_write", slowly)
    assert services.make_exports(now=NOW) == {"ready": 0, "failed": 0, "put_off": 1}
    export.refresh_from_db()
    assert (export.status, export.ready_at) == (ExportStatus.READY, later)
    assert [f"exports/{export.pk}/{name}" for name in _stored(export)] == [export.file.name]
    assert AuditEvent.objects.filter(action="export.ready").count() == 1


# --- Their end -------------------------------------------------------------------------------------------------
def test_after_seven_days_the_file_is_gone_and_the_row_stays_as_proof() -> None:
    _paid()
    export = _made()
    path, over = str(export.file.name), NOW + dt.timedelta(days=7)
    assert services.expire_exports(now=over - dt.timedelta(seconds=1)) == 0
    assert default_storage.exists(path)
    # Before the sweep comes by, too.
    with pytest.raises(ExportExpiredError):
        services.open_export(export_id=export.pk, by=CLERK, now=over)
    assert services.expire_exports(now=over) == 1
    assert not default_storage.exists(path)
    sha256 = export.sha256
    export.refresh_from_db()
    assert (export.status, export.file.name, export.row_count, export.sha256) == ("EXPIRED", "", 2, sha256)
    before = _state()
    assert services.expire_exports(now=over) == 0
    assert _state() == before


def test_expiry_broken_off_is_finished_by_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    export, over = _made(), NOW + dt.timedelta(days=8)
    with monkeypatch.context() as killing:
        killing.setattr(exports, "_move", die)
        with pytest.raises(Killed):
            services.expire_exports(now=over)
    export.refresh_from_db()
    assert (export.status, _stored(export)) == (ExportStatus.READY, [])
    assert services.expire_exports(now=over) == 1


def test_jobs_and_commands_do_the_same() -> None:
    scheduled = {entry["task"] for entry in current_app.conf.beat_schedule.values()}
    assert {"payments.jobs.make_exports", "payments.jobs.expire_exports"} <= scheduled
    export, out = _ask(), StringIO()
    call_command("make_exports", "--now", NOW.isoformat(), "--json", stdout=out)
    assert json.loads(out.getvalue()) == {"ready": 1, "failed": 0, "put_off": 0}
    jobs.make_exports()
    out = StringIO()
    call_command("expire_exports", "--now", (NOW + dt.timedelta(days=7)).isoformat(), "--json", stdout=out)
    assert json.loads(out.getvalue()) == {"expired": 1}
    jobs.expire_exports()
    events = AuditEvent.objects.filter(subject=f"export:{export.pk}").order_by("pk")
    assert list(events.values_list("action", "actor")) == [
        ("export.asked", "staff:7"),
        ("export.ready", "command:make_exports"),
        ("export.expired", "command:expire_exports"),
    ]


# --- Pages -----------------------------------------------------------------------------------------------------
def _client(name: str, role: str, **given: Any) -> Client:
    user: User = User.objects.create_user(name, role=role, is_staff=True, **given)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="payments"))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def page() -> Client:
    return _client("finance-test", Role.FINANCE)


LIST = reverse("admin:payments_export_changelist")
ADD = reverse("admin:payments_export_add")


def _address(name: str, export: Export) -> str:
    return reverse(f"admin:payments_export_{name}", args=[export.pk])


def test_finance_asks_downloads_and_each_download_is_on_record(page: Client) -> None:
    assert "There are no exports here." in page.get(LIST).text
    given = {"kind": "CHARGES", "first_on": "2026-04-01", "last_on": "2026-04-30", "purpose": PURPOSE}
    assert "Ensure this value has at least 10 characters" in page.post(ADD, given | {"purpose": "short"}).text
    assert "The last day must not be before the first" in page.post(ADD, given | {"last_on": "2026-03-01"}).text
    assert not Export.objects.exists()
    assert "The export is asked for." in page.post(ADD, given, follow=True).text
    export = Export.objects.get()
    assert export.asked_by == f"staff:{User.objects.get().pk}"
    waiting = page.get(_address("download", export))
    assert (waiting.status_code, "There is no file to download yet." in waiting.text) == (404, True)
    services.make_exports(now=clock.now())
    assert "Download" in page.get(LIST).text
    assert "Download" in page.get(_address("change", export)).text
    export.refresh_from_db()
    for _ in range(2):
        answer = page.get(_address("download", export))
        content = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
        assert content == _bytes(export)
        assert answer["Content-Disposition"] == 'attachment; filename="charges-2026-04-01-to-2026-04-30.csv"'
        assert answer["Content-Type"] == "text/csv; charset=utf-8"
    log = AccessLog.objects.filter(action="export.downloaded", subject=f"export:{export.pk}").order_by("pk")
    assert [(entry.actor, entry.allowed, entry.reason) for entry in log] == [
        (export.asked_by, allowed, PURPOSE) for allowed in (False, True, True)
    ]
    services.expire_exports(now=clock.now() + dt.timedelta(days=8))
    gone = page.get(_address("download", export))
    assert (gone.status_code, "This export has expired and its file is deleted." in gone.text) == (410, True)
    assert "Download" not in page.get(LIST).text
    assert page.get(reverse("admin:payments_export_download", args=[0])).status_code == 404
    assert page.post(_address("download", export)).status_code == 403
    assert page.post(_address("change", export), {}).status_code == 403
    assert page.get(_address("delete", export)).status_code == 403


def test_what_failed_is_tried_again_by_a_button(page: Client) -> None:
    export = f.ExportFactory.create(status=ExportStatus.FAILED, error="OSError", attempts=5)
    assert "Try again" in page.get(_address("change", export)).text
    assert "The export is tried again." in page.post(_address("again", export), follow=True).text
    assert "this is no longer possible" in page.post(_address("again", export)).text.lower()
    assert Export.objects.get().attempts == 0


@pytest.mark.parametrize(
    ("role", "given"), [(Role.MANAGER, {}), (Role.CLERK, {}), (Role.MANAGER, {"is_superuser": True})]
)
def test_nobody_else_sees_asks_or_takes(role: str, given: dict[str, Any]) -> None:
    export, other = _made(), _client("other-test", role, **given)
    before, entries = _state(), AccessLog.objects.count()
    for address in (LIST, ADD, *(_address(name, export) for name in ("change", "history", "download", "again"))):
        assert (address, other.get(address).status_code) == (address, 403)
    asked = {"kind": "CHARGES", "first_on": "2026-04-01", "last_on": "2026-04-30", "purpose": PURPOSE}
    assert other.post(ADD, asked).status_code == 403
    assert other.post(_address("again", export)).status_code == 403
    assert LIST not in other.get(reverse("admin:index")).text
    assert (_state(), AccessLog.objects.count()) == (before, entries)


def test_finance_without_the_permission_is_refused() -> None:
    client, export = _client("finance-test", Role.FINANCE), _made()
    User.objects.get(username="finance-test").user_permissions.clear()
    for address in (LIST, ADD, _address("download", export)):
        assert client.get(address).status_code == 403


def test_there_is_no_way_to_a_file_by_its_address(page: Client) -> None:
    export = _made()
    assert page.get(f"/{export.file.name}").status_code == 404
    with pytest.raises(ExportNotFoundError):
        services.open_export(export_id=0, by=CLERK, now=NOW)


def test_the_list_makes_as_many_queries_for_thirty_rows_as_for_one(
    page: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    counts = []
    for more in (1, 29):
        f.ExportFactory.create_batch(more)
        page.get(LIST)
        with django_assert_max_num_queries(15) as made:
            page.get(LIST)
        counts.append(len(made.captured_queries))
    assert counts[0] == counts[1]
