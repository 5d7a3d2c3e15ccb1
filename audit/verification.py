"""Reads the whole record against its seals and says what does not agree."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, field

from django.db import connection, transaction

from audit.fields import Spans, spans
from audit.models import Seal, SealedRange
from audit.record import sealed_models
from audit.sealing import Mark, chained, marks_of, settled_seal

_SHOWN_IDS = 20


@dataclass(frozen=True)
class Problem:
    """One disagreement. `kind` is "chain", "changed", "missing", "inserted" or "unreadable"."""

    kind: str
    words: str
    seal: int | None = None
    table: str = ""
    ids: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Verdict:
    """What was found. `head` is the last seal's digest: noted elsewhere, it proves that no seal was cut off."""

    seals: int
    rows: int
    head: str
    problems: list[Problem]

    @property
    def is_whole(self) -> bool:
        """Whether the record is as it was sealed."""
        return not self.problems

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return {"ok": self.is_whole, **asdict(self)}


def verify() -> Verdict:
    """Compute every seal again. Reads every sealed row once, in one snapshot, and changes nothing."""
    with transaction.atomic():
        _pin_snapshot()
        problems: list[Problem] = []
        seals = rows = 0
        previous = b""
        for seals, link in enumerate(Seal.objects.order_by("pk").iterator(chunk_size=500), start=1):  # noqa: B007
            ranges = list(link.ranges.select_related("layout").order_by("table"))
            if bytes(link.previous) != previous or chained(link, ranges) != bytes(link.digest):
                problems.append(Problem("chain", f"seal {link.pk} does not follow from the one before it", link.pk))
            previous = bytes(link.digest)
            rows += link.rows
            for part in ranges:
                problems += _range_problems(part)
        problems += _inserted()
        return Verdict(seals, rows, previous.hex(), problems)


def _pin_snapshot() -> None:
    """One snapshot for all that follows, where a transaction has just begun; inside another it stays as it is."""
    if len(connection.savepoint_ids) == 0:
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def _range_problems(part: SealedRange) -> Iterator[Problem]:
    columns = part.layout.columns
    lost = set(columns) - _columns(part.table)
    if lost:
        words = f"{part.table} has no longer the columns it was sealed with: {', '.join(sorted(lost))}"
        yield Problem("unreadable", words, part.seal_id, part.table)
        return
    with connection.cursor() as cursor:
        # A row that retention touched counts as it was sealed, provided it is now as retention left it.
        cursor.execute(
            """
            WITH proof AS (
                SELECT row_id, (array_agg(digest_before ORDER BY id))[1] AS before,
                    (array_agg(digest_after ORDER BY id DESC))[1] AS after
                FROM audit_retentionproof
                WHERE "table" = %(table)s AND row_id BETWEEN lower(%(covers)s::int8multirange)
                    AND upper(%(covers)s::int8multirange) AND row_id <@ %(covers)s::int8multirange
                GROUP BY row_id
            ), stands AS (
                SELECT row_id, CASE WHEN proof.row_id IS NULL THEN now.digest
                    WHEN proof.after IS NOT DISTINCT FROM now.digest THEN proof.before ELSE ''::bytea END AS digest
                FROM audit_digests(%(table)s, %(columns)s, %(covers)s::int8multirange) now
                FULL JOIN proof USING (row_id)
            )
            SELECT coalesce(sha256(string_agg(digest, ''::bytea ORDER BY row_id)), ''::bytea),
                (%(covers)s::int8multirange - coalesce(range_agg(int8range(row_id, row_id, '[]')), '{}'))::text
            FROM stands
            """,
            {
                "table": part.table,
                "columns": columns,
                "covers": SealedRange._meta.get_field("covers").get_prep_value(part.covers),
            },
        )
        digest, missing = cursor.fetchone()
    gone = spans(missing)
    if gone:
        words = f"{_count(gone)} of {part.rows} sealed rows of {part.table} are missing"
        yield Problem("missing", words, part.seal_id, part.table, _first_ids(gone))
    elif bytes(digest) != bytes(part.digest):
        words = f"rows of {part.table} are not as they were sealed"
        yield Problem("changed", words, part.seal_id, part.table, _first_ids(part.covers))


def _inserted() -> Iterator[Problem]:
    """Rows whose ids lie where no seal found any, and where no transaction could bring one to light any more."""
    known = marks_of(settled_seal(Seal.objects.order_by("-pk").first()))
    for model in sealed_models():
        table, key = model._meta.db_table, model._meta.pk.column
        with connection.cursor() as cursor:
            cursor.execute(
                f"""
                WITH uncovered AS (
                    SELECT unnest(int8multirange(int8range(NULL, %(settled)s, '(]')) - coalesce(
                        (SELECT range_agg(covers) FROM audit_sealedrange WHERE "table" = %(table)s), '{{}}'
                    )) AS span
                )
                SELECT t.{key} FROM uncovered JOIN {connection.ops.quote_name(table)} t
                ON t.{key} >= coalesce(lower(span), -9223372036854775808) AND t.{key} < upper(span)
                ORDER BY 1 LIMIT {_SHOWN_IDS}
                """,  # noqa: S608 - names from the models
                {"table": table, "settled": known.get(table, Mark()).settled},
            )
            ids = [row_id for (row_id,) in cursor.fetchall()]
        if ids:
            yield Problem("inserted", f"rows were put into {table} behind the seals", None, table, ids)


def _columns(table: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped",
            [connection.ops.quote_name(table)],
        )
        return {name for (name,) in cursor.fetchall()}


def _count(found: Spans) -> int:
    return sum(last - first + 1 for first, last in found)


def _first_ids(found: Spans) -> list[int]:
    ids: list[int] = []
    for first, last in found:
        ids += range(first, min(last, first + _SHOWN_IDS) + 1)
    return ids[:_SHOWN_IDS]
