"""A page that shows what a change would do before it can be saved: nothing that is sold ever changes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import admin, messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.crypto import constant_time_compare, salted_hmac

from common.errors import PortalError


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a preview, in words."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    empty: str = "Nothing."


def previewed_page(
    model_admin: "admin.ModelAdmin[Any]",
    request: HttpRequest,
    *,
    form: Form,
    title: str,
    preview: Callable[[dict[str, Any]], Sequence[Table]],
    act: Callable[[dict[str, Any]], str],
    back: str,
    button: str,
) -> HttpResponse:
    """A form that is first answered with its preview; saved only when what is sent is what was previewed.

    `act` gets the cleaned data, calls the service and returns in words what was done.
    """
    tables: Sequence[Table] = ()
    if request.method == "POST" and form.is_valid():
        if constant_time_compare(request.POST.get("seen", ""), _seen(form)):
            try:
                words = act(form.cleaned_data)
            except PortalError as error:
                form.add_error(None, error.message)
            else:
                model_admin.message_user(request, words, messages.SUCCESS)
                return redirect(back)
        if not form.errors:
            tables = preview(form.cleaned_data)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": title,
        "opts": model_admin.opts,
        "form": form,
        "tables": tables,
        "seen": _seen(form) if tables else "",
        "back": back,
        "button": button,
    }
    return TemplateResponse(request, "admin/payments/previewed.html", context)


def _seen(form: Form) -> str:
    """What was entered, as one word that nobody else can make."""
    entered = [(name, form.data.get(form.add_prefix(name), "")) for name in form.fields]
    return salted_hmac("payments.admin.previews", repr(entered), algorithm="sha256").hexdigest()
