"""COPY from any iterable, byte for byte and in little memory."""

import datetime as dt
import tracemalloc
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.db import DataError, connection, transaction
from django.db.models import TextChoices

from common.copy import copy_rows

pytestmark = pytest.mark.django_db


class Colour(TextChoices):
    RED = "RED\\", "Red"


@pytest.fixture(autouse=True)
def _table() -> None:
    with connection.cursor() as cursor:
        cursor.execute("""CREATE TEMPORARY TABLE copied (number bigint, "Text" text, flag boolean, amount numeric,
            day date, at timestamptz, clock time, key uuid, raw bytea, data jsonb) ON COMMIT DROP""")


def copy(columns: list[str], rows: Any) -> int:
    with connection.cursor() as cursor:
        return copy_rows(cursor, "copied", columns, rows)


def stored(columns: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {columns} FROM copied ORDER BY number")
        return cursor.fetchall()


@pytest.mark.parametrize(
    "text",
    ["", "\\N", "\\.", "a\tb\nc\rd\\e\bf\fg\vh", 'O\'Neil "Zoë" %s', "İ\u2028𝄞", " spaces ", "\\x41", "a\\\\tb"],
)
def test_text_arrives_byte_for_byte(text: str) -> None:
    assert copy(["number", "Text"], [[1, text]]) == 1
    assert stored('"Text"') == [(text,)]


def test_every_kind_of_value_arrives() -> None:
    key = uuid.UUID("12345678-1234-5678-1234-567812345678")
    at = dt.datetime(2026, 11, 20, 10, 0, 0, 123456, tzinfo=dt.timezone(dt.timedelta(hours=1)))
    row = [
        1,
        Colour.RED,
        True,
        Decimal("1.50"),
        dt.date(2026, 3, 29),
        at,
        dt.time(9),
        key,
        b"\x00\\\n",
        {"a": ["\n", "\\"]},
    ]
    copy(["number", "Text", "flag", "amount", "day", "at", "clock", "key", "raw", "data"], [row])
    [(number, text, flag, amount, day, stored_at, clock, stored_key, raw, data)] = stored("*")
    assert (number, text, flag, amount, day) == (1, "RED\\", True, Decimal("1.50"), dt.date(2026, 3, 29))
    assert (stored_at, clock, str(stored_key)) == (at, dt.time(9), str(key))
    assert bytes(raw) == b"\x00\\\n"
    assert data in ({"a": ["\n", "\\"]}, '{"a": ["\\n", "\\\\"]}')


def test_a_tuple_is_an_array() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE copied ADD COLUMN words text[]")
    words = ["a", 'b "c" \\ d,{e}', "", "NULL", None, "f\tg"]
    copy(["number", "words"], [[1, tuple(words)], [2, ()]])
    assert stored("words") == [(words,), ([],)]


def test_none_is_null_and_nothing_is_nothing() -> None:
    assert copy(["number", "Text"], iter(())) == 0
    assert copy(["number", "Text"], [[1, None], (2, "")]) == 2
    assert stored('number, "Text"') == [(1, None), (2, "")]


def test_one_bad_row_copies_none() -> None:
    with pytest.raises(DataError):
        copy(["number"], [[1], ["x"]])
    assert stored("number") == []


def test_a_nul_is_refused() -> None:
    with pytest.raises(ValueError, match="NUL"):
        copy(["Text"], [["a\x00b"]])
    assert stored("number") == []


def test_an_error_of_the_rows_comes_through_and_undoes_the_copy() -> None:
    def rows() -> Iterator[list[int]]:
        yield from ([number] for number in range(2000))
        raise LookupError("bad cell")

    with pytest.raises(LookupError, match="bad cell"):
        copy(["number"], rows())
    assert stored("number") == []


def test_a_copy_joins_the_callers_transaction() -> None:
    with transaction.atomic():
        copy(["number"], [[1]])
        transaction.set_rollback(True)
    assert stored("number") == []


def test_memory_stays_flat() -> None:
    def rows(count: int) -> Iterator[tuple[int, str]]:
        return ((number, "x" * 200) for number in range(count))

    copy(["number", "Text"], rows(1000))
    tracemalloc.start()
    try:
        assert copy(["number", "Text"], rows(50_000)) == 50_000
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 3 * 1024 * 1024  # the text is 10 MB
