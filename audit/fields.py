"""A column of bigint ranges, for which Django has no field."""

import re
from collections.abc import Iterable
from typing import Any

from django.db import models

Spans = list[tuple[int, int]]

_SPAN = re.compile(r"\[(\d+),(\d+)\)")


def spans(text: str) -> Spans:
    """Pairs of first and last, from PostgreSQL's canonical text `{[1,5),[8,9)}`."""
    return [(int(first), int(after) - 1) for first, after in _SPAN.findall(text)]


def spans_text(value: Iterable[tuple[int, int]]) -> str:
    """PostgreSQL's text of the pairs."""
    return "{" + ",".join(f"[{first},{last}]" for first, last in value) + "}"


class SpansField(models.Field):  # type: ignore[type-arg]
    """A set of integers as an `int8multirange`; in Python a list of (first, last) pairs, both included, in order."""

    def db_type(self, connection: Any) -> str:
        """PostgreSQL's type."""
        return "int8multirange"

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Spans | None:
        """Pairs."""
        return None if value is None else spans(value)

    def get_prep_value(self, value: Iterable[tuple[int, int]] | None) -> str | None:
        """PostgreSQL's text of the pairs."""
        return None if value is None else spans_text(value)

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """The text, typed by the column it is stored in."""
        return value if prepared else self.get_prep_value(value)
