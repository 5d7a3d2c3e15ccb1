"""Who is acting, for whom and why: carried beside the code and handed to the database with every writing statement.

The history triggers read three transaction-local settings (`app.actor`, `app.on_behalf_of`, `app.reason`). A wrapper
around every connection puts them in front of each statement that writes, in the same message to the server: no
further round trip, the same in autocommit and in a transaction, and never an earlier actor for a later statement.
"""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper


@dataclass(frozen=True)
class Actor:
    """Somebody or something that acts. Its text is what the record keeps: "staff:7", "job:release_holds"."""

    kind: str
    key: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.key}"


@dataclass(frozen=True)
class Acting:
    """What the record is told about a change; all empty where nobody said."""

    actor: Actor | None = None
    on_behalf_of: str = ""
    reason: str = ""


NOBODY = Acting()
_current: ContextVar[Acting | Callable[[], Acting]] = ContextVar("acting", default=NOBODY)


def current() -> Acting:
    """Who is acting at this point of the code."""
    acting_now = _current.get()
    return acting_now() if callable(acting_now) else acting_now


@contextmanager
def acting(actor: Actor, *, on_behalf_of: str = "", reason: str = "") -> Iterator[None]:
    """Everything written inside is recorded as done by `actor`; nothing of an outer context is taken over."""
    token = _current.set(Acting(actor, on_behalf_of, reason))
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def because(reason: str, *, on_behalf_of: str | None = None) -> Iterator[None]:
    """The same actor as outside, now with a reason (and someone on whose behalf, where given)."""
    told = replace(current(), reason=reason)
    token = _current.set(told if on_behalf_of is None else replace(told, on_behalf_of=on_behalf_of))
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def acting_as_found(find: Callable[[], Acting]) -> Iterator[None]:
    """As `acting`, but asked anew at each write, so that nothing is looked up for a request that writes nothing."""
    token = _current.set(find)
    try:
        yield
    finally:
        _current.reset(token)


# Leading blanks, comments and brackets, then the word that says what the statement does.
_FIRST_WORD = re.compile(r"(?:\s+|--[^\n]*(?:\n|\Z)|/\*.*?\*/|\()*([A-Za-z]+)", re.DOTALL)
_WRITES = frozenset({"INSERT", "UPDATE", "DELETE", "MERGE", "CALL", "DO"})
_WRITING_WORD = re.compile(r"\b(?:INSERT|UPDATE|DELETE|MERGE)\b", re.IGNORECASE)


def _writes(sql: str) -> bool:
    """Whether a statement may write rows. A `WITH` that only looks like it costs a few microseconds, no more."""
    match = _FIRST_WORD.match(sql)
    if match is None:
        return False
    word = match.group(1).upper()
    return word in _WRITES or (word == "WITH" and _WRITING_WORD.search(sql) is not None)


def _quoted(value: str) -> str:
    # standard_conforming_strings is on in every server Django supports; PostgreSQL's text cannot hold NUL.
    return "'" + value.replace("\x00", "").replace("'", "''") + "'"


def settings_sql(told: Acting) -> str:
    """The statement that sets the three settings until the transaction ends."""
    actor = _quoted(str(told.actor) if told.actor else "")
    return (
        f"SELECT set_config('app.actor', {actor}, true), "
        f"set_config('app.on_behalf_of', {_quoted(told.on_behalf_of)}, true), "
        f"set_config('app.reason', {_quoted(told.reason)}, true)"
    )


def _text(sql: Any, cursor: Any) -> str:
    if isinstance(sql, str):
        return sql
    if isinstance(sql, bytes):
        return sql.decode()
    return str(sql.as_string(cursor.cursor))  # a composed statement of psycopg2.sql


def tell_database(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """The wrapper around every connection's statements.

    Where nobody acts and nobody ever did on this connection there is nothing to say and nothing to overwrite. Once
    something was said, silence would leave it standing until the transaction ends (or bring it back with a savepoint),
    so from then on each writing statement says afresh who acts, even if it is nobody.
    """
    statement = _text(sql, context["cursor"])
    if not _writes(statement):
        return execute(sql, params, many, context)
    connection = context["connection"]
    told = current()
    if told == NOBODY and not getattr(connection, "was_told_who_acts", False):
        return execute(sql, params, many, context)
    connection.was_told_who_acts = True
    prefix = settings_sql(told)
    if params is not None:
        prefix = prefix.replace("%", "%%")
    return execute(f"{prefix}; {statement}", params, many, context)


def install(connection: BaseDatabaseWrapper) -> None:
    """Wrap a connection's statements, once."""
    if connection.vendor == "postgresql" and tell_database not in connection.execute_wrappers:
        connection.execute_wrappers.append(tell_database)


def apply(cursor: Any) -> None:
    """Say who acts to the transaction that `cursor` is in: for COPY, which no wrapper sees."""
    cursor.execute(settings_sql(current()))
    cursor.db.was_told_who_acts = True
