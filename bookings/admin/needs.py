"""What staff arrange for candidates: a work list of what to do, by when, and whose it is."""

import datetime as dt
from typing import Any

from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse

from accounts.access import client_address
from accounts.models import User
from audit import services as audit
from audit.admin import HistoryAdmin
from audit.columns import who
from audit.middleware import actor_of
from bookings import services
from bookings.constants import NEEDS_TO_DO, NeedStatus
from bookings.models import Booking, Need
from common import clock
from courses.admin.acts import Read, acting_staff

CHANGE = "bookings.change_need"


class TurnFilter(admin.SimpleListFilter):
    """What is to be done, by everybody or by me; what is arranged only when asked for."""

    title = "what is shown"
    parameter_name = "show"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The choices besides everything that is to be done."""
        return [("mine", "Mine to do"), ("nobody", "Nobody's yet"), ("arranged", "Arranged"), ("all", "Everything")]

    def choices(self, changelist: Any) -> Any:
        """As Django's, with the default in its own words."""
        first, *others = super().choices(changelist)
        return [{**first, "display": "To do"}, *others]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Need]") -> "QuerySet[Need]":
        """What was chosen."""
        if self.value() == "arranged":
            return queryset.filter(status=NeedStatus.ARRANGED)
        if self.value() == "all":
            return queryset
        to_do = queryset.filter(status__in=NEEDS_TO_DO)
        if self.value() == "mine":
            return to_do.filter(owner=request.user.pk)
        return to_do.filter(owner=None) if self.value() == "nobody" else to_do


@admin.register(Need)
class NeedAdmin(Read, HistoryAdmin):
    """Special-category data, shown as what is to be done. Who may see this table sees it all: few should."""

    list_display = ("action", "due", "course_on", "owner", "referral", "status")
    list_display_links = ("action",)
    list_filter = (TurnFilter,)
    list_select_related = ("referral", "owner")
    search_fields = ("=referral__reference",)
    search_help_text = "The police's reference"
    ordering = ("due_on", "pk")
    fields = (
        "action", "detail", "referral", "course_on", "status", "due_on", "owner", "told_at", "arranged_at",
        "arranged_by_words",
    )  # fmt: skip
    readonly_fields = ("action", "course_on", "arranged_by_words")
    arranged_by_words = who("arranged_by")
    actions = ("take", "arrange")

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Need]":
        """With the start of the course that is booked."""
        booked = Booking.objects.live().filter(referral=OuterRef("referral_id"))
        return super().get_queryset(request).annotate(starts_at=Subquery(booked.values("place__session__starts_at")))

    @admin.display(description="due", ordering="due_on")
    def due(self, need: Need) -> str:
        """The day, and that it is over."""
        late = need.status in NEEDS_TO_DO and need.due_on < clock.london_day(clock.now())
        return f"{clock.date_words(need.due_on)}{' (late)' if late else ''}"

    @admin.display(description="course", ordering="starts_at")
    def course_on(self, need: Need) -> str:
        """When the course is that is held or booked."""
        starts_at: dt.datetime | None = getattr(need, "starts_at", None)
        return clock.moment_words(starts_at) if starts_at else "Not booked yet"

    def has_arrange_permission(self, request: HttpRequest) -> bool:
        """Who may see to them."""
        return bool(request.user.has_perm(CHANGE))

    @admin.action(description="Record as done", permissions=["arrange"])
    def arrange(self, request: HttpRequest, queryset: "QuerySet[Need]") -> None:
        """Record each chosen need as arranged, or as undone where it is no longer needed."""
        by, now = acting_staff(request, CHANGE), clock.now()
        done = sum(services.arrange_need(need_id=pk, by=by, now=now) for pk in _chosen(queryset))
        self.message_user(request, f"{done} recorded as done.")

    @admin.action(description="Take over: mine to do", permissions=["arrange"])
    def take(self, request: HttpRequest, queryset: "QuerySet[Need]") -> None:
        """Make who asks the owner of each chosen need."""
        by, now = acting_staff(request, CHANGE), clock.now()
        assert isinstance(request.user, User)
        taken = sum(services.take_need(need_id=pk, owner=request.user, by=by, now=now) for pk in _chosen(queryset))
        self.message_user(request, f"{taken} taken over.")

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One need with what was said about it; that it is opened is recorded."""
        need, by = self.get_object(request, object_id), actor_of(request)
        if need is not None and by is not None and self.has_view_permission(request, need):
            audit.log_access(
                "need.opened",
                by=by,
                now=clock.now(),
                referral_key=need.referral.key,
                subject=f"need:{need.pk}",
                address=client_address(request),
            )
        return super().change_view(request, object_id, form_url, extra_context)


def _chosen(queryset: "QuerySet[Need]") -> list[int]:
    return list(queryset.order_by("pk").values_list("pk", flat=True))
