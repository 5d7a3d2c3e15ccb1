"""Sessions: scheduled several at once, then opened, changed and cancelled by services alone; places to be read."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse

from audit.admin import HistoryAdmin
from common import clock
from courses import forms, services
from courses.admin.acts import Read, act_page, acting_staff
from courses.constants import SessionStatus
from courses.models import Place, Session, SessionTrainer

CHANGE = "courses.change_session"


class AssignmentInline(Read, admin.TabularInline):  # type: ignore[type-arg]
    """Who teaches it."""

    model = SessionTrainer
    fields = ("trainer", "role")


class PlaceInline(Read, admin.TabularInline):  # type: ignore[type-arg]
    """Its places, the living ones first."""

    model = Place
    fields = ("holder", "state", "held_until", "claimed_at", "released_at", "release_reason")
    ordering = ("state", "-pk")


@admin.register(Session)
class SessionAdmin(Read, HistoryAdmin):
    """Everything shown is read; what may be done stands above it as a button."""

    list_display = ("course_type", "starts_at", "mode", "room", "status", "capacity", "places_claimed", "trainers")
    list_filter = ("status", "course_type", "mode", "room__venue")
    list_select_related = ("course_type", "room__venue")
    date_hierarchy = "starts_at"
    ordering = ("starts_at",)
    inlines = (AssignmentInline, PlaceInline)
    actions = ("open_chosen",)
    readonly_fields = ("places_claimed", "joining_url")
    change_form_template = "admin/courses/session_change_form.html"

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Who may schedule."""
        return bool(request.user.has_perm("courses.add_session"))

    def has_open_permission(self, request: HttpRequest) -> bool:
        """Who may open."""
        return bool(request.user.has_perm(CHANGE))

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Session]":
        """With the trainers, in one query for the page."""
        return super().get_queryset(request).prefetch_related("assignments__trainer")

    @admin.display
    def trainers(self, session: Session) -> str:
        """Who teaches it, by name."""
        return ", ".join(assignment.trainer.name for assignment in session.assignments.all())

    @admin.action(description="Open for booking", permissions=["open"])
    def open_chosen(self, request: HttpRequest, queryset: "QuerySet[Session]") -> None:
        """Open each chosen draft."""
        by, now = acting_staff(request, CHANGE), clock.now()
        drafts = queryset.filter(status=SessionStatus.DRAFT, starts_at__gt=now).values_list("pk", flat=True)
        opened = [services.open_session(session_id=pk, by=by, now=now) for pk in list(drafts)]
        self.message_user(request, f"{len(opened)} sessions are open for booking.")

    def get_urls(self) -> list[Any]:
        """One address for each thing that can be done."""
        acts: dict[str, Callable[..., HttpResponse]] = {
            "open": self.open_view,
            "close": self.close_view,
            "cancel": self.cancel_view,
            "capacity": self.capacity_view,
            "change-details": self.change_details_view,
            "roster": self.roster_view,
            "take-off": self.take_off_view,
        }
        own = [
            path(f"<int:pk>/{name}/", self.admin_site.admin_view(view), name=f"courses_session_{name}")
            for name, view in acts.items()
        ]
        return [*own, *super().get_urls()]

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One session, or one each week."""
        by = acting_staff(request, "courses.add_session")
        form = forms.ScheduleForm(request.POST if request.method == "POST" else None)

        def act(given: dict[str, Any]) -> str:
            now = clock.now()
            made = services.schedule_many(plans=form.plans(), by=by, now=now)
            if given["is_open"]:
                for session in made:
                    services.open_session(session_id=session.pk, by=by, now=now)
            return f"{len(made)} scheduled." if len(made) != 1 else "The session is scheduled."

        back = reverse("admin:courses_session_changelist")
        return act_page(self, request, form=form, title="Schedule sessions", act=act, back=back, button="Schedule")

    def open_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Open for booking."""
        return self._act(
            request,
            pk,
            title="Open for booking",
            form=forms.forms.Form,
            service=lambda session, given, **who: services.open_session(session_id=session.pk, **who),
            done="It is open for booking.",
        )

    def close_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Back to a draft."""
        return self._act(
            request,
            pk,
            title="Take out of booking",
            form=forms.forms.Form,
            service=lambda session, given, **who: services.close_session(session_id=session.pk, **who),
            done="It is a draft again.",
        )

    def cancel_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Cancel for good, with a reason."""
        return self._act(
            request,
            pk,
            title="Cancel the session",
            lead="Everybody on it loses their place, gets all their money back and is told. This cannot be undone.",
            form=forms.ReasonForm,
            service=lambda session, given, **who: services.cancel_session(
                session_id=session.pk, reason=given["reason"], **who
            ),
            done="It is cancelled.",
        )

    def capacity_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Another number of places, with a reason."""
        return self._act(
            request,
            pk,
            title="Change the number of places",
            form=forms.CapacityForm,
            service=lambda session, given, **who: services.change_capacity(
                session_id=session.pk, capacity=given["capacity"], reason=given["reason"], **who
            ),
            done="The number of places is changed.",
        )

    def change_details_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Another time, room or link, with a reason."""
        session = get_object_or_404(Session, pk=pk)
        return self._act(
            request,
            pk,
            title="Change time, room or link",
            lead="Everybody on it is told.",
            form=lambda data: forms.ChangeForm(data, session=session),
            service=lambda session, given, **who: services.change_session(
                session_id=session.pk,
                starts_at=given["starts_at"],
                room_id=given["room"].pk if given.get("room") else None,
                joining_url=given["joining_url"],
                reason=given["reason"],
                **who,
            ),
            done="It is changed.",
        )

    def roster_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Put a trainer on it."""
        return self._act(
            request,
            pk,
            title="Roster a trainer",
            form=forms.RosterForm,
            service=lambda session, given, **who: services.roster(
                session_id=session.pk, trainer_id=given["trainer"].pk, role=given["role"], **who
            ),
            done="The trainer is rostered.",
        )

    def take_off_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take a trainer off it, with a reason."""
        session = get_object_or_404(Session, pk=pk)
        return self._act(
            request,
            pk,
            title="Take a trainer off",
            form=lambda data: forms.TakeOffForm(data, session=session),
            service=lambda session, given, **who: services.take_off(
                session_id=session.pk, trainer_id=given["trainer"].pk, reason=given["reason"], **who
            ),
            done="The trainer is taken off.",
        )

    def _act(
        self,
        request: HttpRequest,
        pk: int,
        *,
        title: str,
        form: Callable[[Any], Any],
        service: Callable[..., object],
        done: str,
        lead: str = "",
    ) -> HttpResponse:
        by = acting_staff(request, CHANGE)
        session = get_object_or_404(Session.objects.with_room(), pk=pk)

        def act(given: dict[str, Any]) -> str:
            service(session, given, by=by, now=clock.now())
            return done

        words = f"{title}: {session.course_type.code}, {clock.moment_words(session.starts_at)}"
        back = reverse("admin:courses_session_change", args=[pk])
        sent = form(request.POST if request.method == "POST" else None)
        return act_page(self, request, form=sent, title=words, act=act, back=back, lead=lead)


@admin.register(Place)
class PlaceAdmin(Read, HistoryAdmin):
    """Places are read here: only services write them."""

    list_display = ("session", "holder", "state", "held_until", "claimed_at", "released_at", "release_reason")
    list_filter = ("state",)
    list_select_related = ("session__course_type",)
    search_fields = ("=holder",)
    search_help_text = "Force and reference (46/46DEMO0001)"
    ordering = ("-pk",)
