"""Officers' searches and figures among 200,000 referrals: each is read from an index, never by going through all."""

import datetime as dt
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import Func
from django.test.utils import CaptureQueriesContext

from audit.models import AuditEvent
from common.crypto import keyed_hash
from devtools.many_referrals import fill
from referrals import lookups, selectors, services
from referrals.models import Batch, BatchRow, Force, Outcome, OutcomeSequence, Referral
from tests.referrals.files import JOB, as_csv, import_bytes, many

# In transactions of their own, as in production: what is sent is then what production sends.
pytestmark = pytest.mark.django_db(transaction=True)
NOW = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
ROWS = 200_000
DRIVER = "SMITH801150JA9XX"
BIG = {"referrals_referral", "referrals_outcome", "referrals_batchrow", "audit_auditevent"}
# What production sends before a query that is kept (`common.prepared`): its tables are joined in the order written.
AS_WRITTEN = "SET LOCAL join_collapse_limit TO 1; "
# Years of files, 500 rows each, all settled; of the last days' some quarantined rows are still to be decided.
BATCHES = """
    INSERT INTO referrals_batch (id, force_id, kind, status, status_at, file, file_name, sha256, size_bytes,
        received_at, received_by, receipt_email, columns, settled_at, refusal, rows, rows_read, rows_expected,
        settled_to, new, unchanged, changed, rejected, quarantined, warnings, claimed_until, attempts)
    SELECT md5('batch' || n)::uuid, CASE WHEN mod(n, 10) < 7 THEN '46' WHEN mod(n, 10) < 9 THEN '42' ELSE '01' END,
        'referrals', 'SETTLED', at, 'batches/' || n, 'offers.csv', md5(n::text) || md5(n::text), 1, at, 'api:46', '',
        '[]', at, '', 500, 500, 500, 501, 450, 0, 25, 20, 5, 0, NULL, 1
    FROM (SELECT n, timestamptz '2026-11-20' - n * interval '4 days' AS at FROM generate_series(1, %s) AS n) AS f"""
ROWS_OF_BATCHES = """
    INSERT INTO referrals_batchrow (batch_id, number, state, row_force_code, reference, content_hash, cells_encrypted,
        errors, warnings, changes, decision, decided_at, decided_by, decision_reason)
    SELECT id, number, state, force_id, 'OLD' || number, '', '',
        CASE WHEN state IN ('rejected', 'quarantined')
            THEN '[{"code": "other_force", "column": "force_code", "message": "No", "value": "42"}]' ELSE '[]'
        END::jsonb,
        '[]', '{}', CASE WHEN is_decided THEN 'accepted' ELSE '' END, CASE WHEN is_decided THEN settled_at END,
        CASE WHEN is_decided THEN 'officer:3' ELSE '' END, ''
    FROM (
        SELECT batch.*, number, state, state = 'quarantined' AND received_at < timestamptz '2026-11-01' AS is_decided
        FROM referrals_batch AS batch, generate_series(2, 501) AS number, LATERAL (SELECT CASE
            WHEN mod(number, 100) = 0 THEN 'quarantined' WHEN mod(number, 25) = 1 THEN 'rejected'
            WHEN mod(number, 20) = 3 THEN 'changed' ELSE 'new' END AS state) AS states
    ) AS rows"""
EVENTS = """
    INSERT INTO audit_auditevent (occurred_at, actor, on_behalf_of, action, subject, referral_key, words, reason, data)
    SELECT received_at, 'job:made', '', 'referral.received', 'referral:' || id, force_id || '/' || reference,
        'Received.', '', '{}'
    FROM referrals_referral"""


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", []):
        yield from nodes(below)


def read_of(sql: str) -> tuple[list[str], int]:
    """The big tables that a query goes through from end to end, and how many of their rows it touches."""
    with transaction.atomic(), connection.cursor() as cursor:
        if sql.startswith(AS_WRITTEN):
            cursor.execute(AS_WRITTEN)
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql.removeprefix(AS_WRITTEN)}")
        told = cursor.fetchone()[0]
    plan = (json.loads(told) if isinstance(told, str) else told)[0]["Plan"]
    on_big = [node for node in nodes(plan) if node.get("Relation Name") in BIG]
    touched = sum(
        (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"] for node in on_big
    )
    return [node["Relation Name"] for node in on_big if node["Node Type"] == "Seq Scan"], int(touched)


def plans(work: Any) -> list[tuple[list[str], int]]:
    """What each query that the work makes on a big table reads; what writes, with the actor in front, is left out."""
    with CaptureQueriesContext(connection) as queries:
        work()
    told = [each["sql"] for each in queries if any(table in each["sql"] for table in BIG)]
    reads = [sql for sql in told if sql.removeprefix(AS_WRITTEN).lstrip().startswith("SELECT")]
    return [read_of(sql) for sql in reads if "set_config" not in sql]


def fill_files(cursor: Any) -> None:
    """So many rows of settled files, and an event of each referral; with statistics, as autovacuum would make them."""
    cursor.execute("ALTER TABLE referrals_batch DISABLE TRIGGER USER")
    for sql, values in ((BATCHES, [ROWS // 500]), (ROWS_OF_BATCHES, []), (EVENTS, [])):
        cursor.execute(sql, values)
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    cursor.execute("ALTER TABLE referrals_batch ENABLE TRIGGER USER")
    cursor.execute("ANALYZE referrals_batch, referrals_batchrow, audit_auditevent")


def of_files(held: Referral) -> dict[str, Callable[[], object]]:
    """What officers and KCC's staff read of files, the oldest and the newest, and of what became of a referral."""
    reads: dict[str, Callable[[], object]] = {
        "undecided": lambda: list(selectors.undecided_rows()[:50]),
        "undecided of a force": lambda: list(selectors.undecided_rows(force="46")[:50]),
        "story": lambda: selectors.story(held),
    }
    for name, batch in {
        "newest": Batch.objects.of_force("46").order_by("-received_at")[0],
        "oldest": Batch.objects.of_force("46").order_by("received_at")[0],
    }.items():
        row = BatchRow.objects.filter(batch=batch, state="quarantined").order_by("number")[0]
        reads |= {
            f"rows of the {name}": lambda batch=batch: selectors.rows_of(batch, after=100),
            f"changed rows of the {name}": lambda batch=batch: selectors.rows_of(batch, state="changed"),
            f"warned rows of the {name}": lambda batch=batch: selectors.rows_of(batch, warned=True),
            f"rejected of the {name}": lambda batch=batch: selectors.problem_groups(batch, state="rejected"),
            f"quarantined of the {name}": lambda batch=batch: selectors.problem_groups(batch, state="quarantined"),
            f"a row of the {name}": lambda row=row: selectors.undecided_row(force="46", row_id=row.pk),
        }
    return reads


def work_lists() -> dict[str, Callable[[], object]]:
    """What officers and KCC's staff work through, and the return that is due."""
    last = Outcome.objects.of_force("46").order_by("-sequence").values_list("sequence", flat=True)[0]
    OutcomeSequence.objects.filter(pk="46").update(last=last, acknowledged=last - 100)
    force = Force.objects.get(pk="46")
    lists: dict[str, Callable[[], object]] = {
        which: lambda which=which: list(selectors.open_offers(force="46", which=which, now=NOW)[:50])
        for which in selectors.OPEN_OFFERS
    }
    return lists | {
        "to be decided": lambda: list(selectors.to_be_decided(force="46", now=NOW)[:50]),
        "how many are due": lambda: selectors.outcomes_due(force="46"),
        "unreported": lambda: selectors.unreported(now=NOW),
        "unreported of a force": lambda: selectors.unreported(now=NOW, force="46"),
        "the return due": lambda: services.compose_outcome_return(force=force, by=JOB, now=NOW),
    }


def an_import() -> dict[str, Callable[[], object]]:
    """A slice that is new, and the same again: what is held of its references, what its people have completed."""
    rows = many(1_000)
    again = as_csv([dict(row, town="Deal") for row in rows])
    return {
        "new rows": lambda: import_bytes(as_csv(rows), now=NOW),
        "changed rows": lambda: import_bytes(again, now=NOW),
    }


def test_no_search_and_no_figure_reads_a_whole_table() -> None:
    with connection.cursor() as cursor, transaction.atomic():
        fill(cursor, ROWS)
        fill_files(cursor)
    assert (BatchRow.objects.count(), AuditEvent.objects.count()) == (ROWS, ROWS)
    held = Referral.objects.of_force("46").filter(status="LIVE").order_by("pk").first()
    assert held is not None
    number = lookups.driver_number_hash(DRIVER)
    assert number == keyed_hash("driver-number", DRIVER)
    Referral.objects.filter(pk=held.pk).update(driver_number_hash=number)

    wholly: dict[str, Any] = {}
    for name, words in {
        "reference": held.reference,
        "driver number": DRIVER,
        "postcode": held.postcode,
        "vehicle registration": held.vehicle_registration,
        "surname": held.surname,
        "surname start": held.surname[:4],
        "one letter": "s",
        "surname nobody has": "Zzyzx",
        "reference nobody has": "46NOSUCH0001",
    }.items():
        found: list[Referral] = []
        read = plans(lambda words=words, found=found: found.extend(selectors.search(force="46", words=words)))
        assert bool(found) is ("nobody" not in name), name
        assert read, name
        wholly[name] = [tables for tables, _ in read if tables]
        # Index entries of other forces may be met on the way, not the table.
        assert max(touched for _, touched in read) <= 2_000, name
    with CaptureQueriesContext(connection) as asked:
        selectors.dashboard(force="46", now=NOW)
    assert any(each["sql"].startswith(AS_WRITTEN) for each in asked)  # a control: it is sent as production sends it
    read = plans(lambda: selectors.dashboard(force="46", now=NOW))
    wholly["dashboard"] = [tables for tables, _ in read if tables]
    for which in selectors.OPEN_OFFERS:
        listing = plans(lambda which=which: list(selectors.open_offers(force="46", which=which, now=NOW)[:50]))
        wholly[which] = [tables for tables, _ in listing if tables]
    wholly["find_offer"] = [
        tables for tables, _ in plans(lambda: selectors.find_offer(reference=held.reference, pin="1234")) if tables
    ]
    for name, work in (of_files(held) | work_lists() | an_import()).items():
        told = plans(work)
        assert told, name
        wholly[name] = [tables for tables, _ in told if tables]
    assert wholly == {name: [] for name in wholly}

    # What the figures touch does not grow with what has ended: no more than is open, or ended in the last 30 days.
    open_ones = Referral.objects.of_force("46").filter(status__in=["LIVE", "BOOKED", "NOT_COMPLETED"]).count()
    lately = Outcome.objects.of_force("46").filter(recorded_at__gte=NOW - dt.timedelta(days=31)).count()
    assert max(touched for _, touched in read) <= max(open_ones, lately)
    assert 0 < open_ones < ROWS // 25


def test_an_import_into_a_young_table_looks_only_at_the_rows_it_asks_for() -> None:
    """Without statistics the planner takes an index of the force, or of all completed, for the right one."""
    import_bytes(as_csv(many(4_000)))
    somebody_else = Func("reference", function="sha256", template="%(function)s(%(expressions)s::bytea)")
    Referral.objects.update(status="COMPLETED", driver_number_hash=somebody_else, person_hash=somebody_else)

    read = plans(lambda: import_bytes(as_csv(many(1_000, start=5_001))))
    # Asked again now, its own rows are found.
    assert len(read) == 2
    assert max(touched for _, touched in read) <= 1_000
