"""What the admin pages of this app have in common."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse

from accounts.access import client_address
from audit import services as audit
from audit.middleware import actor_of
from common import clock
from common.errors import PortalError


def log_opened(request: HttpRequest, action: str, *, referral_key: str, subject: str) -> None:
    """Put into the access log that a person's record is being opened."""
    by = actor_of(request)
    if by is not None:
        audit.log_access(
            action,
            by=by,
            now=clock.now(),
            referral_key=referral_key,
            subject=subject,
            address=client_address(request),
        )


def act_page(
    model_admin: admin.ModelAdmin,
    request: HttpRequest,
    *,
    form: Form,
    title: str,
    act: Callable[[dict[str, Any]], str],
    back: str,
    back_words: str,
    warning: str = "",
    button: str = "",
) -> HttpResponse:
    """A page with a form whose sending calls one service: `act` gets the cleaned data and returns what was done.

    `warning` says what the sending brings about where the form does not, `button` what it is called.
    """
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
        "back": back,
        "back_words": back_words,
        "warning": warning,
        "button": button,
    }
    return TemplateResponse(request, "admin/referrals/act.html", context)
