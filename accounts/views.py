"""The way from sign-in to one's own door."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponseRedirect

from accounts.models import Role

# Addresses, not names: the doors belong to apps above this one, and addresses are what stays put.
DOORS = {Role.OFFICER: "/police/", Role.TRAINER: "/trainer/"}
STAFF_DOOR = "/admin/"


@login_required
def home(request: HttpRequest) -> HttpResponseRedirect:
    """Send staff to the admin, officers and trainers to their pages."""
    return HttpResponseRedirect(DOORS.get(Role(request.user.role), STAFF_DOOR))  # type: ignore[union-attr]
