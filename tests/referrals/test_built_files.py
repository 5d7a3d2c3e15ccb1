"""Files built at random, through the real import: the receipt adds up, no row is lost, good rows come out as they went
in, byte for byte; and mangled files, through the readers and the checks, raise nothing but what they may."""

import csv
import io
import itertools
import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from benchmarks.mangled_files import mangled, read_through
from referrals.models import COUNTS, BatchRow, Referral
from tests.referrals.files import import_bytes, many, table

MANGLED = 2_000
# Each file has references of its own: what one brought in is there when the next one comes.
_STARTS = itertools.count(1, 100)
# Text kept as it came. Names may hold anything a keyboard gives, and much that it does not.
_NAMES = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs", "Cf", "Zl", "Zp", "Zs")), min_size=1)
# Of Windows-1252: no two of these together can be taken for UTF-8.
_WESTERN = st.text(st.sampled_from("abcXYZ'-.&àçéèêëíñöøüýÿ"), min_size=1)
_KEPT = ("forenames", "surname", "address_1", "town", "offence_location")
_SPOILT = {
    "rejected": [
        {"date_of_birth": "31/02/1980"},
        {"pin": "12"},
        {"offence_at": "yesterday"},
        {"postcode": "X"},
        {"force_code": "99"},
        {"surname": ""},
        {"course_code": "1e5"},
        {"surname": "Sm\x07ith"},
        {"town": "\x1bAshford"},
    ],
    "quarantined": [{"force_code": "42"}],
}
_MADE = ["good", "good", "good", "rejected", "quarantined", "short", "long", "again", "another", "blank"]
Cells = list[str]


@st.composite
def files(draw: Any) -> tuple[bytes, list[tuple[int, str]], list[dict[str, str]]]:
    """A file's bytes; the number of each row that is none of nothing, and what must become of it; its good rows."""
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]))
    names = _WESTERN if encoding == "cp1252" else _NAMES
    rows = many(draw(st.integers(1, 8)), start=next(_STARTS))
    columns = draw(st.permutations(list(rows[0])))
    good: list[dict[str, str]] = []
    written: list[Cells] = []
    expected: list[tuple[int, str]] = []
    for row in rows:
        made = row | {column: draw(names)[:60] for column in draw(st.sets(st.sampled_from(_KEPT)))}
        is_as = draw(st.sampled_from(_MADE)) if good else "good"
        cells = [made[column] for column in columns]
        if is_as == "good":
            good.append(made)
            state = "new"
        elif is_as in _SPOILT:
            spoilt, state = made | draw(st.sampled_from(_SPOILT[is_as])), is_as
            cells = [spoilt[column] for column in columns]
        elif is_as == "short":
            cells = cells[: draw(st.integers(1, len(cells) - 1))]
            state = "rejected" if any(cells) else ""
        elif is_as == "long":
            cells, state = [*cells, draw(names)], "rejected"
        elif is_as == "blank":
            cells, state = draw(st.sampled_from([[], [""] * len(columns)])), ""
        else:  # the key of an earlier row once more: the whole row again, or something else
            twin = draw(st.sampled_from(good))
            twin = twin if is_as == "again" else twin | {"town": f"{twin['town'][:50]}x"}
            cells, state = [twin[column] for column in columns], "unchanged" if is_as == "again" else "rejected"
        written.append(cells)
        if state:
            expected.append((len(written) + 1, state))
    text = io.StringIO(newline="")
    writer = csv.writer(
        text,
        delimiter=draw(st.sampled_from(",;\t")),
        lineterminator=draw(st.sampled_from(["\n", "\r\n", "\r"])),
        quoting=draw(st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL])),
    )
    writer.writerows([columns, *written])
    return text.getvalue().encode(encoding), expected, good


@pytest.mark.django_db
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(built=files())
def test_receipt_adds_up_and_good_rows_come_out_as_they_went_in(built: Any, db: None) -> None:
    content, expected, good = built
    batch = import_bytes(content)
    assert (batch.status, batch.refusal) == ("SETTLED", "")
    assert sum(getattr(batch, name) for name in COUNTS) == batch.rows == len(expected)
    rows = BatchRow.objects.filter(batch=batch).order_by("number")
    assert list(rows.values_list("number", "state")) == expected
    held = {each.reference: each for each in Referral.objects.filter(batch=batch)}
    assert held.keys() == {row["reference"] for row in good}
    for row in good:
        kept = {column: getattr(held[row["reference"]], column) for column in _KEPT}
        assert kept == {column: row[column] for column in _KEPT}


def test_mangled_files_raise_nothing_unexpected() -> None:
    """The first of the 20,000 that `benchmarks/mangled_files.py` reads through."""
    told = [read_through(content) for content in mangled(random.Random(20), MANGLED)]
    assert len(told) == MANGLED
    # A control: some are refused and some are read, with good rows and bad ones.
    assert 100 < sum(each is None for each in told) < MANGLED - 100
    read = [each for each in told if each is not None]
    assert sum(rejected for _, rejected in read) > 100
    assert sum(rows - rejected for rows, rejected in read) > 100
    assert len(table()) == 300
