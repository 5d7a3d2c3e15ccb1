"""Who did something, as people call them."""

from collections.abc import Iterable

from accounts.models import User

_NAMELESS = {"candidate": "the candidate", "api": "the force’s own system"}
_PROGRAMS = {"job": "the portal", "command": "a command on the server"}
_PEOPLE = ("staff", "officer", "trainer")


def names_of(actors: Iterable[str]) -> dict[str, str]:
    """Actors of the record in words, with one query: "staff:7" is "amara (staff)", "" is "".

    "job:send_refunds" is "the portal (send refunds)"; whoever is no longer known keeps their key.
    """
    parts = {actor: actor.partition(":") for actor in set(actors)}
    keys = {int(key) for kind, _, key in parts.values() if kind in _PEOPLE and key.isdecimal()}
    names = dict(User.objects.filter(pk__in=keys).values_list("pk", "username")) if keys else {}
    return {actor: _words(actor, kind, key, names) for actor, (kind, _, key) in parts.items()}


def name_of(actor: str) -> str:
    """One actor in words."""
    return names_of([actor])[actor]


def _words(actor: str, kind: str, key: str, names: dict[int, str]) -> str:
    if kind in _PEOPLE and key.isdecimal():
        name = names.get(int(key))
        return f"{name} ({kind})" if name else actor
    if kind in _PROGRAMS:
        return f"{_PROGRAMS[kind]} ({key.replace('_', ' ')})"
    return _NAMELESS.get(kind, actor)
