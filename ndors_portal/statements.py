"""The four statements that every page's footer leads to. Their addresses are fixed."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.http import require_safe

app_name = "statements"


@require_safe
def accessibility(request: HttpRequest) -> HttpResponse:
    """Accessibility statement (Public Sector Bodies Accessibility Regulations 2018)."""
    return render(request, "statements/accessibility.html")


@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    """Privacy notice: who controls what, why, and for how long."""
    return render(request, "statements/privacy.html")


@require_safe
def terms(request: HttpRequest) -> HttpResponse:
    """Terms of booking a course."""
    return render(request, "statements/terms.html")


@require_safe
def cookies(request: HttpRequest) -> HttpResponse:
    """The cookies we set, all of them strictly necessary."""
    return render(request, "statements/cookies.html")


urlpatterns = [
    path("accessibility/", accessibility, name="accessibility"),
    path("privacy/", privacy, name="privacy"),
    path("terms/", terms, name="terms"),
    path("cookies/", cookies, name="cookies"),
]
