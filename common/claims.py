"""Rows as a queue: a worker takes some for a while by claiming them, and no other worker takes them meanwhile.

A claimable model has `claimed_until` (an instant or null) and `attempts` (an integer). A claim that was not given
back lapses by itself: a killed worker loses nothing. Whoever claims must therefore bear that a row comes again.
"""

import datetime as dt
from collections.abc import Sequence
from typing import Any, TypeVar

from django.db import connections, transaction
from django.db.models import Model, Q, QuerySet

ModelT = TypeVar("ModelT", bound=Model)


def claim(
    due: "QuerySet[ModelT]", *, now: dt.datetime, limit: int, seconds: int, ordering: Sequence[str] = ("pk",)
) -> list[ModelT]:
    """Claim at most `limit` rows of `due` until `now` + `seconds`, add one to their attempts, and return them.

    One statement in a transaction of its own, committed on return. Rows that others hold a claim on, or have locked,
    are passed over without waiting. `ordering` names plain fields, "-" before a name for the other way around.
    """
    model, using = due.model, due.db
    free = due.filter(Q(claimed_until=None) | Q(claimed_until__lte=now)).order_by(*ordering)
    with transaction.atomic(using=using, durable=True):
        locked = free.select_for_update(skip_locked=True, of=("self",)).values("pk")[:limit]
        inner, params = locked.query.get_compiler(using=using).as_sql()
        quote = connections[using].ops.quote_name
        table, key = quote(model._meta.db_table), quote(_key_column(model))
        columns = ", ".join(f"t.{quote(str(field.column))}" for field in model._meta.concrete_fields)
        # Materialised: a plan may run a plain sub-select more than once, and so lock more rows than asked for.
        rows = model._default_manager.using(using).raw(
            f"WITH due (key) AS MATERIALIZED ({inner}) "  # noqa: S608 - names from the model
            f"UPDATE {table} AS t SET claimed_until = %s, attempts = t.attempts + 1 "
            f"FROM due WHERE t.{key} = due.key RETURNING {columns}",
            [*params, now + dt.timedelta(seconds=seconds)],
        )
        return _sorted(list(rows), ordering)


def seconds_to_wait(attempts: int, *, first: int = 30, most: int = 3600) -> int:
    """How long to wait after the `attempts`-th failure (the first is 1): `first`, then twice as long each time."""
    return int(min(most, first * 2 ** min(max(attempts - 1, 0), 30)))


def _key_column(model: type[Model]) -> str:
    key = model._meta.pk
    if key is None or key.column is None:
        raise TypeError(f"{model._meta.label} has no key to claim rows by")
    return str(key.column)


def _sorted(rows: "list[ModelT]", ordering: Sequence[str]) -> "list[ModelT]":
    """RETURNING keeps no order. Nulls last, or first where the order is turned around, as PostgreSQL has it."""
    for name in reversed(ordering):
        plain = name.removeprefix("-")

        def place(row: ModelT, plain: str = plain) -> tuple[bool, Any]:
            value = getattr(row, plain)
            return (value is None, value if value is not None else 0)

        rows.sort(key=place, reverse=name.startswith("-"))
    return rows
