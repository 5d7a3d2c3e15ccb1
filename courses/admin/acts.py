"""Admin pages whose sending calls one service; the admin of bookings uses them too."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from audit.context import Actor
from audit.middleware import actor_of
from audit.paging import BoundedPaginator
from common.errors import PortalError


class Read:
    """Mixed into an admin class: nothing can be added, changed or deleted through it, and nothing large is counted."""

    paginator = BoundedPaginator
    show_full_result_count = False
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """No."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """No."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """No."""
        return False


class NoDelete:
    """Mixed into an admin class of what others refer to: it is ended or switched off, never deleted."""

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """No."""
        return False


def acting_staff(request: HttpRequest, permission: str) -> Actor:
    """Who acts, for a service. Raises PermissionDenied without the permission."""
    by = actor_of(request)
    if by is None or not request.user.has_perm(permission):
        raise PermissionDenied
    return by


def act_page(
    model_admin: "admin.ModelAdmin[Any]",
    request: HttpRequest,
    *,
    form: Form,
    title: str,
    act: Callable[[dict[str, Any]], str],
    back: str,
    lead: str = "",
    button: str = "Do it",
) -> HttpResponse:
    """A page with a form: `act` gets the cleaned data, calls the service and returns in words what was done."""
    if request.method == "POST" and form.is_valid():
        try:
            words = act(form.cleaned_data)
        except PortalError as error:
            form.add_error(None, error.message)
        else:
            model_admin.message_user(request, words, messages.SUCCESS)
            return redirect(back)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": title,
        "opts": model_admin.opts,
        "form": form,
        "lead": lead,
        "back": back,
        "button": button,
    }
    return TemplateResponse(request, "admin/courses/act.html", context)
