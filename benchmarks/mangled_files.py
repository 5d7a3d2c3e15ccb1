"""20,000 mangled files through the readers and the checks: each is refused with a known reason, or read to its end.

Bytes are flipped, cut, doubled and swapped in good files of every form. The seed is fixed, so that a file that breaks
something can be made again. Environment: BENCH_MANGLED (20000).
"""

import csv
import datetime as dt
import io
import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.figures import Figure

DATA = Path(__file__).resolve().parent.parent / "tests" / "data"
NOW = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
_SOURCES = ("referrals-good.csv", "referrals-ugly.csv")
_ROWS = 6
_NASTY = [
    *(b"\x00", b'"', b"\r", b"\n", b",", b";", b"\t", b"\xff", b"\xfe\xff"),
    *(b"\xef\xbb\xbf", b"=1+1", b"\xed\xa0\x80", b"1e5"),
]


def run() -> list[Figure]:
    """How many files a second are read through; any that raises what it must not ends the run."""
    count = int(os.environ.get("BENCH_MANGLED", "20000"))
    began = time.perf_counter()
    for content in mangled(random.Random(20), count):
        read_through(content)
    pace = count / (time.perf_counter() - began)
    return [Figure(f"mangled files: {count:,} read through, per second", pace, "/s", at_least=1)]


def sources() -> list[bytes]:
    """Small good files in every form that is taken."""
    made = []
    for name in _SOURCES:
        content = (DATA / name).read_bytes()
        whole = content.decode("cp1252" if b"\xe1" in content and b"\xc3" not in content else "utf-8-sig")
        separator = max(",;\t", key=whole.partition("\n")[0].count)
        rows = list(csv.reader(io.StringIO(whole, newline=""), delimiter=separator))
        for delimiter, end, encoding in (
            (",", "\r\n", "utf-8"),
            (";", "\n", "utf-8-sig"),
            ("\t", "\r", "utf-8"),
            (",", "\n", "utf-16"),
            (";", "\r\n", "cp1252"),
        ):
            text = io.StringIO(newline="")
            csv.writer(text, delimiter=delimiter, lineterminator=end).writerows(rows[: _ROWS + 1])
            made.append(text.getvalue().encode(encoding, errors="replace"))
    return made


def mangled(rnd: random.Random, count: int) -> Iterator[bytes]:
    """So many mangled files, each from one of the sources."""
    good = sources()
    for n in range(count):
        content = bytearray(good[n % len(good)])
        for _ in range(rnd.choice((1, 1, 2, 3, 8, 40))):
            _spoil(content, rnd)
        yield bytes(content)


def _spoil(content: bytearray, rnd: random.Random) -> None:
    at = rnd.randrange(len(content) + 1)
    to = min(len(content), at + rnd.choice((1, 1, 2, 5, 30, 200)))
    what = rnd.randrange(6)
    if what == 0 and at < len(content):
        content[at] = rnd.randrange(256)
    elif what == 1:
        content[at:at] = rnd.choice(_NASTY)
    elif what == 2:
        del content[at:to]
    elif what == 3:
        content[at:at] = content[at:to]
    elif what == 4:
        content[at:to] = bytes(reversed(content[at:to]))
    elif rnd.random() < 0.05:
        del content[at:]


def read_through(content: bytes) -> tuple[int, int] | None:
    """Read and check a whole file: how many rows it has and how many are rejected; None where it is refused."""
    from referrals import rules
    from referrals.files import REFUSAL_CODES, FileRefusedError, Limits, open_table
    from tests.referrals.rows import context

    try:
        table = open_table(io.BytesIO(content), kind=rules.REFERRALS, limits=Limits())
    except FileRefusedError as error:
        if error.code not in REFUSAL_CODES or not error.message:
            raise RuntimeError(f"a refusal nobody knows: {error.code}") from error
        return None
    setting = context(now=NOW)
    rows = rejected = 0
    for row in table:
        rows += 1
        checked = None if row.problems else rules.check_referral(row.values, context=setting)
        rejected += checked is None or checked.values is None
    if rows != table.rows:
        raise RuntimeError(f"{table.rows} rows were counted and {rows} read")
    return rows, rejected
