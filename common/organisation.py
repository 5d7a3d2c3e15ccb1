"""Who runs the service and how to reach them, in the words that every page uses."""

from django.conf import settings

_DOORS = {
    "/police/": "Driver offender retraining: police",
    "/trainer/": "Driver offender retraining: trainers",
    "/admin/": "Driver offender retraining: council staff",
}
_CANDIDATES = ("/", "Book a driver course")


def words(path: str = "/") -> dict[str, str]:
    """Names and help line for the frame of a page at `path`: each door has its own name, and its own way back.

    Reads settings only, so that error pages may use it.
    """
    url, name = next((door for door in _DOORS.items() if path.startswith(door[0])), _CANDIDATES)
    return {
        "organisation": "Kent County Council",
        "service_name": name,
        "service_url": url,
        "help_phone": settings.HELP_PHONE,
        "help_phone_link": settings.HELP_PHONE.replace(" ", ""),
        "help_hours": settings.HELP_HOURS,
        "help_email": settings.HELP_EMAIL,
    }
