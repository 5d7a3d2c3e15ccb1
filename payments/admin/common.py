"""What finance's pages share."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from common.money import pounds_and_pence


class ReadOnly:
    """Mixed into an admin class: nothing can be added, changed or deleted through it."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def money(field: str, heading: str) -> Callable[[Any, Any], str]:
    """A column that shows pence as pounds."""

    @admin.display(description=heading, ordering=field)
    def column(self: Any, row: Any) -> str:
        return pounds_and_pence(getattr(row, field))

    return column
