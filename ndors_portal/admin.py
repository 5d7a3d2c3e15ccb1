"""KCC staff's door: Django admin, signed in through the portal's own sign-in so that a second factor applies."""

from typing import Any

from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode

from ndors_portal.waiting_work import waiting_for


class StaffSite(admin.AdminSite):
    site_header = "Driver courses: KCC staff"
    site_title = "Driver courses"
    index_title = "Records and work lists"
    site_url = None

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The first page, with what waits for this person."""
        return super().index(request, {"waiting": waiting_for(request.user), **(extra_context or {})})

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """One sign-in page for everybody who has a password: the portal's, with its throttle and second factor."""
        if request.user.is_authenticated and self.has_permission(request):
            return redirect("admin:index")
        target = request.GET.get(REDIRECT_FIELD_NAME) or reverse("admin:index")
        return redirect(f"{reverse('account_login')}?{urlencode({REDIRECT_FIELD_NAME: target})}")
