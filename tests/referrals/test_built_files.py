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
_KEPT = ("forenames", "surname", "address_1", "town", "offence_location")
_SPOILT = st.sampled_from(
    [
        {"date_of_birth": "31/02/1980"},
        {"pin": "12"},
        {"offence_at": "yesterday"},
        {"postcode": "X"},
        {"force_code": "99"},
        {"surname": ""},
        {"course_code": "1e5"},
        {"force_code": "42"},
    ]
)


@st.composite
def files(draw: Any) -> tuple[bytes, list[dict[str, str]], list[bool]]:
    """A file's bytes, its rows, and which of them are good."""
    count = draw(st.integers(1, 8))
    rows, good = [], []
    for row in many(count, start=next(_STARTS)):
        made = row | {column: draw(_NAMES)[:60] for column in draw(st.sets(st.sampled_from(_KEPT)))}
        is_good = draw(st.booleans())
        rows.append(made if is_good else made | draw(_SPOILT))
        good.append(is_good)
    encoding = draw(st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]))
    text = io.StringIO(newline="")
    columns = draw(st.permutations(list(rows[0])))
    writer = csv.DictWriter(
        text,
        columns,
        delimiter=draw(st.sampled_from(",;\t")),
        lineterminator=draw(st.sampled_from(["\n", "\r\n"])),
        quoting=csv.QUOTE_ALL,
    )
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode(encoding), rows, good


@pytest.mark.django_db
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(built=files())
def test_receipt_adds_up_and_good_rows_come_out_as_they_went_in(built: Any, db: None) -> None:
    content, rows, good = built
    batch = import_bytes(content)
    assert (batch.status, batch.refusal) == ("SETTLED", "")
    assert sum(getattr(batch, name) for name in COUNTS) == batch.rows == len(rows)
    states = list(BatchRow.objects.filter(batch=batch).order_by("number").values_list("number", "state"))
    assert [number for number, _ in states] == list(range(2, len(rows) + 2))
    held = {each.reference: each for each in Referral.objects.filter(batch=batch)}
    assert len(held) == batch.new
    for row, is_good, (_, state) in zip(rows, good, states, strict=True):
        if is_good:
            assert state == "new"
            kept = {column: getattr(held[row["reference"]], column) for column in _KEPT}
            assert kept == {column: row[column] for column in _KEPT}
        else:
            assert state in ("rejected", "quarantined")
            assert row["reference"] not in held


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
