"""What every page knows: who we are and how to reach us."""

from django.conf import settings
from django.http import HttpRequest


def words() -> dict[str, object]:
    """Names and help line for the frame of a page. Reads settings only, so that error pages may use it."""
    return {
        "organisation": "Kent County Council",
        "service_name": "Book a driver course",
        "help_phone": settings.HELP_PHONE,
        "help_phone_link": settings.HELP_PHONE.replace(" ", ""),
        "help_hours": settings.HELP_HOURS,
        "help_email": settings.HELP_EMAIL,
    }


def portal(request: HttpRequest) -> dict[str, object]:
    """Context processor: `portal` in every template."""
    return {"portal": words()}
