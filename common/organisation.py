"""Who runs the service and how to reach them, in the words that every page uses."""

from django.conf import settings


def words() -> dict[str, str]:
    """Names and help line for the frame of a page. Reads settings only, so that error pages may use it."""
    return {
        "organisation": "Kent County Council",
        "service_name": "Book a driver course",
        "help_phone": settings.HELP_PHONE,
        "help_phone_link": settings.HELP_PHONE.replace(" ", ""),
        "help_hours": settings.HELP_HOURS,
        "help_email": settings.HELP_EMAIL,
    }
