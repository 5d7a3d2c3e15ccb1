"""Seals cover every row of the record once, in the order in which transactions end, and any tampering breaks them."""

import datetime as dt
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, connections, transaction

from accounts.models import User
from audit import services
from audit.context import Actor
from audit.jobs import verify_audit
from audit.models import AuditEvent, Seal, SealedRange, SealLayout
from audit.sealing import MARGIN, chained, settled_seal
from audit.verification import verify
from devtools.processes import wait_until

NOW = dt.datetime(2026, 11, 20, 10, tzinfo=dt.UTC)
CLERK = Actor("staff", "7")
MINUTE = dt.timedelta(minutes=1)


def happen(number: int = 1) -> AuditEvent:
    return services.record("test.happened", by=CLERK, now=NOW, words=f"Thing {number} happened.")


def kinds() -> list[tuple[str, str, list[int]]]:
    return [(problem.kind, problem.table, problem.ids) for problem in verify().problems]


@contextmanager
def by_force() -> Iterator[Any]:
    """A cursor for which the record's triggers are switched off, as the tables' owner or a superuser can."""
    tables = ("audit_auditevent", "audit_historicaluser", "audit_seal", "audit_sealedrange")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield cursor
        for table in tables:
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


@pytest.mark.django_db
def test_a_seal_covers_events_access_log_and_history() -> None:
    event = happen()
    entry = services.log_access("referral.opened", by=CLERK, now=NOW, referral_key="46/A")
    user = User.objects.create(username="one")
    row = user.history.get()
    sealed = services.seal(now=NOW)
    assert sealed is not None
    ranges = {found.table: found for found in sealed.ranges.all()}
    assert ranges["audit_auditevent"].covers == [(event.pk, event.pk)]
    assert ranges["audit_accesslog"].covers == [(entry.pk, entry.pk)]
    assert ranges["audit_historicaluser"].covers == [(row.pk, row.pk)]
    assert (bytes(sealed.previous), len(sealed.digest)) == (b"", 32)


@pytest.mark.django_db
def test_seals_form_a_chain_and_an_idle_minute_makes_none() -> None:
    happen(1)
    first = services.seal(now=NOW)
    assert services.seal(now=NOW + MINUTE) is None
    happen(2)
    happen(3)
    second = services.seal(now=NOW + 2 * MINUTE)
    assert first is not None
    assert second is not None
    assert bytes(second.previous) == bytes(first.digest)
    assert bytes(second.digest) != bytes(first.digest)
    event_range = second.ranges.get(table="audit_auditevent")
    assert event_range.rows == 2
    verdict = verify()
    assert (verdict.problems, verdict.seals, verdict.head) == ([], 2, bytes(second.digest).hex())


@pytest.mark.django_db
def test_a_backlog_takes_several_seals() -> None:
    services.seal(now=NOW - MINUTE)  # the rows that migrations left
    events = [happen(number) for number in range(7)]
    seals = [services.seal(now=NOW + number * MINUTE, slice_rows=3) for number in range(5)]
    counts = [seal.ranges.get(table="audit_auditevent").rows if seal else None for seal in seals]
    assert counts == [3, 3, 1, None, None]
    assert SealedRange.objects.filter(table="audit_auditevent").latest("pk").reach == events[-1].pk
    assert kinds() == []


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_commits_late_is_neither_missed_nor_taken_for_an_intruder() -> None:
    written, may_commit = threading.Event(), threading.Event()
    late: list[int] = []

    def commit_late() -> None:
        with transaction.atomic():
            late.append(happen(1).pk)
            written.set()
            may_commit.wait(20)
        connections.close_all()

    thread = threading.Thread(target=commit_late)
    thread.start()
    assert written.wait(20)
    quick = happen(2)
    assert quick.pk > late[0]
    first = services.seal(now=NOW)
    assert first is not None
    assert first.ranges.get(table="audit_auditevent").covers == [(quick.pk, quick.pk)]
    # Long after, and with other seals between, the gap is still open: its transaction has not ended.
    happen(3)
    services.seal(now=NOW + MARGIN * 2)
    happen(4)
    services.seal(now=NOW + MARGIN * 4)
    assert kinds() == []
    may_commit.set()
    thread.join()
    assert kinds() == []
    caught = services.seal(now=NOW + MARGIN * 6)
    assert caught is not None
    assert caught.ranges.get(table="audit_auditevent").covers == [(late[0], late[0])]
    assert kinds() == []


@pytest.mark.django_db(transaction=True)
def test_a_row_put_into_an_old_gap_is_found() -> None:
    happen(1)
    with transaction.atomic():
        gap = happen(2).pk
        transaction.set_rollback(True)
    happen(3)
    services.seal(now=NOW)
    moments = (NOW + MARGIN * 2 * number for number in range(1, 1_000))

    def is_closed() -> bool:
        """One more seal: whoever was under way anywhere on the server when an earlier one was made has ended."""
        happen()
        services.seal(now=next(moments))
        return settled_seal(Seal.objects.latest("pk")) >= Seal.objects.earliest("pk").pk

    assert wait_until(is_closed, seconds=60)
    assert kinds() == []
    AuditEvent.objects.create(pk=gap, occurred_at=NOW, actor="staff:1", action="test.forged", words="Never happened.")
    assert kinds() == [("inserted", "audit_auditevent", [gap])]


@pytest.mark.django_db(transaction=True)
def test_two_sealers_at_once_make_one_chain() -> None:
    for number in range(50):
        happen(number)
    start = threading.Barrier(4)
    made: list[Seal | None] = []

    def run() -> None:
        start.wait(20)
        made.append(services.seal(now=NOW))
        connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len([seal for seal in made if seal is not None]) == 1
    assert Seal.objects.count() == 1
    assert kinds() == []


@pytest.mark.django_db
def test_the_chain_cannot_fork() -> None:
    happen()
    sealed = services.seal(now=NOW)
    assert sealed is not None
    with pytest.raises(IntegrityError, match="audit_seal_chain_never_forks"), transaction.atomic():
        Seal(sealed_at=NOW, rows=1, previous=b"", digest=b"x", cluster=1, horizon=1, next_xid=1).save()


@pytest.mark.django_db
def test_s24_an_event_removed_by_force_breaks_verify_audit(caplog: pytest.LogCaptureFixture) -> None:
    events = [happen(number) for number in range(3)]
    services.seal(now=NOW)
    with by_force() as cursor:
        cursor.execute("DELETE FROM audit_auditevent WHERE id = %s", [events[1].pk])
    assert kinds() == [("missing", "audit_auditevent", [events[1].pk])]
    out = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("verify_audit", as_json=True, stdout=out)
    assert ended.value.code == 1
    answer = json.loads(out.getvalue())
    assert (answer["ok"], answer["problems"][0]["kind"], answer["problems"][0]["ids"]) == (
        False,
        "missing",
        [events[1].pk],
    )
    verify_audit()
    assert caplog.messages == ["the record is broken: missing"]


@pytest.mark.django_db
def test_s24_a_history_row_removed_by_force_breaks_verify_audit() -> None:
    user = User.objects.create(username="one")
    User.objects.update(role="MANAGER")
    row = user.history.earliest()
    services.seal(now=NOW)
    with by_force() as cursor:
        cursor.execute("DELETE FROM audit_historicaluser WHERE history_id = %s", [row.pk])
    assert kinds() == [("missing", "audit_historicaluser", [row.pk])]


@pytest.mark.django_db
def test_a_row_changed_by_force_breaks_the_seal() -> None:
    event = happen()
    services.seal(now=NOW)
    with by_force() as cursor:
        cursor.execute("UPDATE audit_auditevent SET words = 'Nothing happened.' WHERE id = %s", [event.pk])
    assert kinds() == [("changed", "audit_auditevent", [event.pk])]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit_seal SET sealed_at = sealed_at + interval '1 hour' WHERE id = %(first)s",
        "UPDATE audit_sealedrange SET digest = sha256('x') WHERE seal_id = %(first)s",
        "DELETE FROM audit_sealedrange WHERE seal_id = %(first)s",
    ],
)
def test_a_seal_changed_by_force_breaks_the_chain(sql: str) -> None:
    happen(1)
    first = services.seal(now=NOW)
    happen(2)
    services.seal(now=NOW + MINUTE)
    assert first is not None
    with by_force() as cursor:
        cursor.execute(sql, {"first": first.pk})
    assert ("chain", "", []) in kinds()


@pytest.mark.django_db
def test_a_seal_removed_by_force_breaks_the_chain() -> None:
    seals = []
    for number in range(3):
        happen(number)
        seals.append(services.seal(now=NOW + number * MINUTE))
    assert seals[1] is not None
    with by_force() as cursor:
        cursor.execute("DELETE FROM audit_sealedrange WHERE seal_id = %s", [seals[1].pk])
        cursor.execute("DELETE FROM audit_seal WHERE id = %s", [seals[1].pk])
    assert ("chain", "", []) in kinds()


@pytest.mark.django_db
def test_a_column_added_later_leaves_older_seals_whole() -> None:
    happen(1)
    services.seal(now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_auditevent ADD COLUMN later text NOT NULL DEFAULT 'x'")
    assert kinds() == []


@pytest.mark.django_db
def test_a_column_taken_away_is_said_in_words() -> None:
    happen(1)
    services.seal(now=NOW)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_auditevent DROP COLUMN reason CASCADE")
    assert kinds() == [("unreadable", "audit_auditevent", [])]


@pytest.mark.django_db
def test_digests_are_what_the_documents_say() -> None:
    """Anyone with the rows can compute a seal again; what is stored today must come out the same in ten years."""
    event = happen()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT digest FROM audit_digests('audit_auditevent', %s, int8multirange(int8range(%s, NULL)))",
            [["id", "actor", "words", "on_behalf_of"], event.pk],
        )
        assert bytes(cursor.fetchone()[0]) == sha256(f'({event.pk},staff:7,"Thing 1 happened.","")'.encode()).digest()
    layout = SealLayout(table="a", columns=["id", "b"])
    part = SealedRange(table="a", layout=layout, covers=[(1, 2)], reach=2, rows=2, digest=b"\x01")
    link = Seal(sealed_at=NOW, rows=2, previous=b"\x02", cluster=3, horizon=4, next_xid=5)
    text = (
        '{"previous":"02","sealed_at":"2026-11-20T10:00:00+00:00","cluster":3,"horizon":4,"next_xid":5,"rows":2,'
        '"ranges":[["a",["id","b"],[[1,2]],2,2,"01"]]}'
    )
    assert chained(link, [part]) == sha256(text.encode()).digest()


@pytest.mark.django_db
def test_settings_of_a_session_do_not_change_a_digest() -> None:
    event = happen()
    columns = ["id", "occurred_at", "actor", "data"]
    question = "SELECT digest FROM audit_digests('audit_auditevent', %s, int8multirange(int8range(%s, NULL)))"
    with connection.cursor() as cursor:
        cursor.execute(question, [columns, event.pk])
        before = cursor.fetchall()
        cursor.execute(
            "SET LOCAL TimeZone = 'Asia/Kolkata'; SET LOCAL DateStyle = 'German'; SET LOCAL search_path = pg_catalog;"
            "SET LOCAL bytea_output = 'escape'; SET LOCAL IntervalStyle = 'iso_8601'; SET LOCAL extra_float_digits = 0"
        )
        cursor.execute(question.replace("audit_digests", "public.audit_digests"), [columns, event.pk])
        assert cursor.fetchall() == before
    assert len(before) == 1


@pytest.mark.django_db
def test_after_a_restore_on_another_server_old_gaps_are_closed() -> None:
    happen(1)
    first = services.seal(now=NOW)
    assert first is not None
    with by_force() as cursor:  # as if this had been sealed elsewhere, by a server whose transactions ran far ahead
        cursor.execute("UPDATE audit_seal SET cluster = 1, horizon = 900000000, next_xid = 900000001")
        first.refresh_from_db()
        digest = chained(first, list(first.ranges.select_related("layout")))
        cursor.execute("UPDATE audit_seal SET digest = %s", [digest])
    happen(2)
    second = services.seal(now=NOW + MARGIN)
    happen(3)
    third = services.seal(now=NOW + MARGIN * 3)
    assert second is not None
    assert third is not None
    assert [seal.ranges.get(table="audit_auditevent").rows for seal in (first, second, third)] == [1, 1, 1]
    assert kinds() == []


@pytest.mark.django_db
def test_verify_audit_says_so_when_all_is_well() -> None:
    happen()
    sealed = services.seal(now=NOW)
    assert sealed is not None
    out = StringIO()
    call_command("verify_audit", stdout=out)
    assert (
        out.getvalue()
        == f"The record is whole: 1 seals, {sealed.rows} sealed rows, head {bytes(sealed.digest).hex()}.\n"
    )
