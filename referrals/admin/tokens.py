"""Tokens of forces' systems: issued, replaced and revoked here. The text of one is on one page, once."""

import secrets
from datetime import timedelta
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse

from audit.admin import HistoryAdmin
from common import clock
from common.errors import PortalError
from courses.admin.acts import Read, acting_staff
from referrals import services
from referrals.admin.base import act_page
from referrals.constants import TokenScope
from referrals.models import Force, ForceToken

_PERMISSION = "referrals.add_forcetoken"
# Long enough that nobody is busy with it all the time, short enough that a forgotten one ends.
MOST_DAYS = 366
_ONCE = "force_token_form"


class ReplaceForm(forms.Form):
    """How long the new one lasts. `once` is of one showing of the form: sent again, it issues no other token."""

    once = forms.CharField(widget=forms.HiddenInput, required=False)
    days = forms.IntegerField(min_value=1, max_value=MOST_DAYS, initial=180, help_text="Days until it ends by itself")


class IssueForm(ReplaceForm):
    """Whose system it is for, and what it may do."""

    force = forms.ModelChoiceField(Force.objects.filter(is_active=True))
    name = forms.CharField(max_length=60, help_text="Which system uses it")
    scopes = forms.MultipleChoiceField(choices=TokenScope.choices, widget=forms.CheckboxSelectMultiple)
    field_order = ("force", "name", "scopes", "days", "once")


def _initial(request: HttpRequest) -> dict[str, str]:
    """What a form shown afresh begins with."""
    if request.method == "POST":
        return {}
    request.session[_ONCE] = once = secrets.token_urlsafe(12)
    return {"once": once}


def _is_first(request: HttpRequest, form: forms.Form) -> bool:
    """Whether the form that was shown last is sent for the first time; the next time it is not."""
    shown = request.session.pop(_ONCE, None)
    return shown is not None and secrets.compare_digest(shown, form.cleaned_data["once"])


def _scope_words(token: ForceToken) -> list[str]:
    return [str(TokenScope(scope).label) for scope in token.scopes]


@admin.register(ForceToken)
class ForceTokenAdmin(Read, HistoryAdmin):
    """Tokens. Their text is nowhere kept: who lost it gets another one."""

    list_display = ("name", "force", "may", "created_at", "expires_at", "revoked_at")
    list_filter = ("force",)
    list_select_related = ("force",)
    ordering = ("-pk",)
    exclude = ("digest", "scopes")
    readonly_fields = ("may",)
    change_form_template = "admin/referrals/forcetoken_change_form.html"
    change_list_template = "admin/referrals/forcetoken_change_list.html"

    @admin.display(description="May")
    def may(self, token: ForceToken) -> str:
        """What it may do, in words."""
        return "; ".join(_scope_words(token))

    def get_urls(self) -> list[Any]:
        """And the pages to issue, replace and revoke."""
        view = self.admin_site.admin_view
        return [
            path("issue/", view(self.issue_view), name="referrals_forcetoken_issue"),
            path("<int:token_id>/replace/", view(self.replace_view), name="referrals_forcetoken_replace"),
            path("<int:token_id>/revoke/", view(self.revoke_view), name="referrals_forcetoken_revoke"),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show what is known of a token, and what may be done."""
        extra = {**(extra_context or {}), "may_act": request.user.has_perm(_PERMISSION)}
        return super().change_view(request, object_id, form_url, extra)

    def issue_view(self, request: HttpRequest) -> HttpResponse:
        """Issue a token and show it."""
        by = acting_staff(request, _PERMISSION)
        form = IssueForm(request.POST or None, initial=_initial(request))
        if request.method == "POST" and form.is_valid():
            if not _is_first(request, form):
                return self._sent_before(request)
            given, now = form.cleaned_data, clock.now()
            token, text = services.issue_token(
                force=given["force"],
                name=given["name"],
                scopes=given["scopes"],
                expires_at=now + timedelta(days=given["days"]),
                by=by,
                now=now,
            )
            return self._shown_once(request, token, text)
        back = reverse("admin:referrals_forcetoken_changelist")
        return self._ask(request, form, "Issue a token", back, "Tokens")

    def replace_view(self, request: HttpRequest, token_id: int) -> HttpResponse:
        """Issue one in the place of another; both are valid for a week."""
        by = acting_staff(request, _PERMISSION)
        old = get_object_or_404(ForceToken, pk=token_id)
        form = ReplaceForm(request.POST or None, initial=_initial(request))
        if request.method == "POST" and form.is_valid():
            if not _is_first(request, form):
                return self._sent_before(request)
            now = clock.now()
            expires_at = now + timedelta(days=form.cleaned_data["days"])
            try:
                token, text = services.replace_token(token_id=token_id, expires_at=expires_at, by=by, now=now)
            except PortalError as error:
                form.add_error(None, error.message)
            else:
                return self._shown_once(request, token, text)
        back = reverse("admin:referrals_forcetoken_change", args=[old.pk])
        return self._ask(request, form, f"Replace {old.name}", back, old.name)

    def revoke_view(self, request: HttpRequest, token_id: int) -> HttpResponse:
        """End a token at once."""
        by = acting_staff(request, _PERMISSION)
        token = get_object_or_404(ForceToken, pk=token_id)

        def act(_: dict[str, Any]) -> str:
            is_new = services.revoke_token(token_id=token_id, by=by, now=clock.now())
            return f"{token.name} is revoked." if is_new else f"{token.name} was revoked before."

        back = reverse("admin:referrals_forcetoken_change", args=[token.pk])
        form = forms.Form(request.POST or None)
        return act_page(
            self,
            request,
            form=form,
            title=f"Revoke {token.name}",
            act=act,
            back=back,
            back_words=token.name,
            warning=f"{token.force.name}'s system is refused from then on. This cannot be undone.",
            button="Revoke the token",
        )

    def _ask(self, request: HttpRequest, form: forms.Form, title: str, back: str, back_words: str) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": title,
            "opts": self.opts,
            "form": form,
            "back": back,
            "back_words": back_words,
        }
        return TemplateResponse(request, "admin/referrals/act.html", context)

    def _sent_before(self, request: HttpRequest) -> HttpResponse:
        """A page that was reloaded: the token it showed is not shown again, and none is issued in its place."""
        words = "This form was sent before. No other token was issued; the first one is not shown again."
        self.message_user(request, words, messages.WARNING)
        return redirect("admin:referrals_forcetoken_changelist")

    def _shown_once(self, request: HttpRequest, token: ForceToken, text: str) -> HttpResponse:
        """The only page that ever holds the token; it is kept by nobody on the way."""
        context = {
            **self.admin_site.each_context(request),
            "title": f"Token for {token.force.name}",
            "opts": self.opts,
            "token": token,
            "text": text,
            "may": _scope_words(token),
        }
        return TemplateResponse(request, "admin/referrals/token.html", context, headers={"Cache-Control": "no-store"})
