"""Reads the whole record against its seals and says what does not agree."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field

from django.db import connection, transaction

from audit.fields import Spans
from audit.models import Seal, SealedRange
from audit.record import sealed_models
from audit.sealing import Mark, chained, marks_of, settled_seal

_SHOWN_IDS = 20
_BATCH_SEALS = 500
_BATCH_ROWS = 200_000


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
        for links in _batches():
            ranges = list(SealedRange.objects.filter(seal__in=links).select_related("layout"))
            of_seal: dict[int, list[SealedRange]] = {}
            for part in ranges:
                of_seal.setdefault(part.seal_id, []).append(part)
            for link in links:
                if bytes(link.previous) != previous or chained(link, of_seal.get(link.pk, [])) != bytes(link.digest):
                    words = f"seal {link.pk} does not follow from the one before it"
                    problems.append(Problem("chain", words, link.pk))
                previous = bytes(link.digest)
            problems += _problems_of(ranges)
            seals += len(links)
            rows += sum(link.rows for link in links)
        problems += _inserted()
        return Verdict(seals, rows, previous.hex(), problems)


def _batches() -> Iterator[list[Seal]]:
    """All seals in order, as many at a time as their rows are comfortable to read together."""
    batch: list[Seal] = []
    after = 0
    while links := list(Seal.objects.filter(pk__gt=after).order_by("pk")[:_BATCH_SEALS]):
        for link in links:
            if batch and sum(one.rows for one in batch) + link.rows > _BATCH_ROWS:
                yield batch
                batch = []
            batch.append(link)
        after = links[-1].pk
        yield batch
        batch = []


def _pin_snapshot() -> None:
    """One snapshot for all that follows, where a transaction has just begun; inside another it stays as it is."""
    if len(connection.savepoint_ids) == 0:
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def _problems_of(ranges: Iterable[SealedRange]) -> Iterator[Problem]:
    together: dict[tuple[str, int], list[SealedRange]] = {}
    for part in ranges:
        together.setdefault((part.table, part.layout_id), []).append(part)
    for (table, _), parts in sorted(together.items()):
        columns = parts[0].layout.columns
        lost = set(columns) - _columns(table)
        if lost:
            words = f"{table} has no longer the columns it was sealed with: {', '.join(sorted(lost))}"
            yield Problem("unreadable", words, parts[0].seal_id, table)
            continue
        found = _found(table, columns, parts)
        for part in parts:
            digest, missing, ids = found[part.pk]
            if missing:
                words = f"{missing} of {part.rows} sealed rows of {table} are missing"
                yield Problem("missing", words, part.seal_id, table, ids)
            elif digest != bytes(part.digest):
                words = f"rows of {table} are not as they were sealed"
                yield Problem("changed", words, part.seal_id, table, _first_ids(part.covers))


def _found(table: str, columns: list[str], parts: list[SealedRange]) -> dict[int, tuple[bytes, int, list[int]]]:
    """For each range: the digest of its rows as they are now, how many are missing, and the first of those."""
    with connection.cursor() as cursor:
        # A row that retention touched counts as it was sealed, provided it is now as retention left it.
        cursor.execute(
            f"""
            WITH part AS (SELECT id, covers FROM audit_sealedrange WHERE id = ANY(%(parts)s)),
            reach AS (SELECT range_agg(covers) AS covers FROM part),
            sealed AS (
                SELECT part.id AS part_id, row_id
                FROM part, unnest(part.covers) AS span, generate_series(lower(span), upper(span) - 1) AS row_id
            ), proof AS (
                SELECT row_id, (array_agg(digest_before ORDER BY p.id))[1] AS before,
                    (array_agg(digest_after ORDER BY p.id DESC))[1] AS after
                FROM audit_retentionproof p, reach
                WHERE "table" = %(table)s AND row_id BETWEEN lower(reach.covers) AND upper(reach.covers)
                GROUP BY row_id
            ), stands AS (
                SELECT row_id, CASE WHEN proof.row_id IS NULL THEN present.digest
                    WHEN proof.after IS NOT DISTINCT FROM present.digest THEN proof.before
                    ELSE ''::bytea END AS digest
                FROM audit_digests(%(table)s, %(columns)s, (SELECT covers FROM reach)) present
                FULL JOIN proof USING (row_id)
            )
            SELECT part_id, coalesce(sha256(string_agg(digest, ''::bytea ORDER BY row_id)), ''::bytea),
                count(*) FILTER (WHERE digest IS NULL),
                (array_agg(row_id ORDER BY row_id) FILTER (WHERE digest IS NULL))[1:{_SHOWN_IDS}]
            FROM sealed LEFT JOIN stands USING (row_id)
            GROUP BY part_id
            """,  # noqa: S608 - a number of ours
            {"table": table, "columns": columns, "parts": [part.pk for part in parts]},
        )
        return {part: (bytes(digest), missing, ids or []) for part, digest, missing, ids in cursor.fetchall()}


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


def _first_ids(found: Spans) -> list[int]:
    ids: list[int] = []
    for first, last in found:
        ids += range(first, min(last, first + _SHOWN_IDS) + 1)
    return ids[:_SHOWN_IDS]
