"""The one door through which rows of the record may be masked or removed, and what keeps it in working order."""

import json
from collections.abc import Sequence
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder
from django.db import connection, connections, transaction

from audit import context
from audit.history import RETENTION_ROLE


def mask_rows(*, table: str, ids: Sequence[int], changes: dict[str, Any], basis: str) -> int:
    """Put other values into columns of sealed rows of the record, and leave a proof of each; returns how many.

    `table` is `audit_auditevent`, `audit_accesslog` or a historical table, `ids` keys of that table, `changes` the
    columns with their new values, `basis` the rule it is done under. All or none: raises django.db.InternalError
    where a row is missing or not sealed yet. Done twice, it leaves a second proof.
    """
    return _retain(
        "SELECT audit_mask(%s, %s::bigint[], %s::jsonb, %s)",
        [table, list(ids), json.dumps(changes, cls=DjangoJSONEncoder), basis],
    )


def remove_rows(*, table: str, ids: Sequence[int], basis: str) -> int:
    """Remove sealed rows of the record and leave a proof of each; otherwise as `mask_rows`."""
    return _retain("SELECT audit_remove(%s, %s::bigint[], %s)", [table, list(ids), basis])


def _retain(sql: str, parameters: list[Any]) -> int:
    with transaction.atomic(), connection.cursor() as cursor:
        context.apply(cursor)
        cursor.execute(sql, parameters)
        return int(cursor.fetchone()[0])


def grant_after_migrating(*, using: str, **_: Any) -> None:
    """After each migrate: the retention role may touch every table of the record, those too that are new."""
    from audit.record import retainable_models

    connection = connections[using]
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [RETENTION_ROLE])
        if cursor.fetchone() is None:
            return
        present = set(connection.introspection.table_names(cursor))
        tables = sorted({model._meta.db_table for model in retainable_models()} & present)
        if tables:
            listed = ", ".join(connection.ops.quote_name(table) for table in tables)
            cursor.execute(f"GRANT SELECT, UPDATE, DELETE ON {listed} TO {RETENTION_ROLE}")
