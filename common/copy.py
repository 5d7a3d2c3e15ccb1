"""COPY into a table from any iterable of rows, at the speed of COPY and in the memory of a few rows."""

import datetime as dt
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import DatabaseError, transaction

_preludes: list[Callable[[Any], None]] = []
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\b": "\\b", "\f": "\\f", "\v": "\\v"})
_needs_escape = re.compile(r"[\\\t\n\r\b\f\v]").search
_CHUNK_ROWS = 500
_READ_BYTES = 1 << 20


def before_copy(prelude: Callable[[Any], None]) -> None:
    """Have `prelude(cursor)` called in the transaction of each COPY, ahead of it: no execute wrapper sees a COPY."""
    if prelude not in _preludes:
        _preludes.append(prelude)


def copy_rows(cursor: Any, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> int:
    """Copy `rows` into `table` and return how many.

    `cursor` is Django's. Values stand in the order of `columns`: None, str, int, bool, Decimal, date, datetime (with
    its offset), UUID, bytes, a dict or list for a JSON column, a tuple of texts or numbers for an array. A generator
    is read as the server takes the rows, and must not use the cursor's connection meanwhile. All rows are copied or
    none. Raises the database's errors as Django's, whatever `rows` raises, and ValueError for text with a NUL in it.
    """
    named = ", ".join(f'"{column}"' for column in columns)
    source = _Stream(rows)
    with transaction.atomic(using=cursor.db.alias):
        for prelude in _preludes:
            prelude(cursor)
        try:
            with cursor.db.wrap_database_errors:
                cursor.copy_expert(f'COPY "{table}" ({named}) FROM STDIN', source)
        except DatabaseError:
            if source.error is not None:
                raise source.error from None
            raise
        return source.rows


def copy_text(cursor: Any, table: str, columns: Sequence[str], text: bytes) -> None:
    """As `copy_rows`, of lines that their maker has put into COPY's text format already (`copy_value`), in UTF-8.

    Without a savepoint: a caller in a transaction has it to roll back when this fails.
    """
    named = ", ".join(f'"{column}"' for column in columns)
    source = io.BytesIO(text)
    with transaction.atomic(using=cursor.db.alias, savepoint=False):
        for prelude in _preludes:
            prelude(cursor)
        with cursor.db.wrap_database_errors:
            # Few, large reads: each has to wait until another thread of Python lets go.
            cursor.copy_expert(f'COPY "{table}" ({named}) FROM STDIN', source, _READ_BYTES)


def copy_value(value: Any) -> str:
    """One value in COPY's text format."""
    return _TEXTS.get(type(value), _text_of_other)(value)


class _Stream:
    """What psycopg2 reads from: lines in COPY's text format, encoded a few hundred rows at a time."""

    def __init__(self, rows: Iterable[Sequence[Any]]) -> None:
        self.rows = 0
        self.error: BaseException | None = None  # psycopg2 would only tell its text
        self._chunks = self._encoded(iter(rows))
        self._buffer = b""
        self._position = 0

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes; none at the end."""
        if self._position >= len(self._buffer):
            try:
                self._buffer = next(self._chunks, b"")
            except BaseException as error:
                self.error = error
                raise
            self._position = 0
        end = len(self._buffer) if size < 0 else self._position + size
        part = self._buffer[self._position : end]
        self._position += len(part)
        return part

    def _encoded(self, rows: Iterator[Sequence[Any]]) -> Iterator[bytes]:
        lines: list[str] = []
        texts = _TEXTS
        for row in rows:
            lines.append("\t".join([texts.get(type(value), _text_of_other)(value) for value in row]))
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


def _text_of_str(value: str) -> str:
    return value.translate(_ESCAPES) if _needs_escape(value) else value


def _text_of_bytes(value: bytes | bytearray | memoryview) -> str:
    return "\\\\x" + bytes(value).hex()


def _text_of_json(value: Any) -> str:
    return json.dumps(value, cls=DjangoJSONEncoder).translate(_ESCAPES)


def _text_of_array(value: tuple[Any, ...]) -> str:
    items = ("NULL" if item is None else '"' + re.sub(r'([\\"])', r"\\\1", str(item)) + '"' for item in value)
    return _text_of_str("{" + ",".join(items) + "}")


def _text_of_other(value: Any) -> str:
    """UUIDs, members of TextChoices, lazy and safe strings, subclasses of the kinds below."""
    return _text_of_json(value) if isinstance(value, dict | list) else _text_of_str(str(value))


_TEXTS: dict[type, Callable[[Any], str]] = {
    str: _text_of_str,
    int: str,
    type(None): lambda _: "\\N",
    bool: lambda value: "t" if value else "f",
    dt.datetime: dt.datetime.isoformat,
    dt.date: dt.date.isoformat,
    dt.time: dt.time.isoformat,
    Decimal: str,
    dict: _text_of_json,
    list: _text_of_json,
    tuple: _text_of_array,
    bytes: _text_of_bytes,
    bytearray: _text_of_bytes,
    memoryview: _text_of_bytes,
}
