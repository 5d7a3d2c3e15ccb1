"""The one door through which rows of the record may be masked or removed, and what keeps it in working order."""

from typing import Any

from django.db import connections

from audit.history import RETENTION_ROLE


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
