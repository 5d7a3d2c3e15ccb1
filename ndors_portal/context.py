"""What every page knows."""

from django.http import HttpRequest

from common import organisation


def portal(request: HttpRequest) -> dict[str, dict[str, str]]:
    """Context processor: `portal` in every template."""
    return {"portal": organisation.words(request.path_info)}
