"""Seals over the record, made a minute apart, so that nothing that writes ever waits for a hash.

A seal covers rows by their ids. Ids are given out before transactions commit, so a lower id may come to light after
a higher one was sealed: each seal looks again at the ids that were missing from the recent ones, until every
transaction that was under way then has ended. Which ids a seal covers is stored with it, so that a row missing or
put in later is told apart from one that was never written.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection, models, transaction

from audit.fields import spans
from audit.models import Seal, SealedRange, SealLayout
from audit.record import sealed_models

# Most rows of one table in one seal: what a seal holds in memory is 32 bytes a row. A backlog takes several seals.
SLICE_ROWS = 200_000
# An id may be given out a moment before its transaction gets a number; no such moment lasts minutes.
MARGIN = dt.timedelta(minutes=5)
_LOCK = 0x5EA1


@dataclass(frozen=True)
class Moment:
    """The server's identity and transaction numbers as the rows were read; fields as in `Seal`."""

    cluster: int
    horizon: int


def seal(*, now: dt.datetime, slice_rows: int = SLICE_ROWS) -> Seal | None:
    """Seal what was recorded since the last seal; see `audit.services.seal`."""
    with transaction.atomic(durable=True):
        if not _alone():
            return None
        moment = _moment()
        last = Seal.objects.order_by("-pk").first()
        settled = settled_seal(last)
        sealed_models_now = sealed_models()
        layouts = _layouts(sealed_models_now)
        marks = marks_of(settled)
        ranges = []
        for model in sealed_models_now:
            table = model._meta.db_table
            found = _range(layouts[table], marks.get(table, Mark()), slice_rows)
            if found is not None:
                ranges.append(found)
        if not ranges:
            return None
        made = Seal(
            sealed_at=now,
            rows=sum(found.rows for found in ranges),
            previous=bytes(last.digest) if last else b"",
            cluster=moment.cluster,
            horizon=moment.horizon,
            next_xid=_next_xid(),
        )
        made.digest = chained(made, ranges)
        made.save(force_insert=True)
        for found in ranges:
            found.seal = made
        SealedRange.objects.bulk_create(ranges)
        return made


def chained(link: Seal, ranges: Sequence[SealedRange]) -> bytes:
    """The digest of a link: SHA-256 over a JSON text of the digest before, its own values and its ranges."""
    text = json.dumps(
        {
            "previous": bytes(link.previous).hex(),
            "sealed_at": link.sealed_at.astimezone(dt.UTC).isoformat(),
            "cluster": link.cluster,
            "horizon": link.horizon,
            "next_xid": link.next_xid,
            "rows": link.rows,
            "ranges": sorted(
                [one.table, one.layout.columns, one.covers, one.reach, one.rows, bytes(one.digest).hex()]
                for one in ranges
            ),
        },
        separators=(",", ":"),
    )
    return hashlib.sha256(text.encode()).digest()


def columns_of(model: type[models.Model]) -> list[str]:
    """The columns that are digested, the key first."""
    key = model._meta.pk
    return [str(key.column), *sorted(str(field.column) for field in model._meta.concrete_fields if field is not key)]


@dataclass(frozen=True)
class Mark:
    """How far a table is sealed: all ids up to `settled` for good, all seen up to `reach`, and `covered` between."""

    settled: int = 0
    reach: int = 0
    covered: str = "{}"


def _alone() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        return bool(cursor.fetchone()[0])


def _moment() -> Moment:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT system_identifier, pg_snapshot_xmin(pg_current_snapshot())::text::bigint FROM pg_control_system()"
        )
        return Moment(*cursor.fetchone())


def _next_xid() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
        return int(cursor.fetchone()[0])


def settled_seal(last: Seal | None) -> int:
    """The latest seal whose gaps the last one saw for the last time: whoever could fill them had ended before it."""
    if last is None:
        return 0
    ended = models.Q(next_xid__lte=last.horizon, sealed_at__lte=last.sealed_at - MARGIN)
    # No transaction of another server is still under way: the record was restored onto this one.
    elsewhere = ~models.Q(cluster=last.cluster)
    return Seal.objects.filter(ended | elsewhere).order_by("-pk").values_list("pk", flat=True).first() or 0


def marks_of(seal_id: int) -> dict[str, Mark]:
    """How far each table is sealed; `seal_id` is the last seal whose gaps are closed. Reads the latest ranges only."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT t."table",
                coalesce((SELECT reach FROM audit_sealedrange r WHERE r."table" = t."table" AND r.seal_id <= %s
                    ORDER BY seal_id DESC LIMIT 1), 0),
                (SELECT reach FROM audit_sealedrange r WHERE r."table" = t."table" ORDER BY seal_id DESC LIMIT 1),
                coalesce((SELECT range_agg(covers) FROM audit_sealedrange r
                    WHERE r."table" = t."table" AND r.seal_id > %s), '{}')::text
            FROM (SELECT DISTINCT "table" FROM audit_seallayout) t
            """,
            [seal_id, seal_id],
        )
        return {table: Mark(settled, reach or 0, covered) for table, settled, reach, covered in cursor.fetchall()}


def _layouts(sealed: Sequence[type[models.Model]]) -> dict[str, SealLayout]:
    """The layout of each table as it is today."""
    known = {(layout.table, *layout.columns): layout for layout in SealLayout.objects.all()}
    layouts = {}
    for model in sealed:
        table, columns = model._meta.db_table, columns_of(model)
        layout = known.get((table, *columns))
        layouts[table] = layout or SealLayout.objects.create(table=table, columns=columns)
    return layouts


def _range(layout: SealLayout, mark: Mark, slice_rows: int) -> SealedRange | None:
    """The unsealed rows of one table, digested; None where there are none."""
    key = connection.ops.quote_name(layout.columns[0])
    table = connection.ops.quote_name(layout.table)
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH slice AS (
                SELECT (SELECT {key} FROM {table} WHERE {key} > %(reach)s ORDER BY {key}
                    OFFSET %(slice)s LIMIT 1) AS beyond
            ), found AS (
                SELECT d.row_id, d.digest FROM slice, audit_digests(
                    %(table)s, %(columns)s,
                    int8multirange(int8range(%(settled)s, slice.beyond, '()')) - %(covered)s::int8multirange
                ) d
            )
            SELECT count(*), max(row_id), range_agg(int8range(row_id, row_id, '[]'))::text,
                sha256(string_agg(digest, ''::bytea ORDER BY row_id))
            FROM found
            """,  # noqa: S608 - names from the models
            {
                "table": layout.table,
                "columns": layout.columns,
                "reach": mark.reach,
                "settled": mark.settled,
                "covered": mark.covered,
                "slice": slice_rows,
            },
        )
        rows, highest, covers, digest = cursor.fetchone()
    if not rows:
        return None
    return SealedRange(
        table=layout.table,
        layout=layout,
        covers=spans(covers),
        reach=max(mark.reach, highest),
        rows=rows,
        digest=bytes(digest),
    )
