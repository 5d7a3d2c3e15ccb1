"""The project's addresses and two more that forget whose a record is: for the test that such are caught."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from ndors_portal.urls import handler400, handler403, handler404, handler500
from ndors_portal.urls import urlpatterns as of_the_project
from referrals.models import Referral
from referrals.urls import urlpatterns as of_the_police

__all__ = ["handler400", "handler403", "handler404", "handler500", "urlpatterns"]


def leak(request: HttpRequest, reference: str) -> HttpResponse:
    return HttpResponse(Referral.objects.get(reference=reference).surname)


def leaking_list(request: HttpRequest) -> HttpResponse:
    return HttpResponse(", ".join(each.surname for each in Referral.objects.all()))


_police = [
    *of_the_police,
    path("leak/<reference:reference>/", leak, name="leak"),
    path("leaks/", leaking_list, name="leaking_list"),
]
urlpatterns = [path("police/", include((_police, "police"))), *of_the_project]
