"""Plain SQL for the tests of the record."""

from django.db import connection


def execute(sql: str) -> None:
    """Run one or more statements."""
    with connection.cursor() as cursor:
        cursor.execute(sql)
