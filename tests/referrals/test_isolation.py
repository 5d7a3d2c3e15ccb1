"""Every address of /police/ and /api/v1/, as the URLconf has them, asked for what belongs to another force."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from audit.models import AccessLog, AuditEvent
from notifications.models import Message
from referrals import services
from referrals.constants import TokenScope
from referrals.models import Batch, BatchRow, Force, Outcome, OutcomeReturn, Referral
from tests.factories import referrals as factories
from tests.referrals.files import FORECAST, OFFICER, as_csv, import_bytes, many

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
VERBS = ("get", "head", "post", "put", "patch", "delete", "options")
# What any of the forms and bodies could want, so that no check of values stands before the check of whose it is.
SENT = {
    "reason": "COURT",
    "confirmed": "yes",
    "note": "x",
    "decision": "refused",
    "complete_by": "2027-03-30",
    "complete_by_day": "30",
    "complete_by_month": "3",
    "complete_by_year": "2027",
    "evidence": "x",
    "course": "WDU",
    "course_code": "WDU",
}


@dataclass(frozen=True)
class Address:
    """A route with the names of its parts that are ids."""

    door: str
    name: str
    parts: tuple[str, ...]


def addresses() -> list[Address]:
    """All routes of the two doors."""
    found = []
    for resolver in get_resolver().url_patterns:
        if isinstance(resolver, URLResolver) and str(resolver.pattern) in ("police/", "api/v1/"):
            for pattern in _patterns(resolver):
                parts = tuple(pattern.pattern.converters)
                found.append(Address(f"/{resolver.pattern}", f"{resolver.namespace}:{pattern.name}", parts))
    return found


def _patterns(resolver: URLResolver) -> Iterator[URLPattern]:
    for each in resolver.url_patterns:
        if isinstance(each, URLResolver):
            yield from _patterns(each)
        else:
            yield each


WITH_IDS = [each for each in addresses() if each.parts]
WITHOUT_IDS = [each for each in addresses() if not each.parts]


@pytest.fixture
def foreign() -> dict[str, Any]:
    """What Essex has, by the name that the routes give to its id."""
    batch = import_bytes(as_csv([*many(2, force="42"), many(1, force="42")[0] | {"pin": ""}]), force="42")
    import_bytes(FORECAST.read_bytes().replace(b"\n46,", b"\n42,"), kind="forecast", force="42")
    held = factories.CompletedReferralFactory.create(force="42", reference="42SECRET0001", surname="Geheim", now=NOW)
    factories.outcome(held, now=NOW)
    written = services.write_outcome_return(force=Force.objects.get(pk="42"), by=OFFICER, now=NOW)
    quarantined = import_bytes(as_csv(many(1, start=5)), force="42")
    assert written is not None
    return {
        "batch_id": batch.pk,
        "row_id": BatchRow.objects.get(batch=quarantined).pk,
        "reference": held.reference,
        "return_id": written.record.pk,
    }


@pytest.fixture
def kent(client: Client, time_machine: Any) -> Client:
    """Someone of Kent, signed in at both doors."""
    time_machine.move_to(NOW, tick=False)
    force = Force.objects.get(pk="46")
    _, token = services.issue_token(
        force=force, name="t", scopes=TokenScope.values, expires_at=NOW + dt.timedelta(days=1), by=OFFICER, now=NOW
    )
    client.force_login(factories.OfficerFactory.create().user)
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return client


def held() -> list[Any]:
    """Everything that a request of another force must leave as it is."""
    models = (Referral, Batch, BatchRow, Outcome, OutcomeReturn, AuditEvent, Message)
    return [list(model._default_manager.order_by("pk").values()) for model in models]


def test_the_two_doors_have_addresses() -> None:
    assert len(WITH_IDS) >= 17
    assert len(WITHOUT_IDS) >= 10


@pytest.mark.parametrize("address", WITH_IDS, ids=lambda each: each.name)
def test_s19_what_is_another_forces_is_not_found_by_any_verb(
    kent: Client, foreign: dict[str, Any], address: Address
) -> None:
    path = reverse(address.name, kwargs={part: foreign[part] for part in address.parts})
    before = held()
    statuses = {}
    for verb in VERBS:
        is_api = address.door == "/api/v1/"
        body: dict[str, Any] = {"content_type": "application/json"} if is_api else {}
        if verb in ("put", "patch", "delete", "options"):
            body = {"content_type": "application/json"}
        logged = AccessLog.objects.count()
        given = () if verb in ("get", "head") else (SENT,)
        response = getattr(kent, verb)(path, *given, **(body if given else {}))
        statuses[verb] = response.status_code
        told = list(AccessLog.objects.order_by("id")[logged:].values_list("subject", "allowed"))
        assert told == ([(path, False)] if response.status_code == 404 else []), verb
    assert set(statuses.values()) <= {404, 405} or (statuses.pop("options") == 200 and address.door == "/api/v1/")
    assert 404 in (statuses["get"], statuses["post"])
    assert held() == before


@pytest.mark.parametrize("address", WITHOUT_IDS, ids=lambda each: each.name)
def test_s19_no_list_shows_what_is_another_forces(kent: Client, foreign: dict[str, Any], address: Address) -> None:
    path = reverse(address.name)
    for query in ("", "?q=42SECRET0001", "?q=Geheim", "?q=TN23+3UT", "?after=0&page=1&force=42&force_code=42"):
        response = kent.get(path + query)
        assert response.status_code in (200, 405)
        shown = response.content.decode(errors="replace")
        for secret in [*map(str, (foreign["batch_id"], foreign["reference"])), "Geheim", "GEHEIM"]:
            # What was typed is shown again; that is no find.
            assert secret.lower() in query.lower() or secret.lower() not in shown.lower()
        if response.status_code == 200 and address.door == "/police/":
            for name in ("page", "batches", "found", "rows"):
                assert all(_force_of(each) == "46" for each in _listed(response.context, name))


def _listed(context: Any, name: str) -> list[Any]:
    listed = context.get(name, []) if context is not None else []
    return list(getattr(listed, "object_list", listed))


def _force_of(each: Any) -> str:
    return str(each.force_id if hasattr(each, "force_id") else each.batch.force_id)


def test_control_their_owner_opens_each_of_them(client: Client, foreign: dict[str, Any], time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)
    client.force_login(factories.OfficerFactory.create(force=Force.objects.get(pk="42")).user)
    opened = {}
    for address in WITH_IDS:
        if address.door == "/police/":
            path = reverse(address.name, kwargs={part: foreign[part] for part in address.parts})
            opened[address.name] = client.get(path).status_code
    assert opened.pop("police:note") == 405
    assert set(opened.values()) == {200}


def test_control_an_address_added_later_is_found_and_its_leak_caught(
    kent: Client, foreign: dict[str, Any], settings: Any
) -> None:
    settings.ROOT_URLCONF = "tests.referrals.leaking_urls"
    added = {each.name: each for each in addresses()}.items() - {
        each.name: each for each in WITH_IDS + WITHOUT_IDS
    }.items()
    assert {name for name, _ in added} == {"police:leak", "police:leaking_list"}
    for _, address in added:
        check = (
            test_s19_what_is_another_forces_is_not_found_by_any_verb
            if address.parts
            else test_s19_no_list_shows_what_is_another_forces
        )
        with pytest.raises(AssertionError):
            check(kent, foreign, address)


def test_control_an_address_with_another_kind_of_id_cannot_be_forgotten(foreign: dict[str, Any]) -> None:
    assert {part for each in WITH_IDS for part in each.parts} == set(foreign)
