"""Columns of the admin that say who did something: "amara (staff)", where the row holds "staff:7"."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from audit.naming import name_of, names_of


def who(field: str, heading: str = "") -> Callable[[Any, Any], str]:
    """A column that shows the actor in `field` as people call them."""

    @admin.display(description=heading or field.replace("_", " "), ordering=field)
    def column(self: Any, row: Any) -> str:
        actor: str = getattr(row, field)
        known: dict[str, str] = getattr(row, "actor_names", {})
        return known.get(actor) or name_of(actor) or "-"

    column.actor_field = field  # type: ignore[attr-defined]
    return column


class ActorsNamed:
    """Mixed into an admin class whose list has columns made by `who`: one query names everybody on the page."""

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The list, with the names that its columns need."""
        listed = super().get_changelist_instance(request)  # type: ignore[misc]  # ModelAdmin's
        columns: list[Any] = [getattr(type(self), str(name), None) for name in listed.list_display]
        fields = [column.actor_field for column in columns if hasattr(column, "actor_field")]
        names = names_of(getattr(row, field) for row in listed.result_list for field in fields) if fields else {}
        for row in listed.result_list:
            row.actor_names = names
        return listed
