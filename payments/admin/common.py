"""What finance's pages share."""

from collections.abc import Callable, Mapping
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from accounts.access import has_role
from accounts.models import Role
from audit.context import Actor
from common.money import pounds_and_pence
from courses.admin.acts import acting_staff
from payments import rules


class ReadOnly:
    """Mixed into an admin class: nothing can be added, changed or deleted through it."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


def acting_finance(request: HttpRequest, permission: str) -> Actor:
    """Who moves money, for a service: of the role FINANCE and with the permission. Raises PermissionDenied."""
    if not has_role(request.user, Role.FINANCE):
        raise PermissionDenied
    return acting_staff(request, permission)


def may_move_money(request: HttpRequest, permission: str) -> bool:
    """Whether to show the way to what `acting_finance` guards."""
    return has_role(request.user, Role.FINANCE) and bool(request.user.has_perm(permission))


def money(field: str, heading: str) -> Callable[[Any, Any], str]:
    """A column that shows pence as pounds."""

    @admin.display(description=heading, ordering=field)
    def column(self: Any, row: Any) -> str:
        return pounds_and_pence(getattr(row, field))

    return column


def parts_words(parts: Mapping[str, int], *, amount_pence: int) -> str:
    """What a fee is made of."""
    made = rules.parts_of(parts, amount_pence=amount_pence)
    return (
        f"Police cost recovery {pounds_and_pence(made.police)}, UKROEd levy {pounds_and_pence(made.levy)}, "
        f"VAT {pounds_and_pence(made.vat)}, KCC {pounds_and_pence(made.provider)}"
    )
