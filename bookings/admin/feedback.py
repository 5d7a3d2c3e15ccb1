"""What candidates say of their courses, with the averages of whatever is chosen."""

from typing import Any

from django.contrib import admin
from django.db.models import Avg, Count, QuerySet
from django.http import HttpRequest, HttpResponse

from audit.admin import HistoryAdmin
from bookings.models import Feedback
from common import clock
from courses.admin.acts import Read
from courses.constants import Mode


@admin.register(Feedback)
class FeedbackAdmin(Read, HistoryAdmin):
    """Read by course, not by person: who said it stands on the booking."""

    list_display = ("given_at", "rating", "course", "taught_by", "said")
    list_filter = ("rating", "booking__place__session__course_type", "booking__place__session__mode")
    list_select_related = ("booking__place__session__course_type",)
    date_hierarchy = "given_at"
    fields = ("rating", "words", "course", "taught_by", "given_at")
    readonly_fields = ("course", "taught_by")
    change_list_template = "admin/bookings/feedback/change_list.html"

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Feedback]":
        """With who taught, in one query for the page."""
        return super().get_queryset(request).prefetch_related("booking__place__session__assignments__trainer")

    @admin.display
    def course(self, feedback: Feedback) -> str:
        """Course and time."""
        session = feedback.booking.place.session
        return f"{session.course_type.code}, {clock.moment_words(session.starts_at)}"

    @admin.display
    def taught_by(self, feedback: Feedback) -> str:
        """The trainers."""
        assignments = feedback.booking.place.session.assignments.all()
        return ", ".join(assignment.trainer.name for assignment in assignments)

    @admin.display(description="what should be better")
    def said(self, feedback: Feedback) -> str:
        """The beginning of the words."""
        return feedback.words if len(feedback.words) <= 120 else f"{feedback.words[:120]}…"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with the average rating by course and way of giving it above it."""
        response = super().changelist_view(request, extra_context)
        context = getattr(response, "context_data", None)
        if context and "cl" in context:
            context["averages"] = _averages(context["cl"].queryset)
        return response


def _averages(chosen: "QuerySet[Feedback]") -> list[dict[str, Any]]:
    session = "booking__place__session"
    rows = (
        chosen.order_by()
        .prefetch_related(None)
        .values_list(f"{session}__course_type__code", f"{session}__mode")
        .annotate(count=Count("pk"), average=Avg("rating"))
        .order_by(f"{session}__course_type__code", f"{session}__mode")
    )
    return [
        {"course": f"{code}, {Mode(mode).label.lower()}", "count": count, "average": f"{average:.1f}"}
        for code, mode, count, average in rows
    ]
