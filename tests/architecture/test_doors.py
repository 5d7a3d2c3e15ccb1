"""Every address behind a door asks who is there."""

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.exceptions import NoReverseMatch

CLOSED = ("police/", "trainer/", "admin/", "api/v1/")
# Signing in and out, its scripts and pictures are there before one is known.
OPEN = ("admin/login/", "admin/logout/", "admin/jsi18n/", "api/schema/", "api/docs/")
EXAMPLES = {"int": "1", "str": "x", "slug": "x", "uuid": "00000000-0000-4000-8000-000000000000", "path": "x"}


def routes(resolver: URLResolver | None = None, before: str = "") -> list[str]:
    """All routes as written, such as `police/batches/<uuid:batch_id>/`."""
    found: list[str] = []
    for entry in (resolver or get_resolver()).url_patterns:
        route = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            found += routes(entry, route)
        elif isinstance(entry, URLPattern):
            found.append(route)
    return found


def example(route: str) -> str:
    """An address that matches the route."""
    parts = []
    for piece in route.replace("^", "").replace("$", "").split("<"):
        name, closed, rest = piece.partition(">")
        parts.append(EXAMPLES.get(name.partition(":")[0], "x") + rest if closed else piece)
    return "/" + "".join(parts).replace("(?P", "").replace("\\Z", "")


def closed_addresses() -> list[str]:
    return sorted({example(r) for r in routes() if r.startswith(CLOSED) and not r.startswith(OPEN) and "(?" not in r})


@pytest.mark.django_db
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_stranger_gets_nowhere(client: Client, method: str) -> None:
    addresses = closed_addresses()
    assert addresses
    let_in = {}
    for address in addresses:
        try:
            answer = getattr(client, method)(address)
        except NoReverseMatch as error:
            raise AssertionError(f"{address}: {error}") from error
        is_sent_away = answer.status_code in {301, 302} and "login" in answer["Location"]
        if not is_sent_away and answer.status_code not in {401, 403, 404, 405}:
            let_in[address] = answer.status_code
    assert let_in == {}
