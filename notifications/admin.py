"""Messages in admin: what was told to whom, who could not be told, and the words themselves."""

from difflib import ndiff
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from audit.admin import HistoryAdmin, RecordAdmin
from audit.middleware import actor_of
from common import clock
from common.errors import PortalError
from notifications import rules, selectors, services
from notifications.catalogue import KINDS, known_placeholders, title_of
from notifications.constants import Channel
from notifications.errors import UnfitWordsError
from notifications.forms import SendAgainForm, ToldForm, WordsForm
from notifications.models import Message, ReminderRule, TemplateVersion, Untold
from notifications.rules import Words


@admin.register(Message)
class MessageAdmin(RecordAdmin):
    """Everything that was told, and what waits to be."""

    list_display = ("created_at", "kind", "channel", "to", "status", "attempts", "sent_at", "error")
    list_filter = ("status", "kind", "channel")
    search_fields = ("referral_key__exact", "to__exact", "dedupe_key__startswith")
    search_help_text = "Referral (46/46DEMO0001), or the whole address"


@admin.register(Untold)
class UntoldAdmin(RecordAdmin):
    """The work list: people who could not be told. Each is sent again, or told by phone."""

    list_display = ("created_at", "what", "channel", "to", "referral_key", "error", "see_to_it")
    list_display_links = None
    search_fields = ("referral_key__exact", "to__exact")
    ordering = ("created_at",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request) & Untold.objects.filter(pk__in=selectors.untold().values("pk"))

    @admin.display(description="message")
    def what(self, message: Message) -> str:
        return title_of(message.kind)

    @admin.display(description="")
    def see_to_it(self, message: Message) -> SafeString:
        return format_html('<a href="{}">See to it</a>', reverse("admin:notifications_untold_act", args=[message.pk]))

    def get_urls(self) -> list[URLPattern]:
        act = self.admin_site.admin_view(self.act)
        return [path("<int:pk>/act/", act, name="notifications_untold_act"), *super().get_urls()]

    def act(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show what could not be told, and send it again or note how the person was told."""
        if not request.user.has_perm("notifications.change_untold"):  # type: ignore[union-attr]
            raise PermissionDenied
        message = get_object_or_404(selectors.untold(), pk=pk)
        is_told = request.POST.get("act") == "told"
        data = request.POST if request.method == "POST" else None
        again = SendAgainForm(None if is_told else data, initial={"to": message.to})
        told = ToldForm(data if is_told else None)
        if data is not None and (told if is_told else again).is_valid():
            by, now = actor_of(request), clock.now()
            assert by is not None
            if is_told:
                done = services.told_otherwise(message_id=pk, note=told.cleaned_data["note"], by=by, now=now)
            else:
                done = services.send_again(message_id=pk, to=again.cleaned_data["to"], by=by, now=now)
            self.message_user(request, "Done." if done else "Somebody else has seen to it.")
            return redirect("admin:notifications_untold_changelist")
        context = {
            **self.admin_site.each_context(request),
            "title": title_of(message.kind),
            "message": message,
            "again": again,
            "told": told,
        }
        return TemplateResponse(request, "admin/notifications/untold/act.html", context)


@admin.register(ReminderRule)
class ReminderRuleAdmin(HistoryAdmin):
    """When reminders are due. A rule that has begun is ended, not edited."""

    list_display = ("__str__", "kind", "anchor", "days", "hours", "at", "useful_hours", "valid_from", "valid_to")
    list_filter = ("anchor",)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("kind", "anchor", "days", "hours", "at", "useful_hours", "valid_from") if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(TemplateVersion)
class TemplateVersionAdmin(RecordAdmin):
    """The words that were published, all of them; new ones are written on pages of their own."""

    list_display = ("kind", "channel", "version", "subject", "valid_from", "by")
    list_filter = ("kind", "channel")
    change_list_template = "admin/notifications/templateversion/change_list.html"

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("words/", wrap(self.all_words), name="notifications_words"),
            path("words/<slug:kind>/<slug:channel>/", wrap(self.edit), name="notifications_words_edit"),
            *super().get_urls(),
        ]

    def all_words(self, request: HttpRequest) -> HttpResponse:
        """Every message there is, with the version that is live."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        live = selectors.published(now=clock.now())
        rows = [
            {"kind": kind, "about": about, "channel": channel, "live": live.get((kind, channel))}
            for kind, about in KINDS.items()
            for channel in Channel
            if channel == Channel.EMAIL or about.has_sms
        ]
        context = {**self.admin_site.each_context(request), "title": "The words of our messages", "rows": rows}
        return TemplateResponse(request, "admin/notifications/templateversion/words.html", context)

    def edit(self, request: HttpRequest, kind: str, channel: str) -> HttpResponse:
        """Write new words, look at them with made-up values beside what they change, and publish them."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if kind not in KINDS or channel not in Channel.values or (channel == Channel.SMS and not KINDS[kind].has_sms):
            raise Http404
        way, now = Channel(channel), clock.now()
        live, version = selectors.live_words(kind, way, now=now)
        start = {"subject": live.subject.strip(), "body": live.body, "html": live.html, "instead_of": version}
        form = WordsForm(request.POST or None, channel=way, initial=start)
        words, problems, preview = live, [], None
        if request.method == "POST" and form.is_valid():
            words = form.words()
            try:
                preview = services.preview(kind=kind, channel=way, words=words)
                if "publish" in request.POST:
                    return self._publish(request, kind, way, words, form.cleaned_data["instead_of"])
            except UnfitWordsError as error:
                problems = error.problems
            except PortalError as error:
                problems = [error.message]
        elif request.method != "POST":
            preview = services.preview(kind=kind, channel=way, words=live)
        context = {
            **self.admin_site.each_context(request),
            "title": f"{KINDS[kind].title} ({way.label.lower()})",
            "about": KINDS[kind],
            "form": form,
            "version": version,
            "problems": problems,
            "preview": preview,
            "hard": rules.long_sentences(preview.text) if preview else [],
            "changes": _changes(live, words) if request.method == "POST" else [],
            "placeholders": sorted(known_placeholders(kind)),
            "history": TemplateVersion.objects.filter(kind=kind, channel=way).order_by("-version")[:50],
            "may_publish": self._may_publish(request),
        }
        status = 422 if problems else 200
        return TemplateResponse(request, "admin/notifications/templateversion/edit.html", context, status=status)

    def _may_publish(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("notifications.add_templateversion"))  # type: ignore[union-attr]

    def _publish(
        self, request: HttpRequest, kind: str, channel: Channel, words: Words, instead_of: int
    ) -> HttpResponse:
        by = actor_of(request)
        if not self._may_publish(request) or by is None:
            raise PermissionDenied
        made = services.publish(kind=kind, channel=channel, words=words, instead_of=instead_of, by=by, now=clock.now())
        messages.success(request, f"Version {made.version} is live.")
        return redirect("admin:notifications_words_edit", kind=kind, channel=channel)


def _changes(live: Words, words: Words) -> list[dict[str, Any]]:
    """What new words change, field by field: lines marked "-", "+" or "=". Fields that stay the same are left out."""
    found = []
    for name in ("subject", "body", "html"):
        old, new = (getattr(each, name).strip().splitlines() for each in (live, words))
        if old != new:
            lines = [(line[0].replace(" ", "="), line[2:]) for line in ndiff(old, new) if line[0] != "?"]
            found.append({"field": name, "lines": lines})
    return found
