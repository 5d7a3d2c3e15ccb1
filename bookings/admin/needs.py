"""What staff arrange for candidates."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from audit.admin import HistoryAdmin
from bookings import services
from bookings.models import Need
from common import clock
from courses.admin.acts import Read, acting_staff


@admin.register(Need)
class NeedAdmin(Read, HistoryAdmin):
    """What has to be arranged for candidates. Who may see this table sees special-category data: few should."""

    list_display = ("kind", "referral", "told_at", "is_arranged", "arranged_at", "arranged_by")
    list_filter = ("is_arranged", "kind")
    list_select_related = ("referral",)
    search_fields = ("=referral__reference",)
    ordering = ("is_arranged", "told_at")
    actions = ("arrange",)

    def has_arrange_permission(self, request: HttpRequest) -> bool:
        """Who may record it."""
        return bool(request.user.has_perm("bookings.change_need"))

    @admin.action(description="Record as arranged", permissions=["arrange"])
    def arrange(self, request: HttpRequest, queryset: "QuerySet[Need]") -> None:
        """Record each chosen need as arranged."""
        by, now = acting_staff(request, "bookings.change_need"), clock.now()
        done = [
            services.arrange_need(need_id=pk, by=by, now=now) for pk in list(queryset.values_list("pk", flat=True))
        ]
        self.message_user(request, f"{len(done)} recorded as arranged.")
