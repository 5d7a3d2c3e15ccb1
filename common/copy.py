"""COPY into a table from any iterable of rows, at the speed of COPY and in the memory of a few rows."""

import datetime as dt
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction

_preludes: list[Callable[[Any], None]] = []
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\b": "\\b", "\f": "\\f", "\v": "\\v"})
_needs_escape = re.compile(r"[\\\t\n\r\b\f\v]").search
_CHUNK_ROWS = 500


def before_copy(prelude: Callable[[Any], None]) -> None:
    """Have `prelude(cursor)` called in the transaction of each COPY, ahead of it: no execute wrapper sees a COPY."""
    if prelude not in _preludes:
        _preludes.append(prelude)


def copy_rows(cursor: Any, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Copy `rows` into `table` and return how many.

    `cursor` is Django's. Values stand in the order of `columns`: None, str, int, bool, Decimal, date, datetime (with
    its offset), UUID, bytes, or a dict or list for a JSON column. A generator is read as the server takes the rows.
    All rows are copied or none. Raises the database's errors as Django's, and ValueError for text with a NUL in it.
    """
    named = ", ".join(f'"{column}"' for column in columns)
    source = _Stream(rows)
    with transaction.atomic(using=cursor.db.alias):
        for prelude in _preludes:
            prelude(cursor)
        cursor.copy_expert(f'COPY "{table}" ({named}) FROM STDIN', source)
        return source.rows


class _Stream:
    """What psycopg2 reads from: lines in COPY's text format, encoded a few hundred rows at a time."""

    def __init__(self, rows: Iterable[Sequence[Any]]) -> None:
        self.rows = 0
        self._chunks = self._encoded(iter(rows))
        self._buffer = b""
        self._position = 0

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes; none at the end."""
        if self._position >= len(self._buffer):
            self._buffer = next(self._chunks, b"")
            self._position = 0
        end = len(self._buffer) if size < 0 else self._position + size
        part = self._buffer[self._position : end]
        self._position += len(part)
        return part

    def _encoded(self, rows: Iterator[Sequence[Any]]) -> Iterator[bytes]:
        lines: list[str] = []
        for row in rows:
            lines.append("\t".join([_text(value) for value in row]))
            self.rows += 1
            if len(lines) >= _CHUNK_ROWS:
                yield _encode(lines)
                lines.clear()
        if lines:
            yield _encode(lines)


def _encode(lines: list[str]) -> bytes:
    lines.append("")
    text = "\n".join(lines)
    if "\x00" in text:
        raise ValueError("PostgreSQL's text cannot hold a NUL character")
    return text.encode()


def _text(value: Any) -> str:
    """One value in COPY's text format."""
    kind = type(value)
    if kind is str:
        return value.translate(_ESCAPES) if _needs_escape(value) else value  # type: ignore[no-any-return]
    if value is None:
        return "\\N"
    if kind is int:
        return str(value)
    if kind is bool:
        return "t" if value else "f"
    if isinstance(value, (dict, list, tuple)):
        return json.dumps(value, cls=DjangoJSONEncoder).translate(_ESCAPES)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return "\\\\x" + bytes(value).hex()
    if isinstance(value, (dt.date, dt.time)):  # a datetime is a date
        return value.isoformat()
    if isinstance(value, str):  # a member of TextChoices, a lazy or safe string
        return str(value).translate(_ESCAPES)
    return str(value).translate(_ESCAPES)
