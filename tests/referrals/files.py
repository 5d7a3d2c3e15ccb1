"""Batch files for tests: those of the agreement, and others made from their rows."""

import csv
import datetime as dt
import io
import json
from pathlib import Path
from typing import Any

from audit.context import Actor
from referrals import services
from referrals.models import Batch, BatchRow, Force

DATA = Path(__file__).parent.parent / "data"
GOOD = DATA / "referrals-good.csv"
UGLY = DATA / "referrals-ugly.csv"
WITHDRAWALS = DATA / "withdrawals.csv"
FORECAST = DATA / "forecast.csv"
TODAY = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
OFFICER = Actor("officer", "3")
JOB = Actor("job", "import_batches")


def expected() -> dict[str, Any]:
    """The receipt that the ugly file must have."""
    told: dict[str, Any] = json.loads((DATA / "referrals-ugly.expected.json").read_text(encoding="utf-8"))
    return told


def receive(content: bytes, *, kind: str = "referrals", force: str = "46", now: dt.datetime = TODAY) -> Batch:
    """Upload bytes as a file of the force."""
    batch, _ = services.receive_batch(
        file=io.BytesIO(content),
        file_name="batch.csv",
        kind=kind,
        force=Force.objects.get(pk=force),
        by=OFFICER,
        now=now,
    )
    return batch


def import_bytes(content: bytes, *, kind: str = "referrals", force: str = "46", now: dt.datetime = TODAY) -> Batch:
    """Upload bytes and import them."""
    batch = receive(content, kind=kind, force=force, now=now)
    return services.import_batch(batch_id=batch.pk, by=JOB, now=now)


def table(path: Path = GOOD, *, delimiter: str = ",") -> list[dict[str, str]]:
    """The rows of a file by column."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter=delimiter))


def as_csv(rows: list[dict[str, str]]) -> bytes:
    """Rows as a CSV file."""
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def many(count: int, *, start: int = 1, force: str = "46") -> list[dict[str, str]]:
    """As many good rows as wanted, each another person's: the rows of the good file with other keys and names."""
    pattern = table()
    rows = []
    for n in range(start, start + count):
        row = dict(pattern[n % len(pattern)])
        row["force_code"] = force
        row["reference"] = f"{force}MANY{n:07d}"
        rows.append(row)
    return rows


def states(batch: Batch) -> dict[int, str]:
    """What became of each row."""
    return dict(BatchRow.objects.filter(batch=batch).values_list("number", "state"))


def codes(row: BatchRow) -> list[tuple[str, str]]:
    """The columns and codes of a row's problems."""
    return [(each["column"], each["code"]) for each in row.errors]
