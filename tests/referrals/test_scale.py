"""Officers' searches and figures among 200,000 referrals: each is read from an index, never by going through all."""

import datetime as dt
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connection
from django.db.models import Func
from django.test.utils import CaptureQueriesContext

from common.crypto import keyed_hash
from devtools.many_referrals import fill
from referrals import lookups, selectors, services
from referrals.models import Force, Outcome, OutcomeSequence, Referral
from tests.referrals.files import JOB, as_csv, import_bytes, many

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
ROWS = 200_000
DRIVER = "SMITH801150JA9XX"
BIG = {"referrals_referral", "referrals_outcome"}


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", []):
        yield from nodes(below)


def read_of(sql: str) -> tuple[list[str], int]:
    """The big tables that a query goes through from end to end, and how many of their rows it touches."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
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
    return [read_of(sql) for sql in told if sql.lstrip().startswith("SELECT") and "set_config" not in sql]


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
    with connection.cursor() as cursor:
        fill(cursor, ROWS)
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
    read = plans(lambda: selectors.dashboard(force="46", now=NOW))
    wholly["dashboard"] = [tables for tables, _ in read if tables]
    for which in selectors.OPEN_OFFERS:
        listing = plans(lambda which=which: list(selectors.open_offers(force="46", which=which, now=NOW)[:50]))
        wholly[which] = [tables for tables, _ in listing if tables]
    wholly["find_offer"] = [
        tables for tables, _ in plans(lambda: selectors.find_offer(reference=held.reference, pin="1234")) if tables
    ]
    wholly |= {
        name: [tables for tables, _ in plans(work) if tables] for name, work in (work_lists() | an_import()).items()
    }
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
