"""The API held against its own schema, by requests that nobody would think of."""

import datetime as dt
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from common import clock
from ndors_portal.wsgi import application
from referrals import services
from referrals.api.authentication import TokenThrottle
from referrals.constants import TokenScope
from referrals.models import Force
from tests.factories import referrals as factories
from tests.referrals.files import OFFICER, UGLY, import_bytes

pytestmark = pytest.mark.django_db(transaction=True)
CHECKS = [not_a_server_error, status_code_conformance, response_schema_conformance, content_type_conformance]
OPERATIONS = 9
headers: dict[str, str] = {}


@pytest.fixture
def api_schema(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The schema as the portal serves it, with a token; half of the ids asked for are there."""
    now = clock.now()
    monkeypatch.setattr(TokenThrottle, "THROTTLE_RATES", {"token": "1000000/min"})
    kent = Force.objects.get(pk="46")
    _, token = services.issue_token(
        force=kent,
        name="schemathesis",
        scopes=TokenScope.values,
        expires_at=now + dt.timedelta(days=1),
        by=OFFICER,
        now=now,
    )
    held = [
        factories.LiveReferralFactory.create(now=now).reference,
        factories.BookedReferralFactory.create(now=now).reference,
        factories.WithdrawnReferralFactory.create(now=now).reference,
        factories.CompletedReferralFactory.create(now=now).reference,
    ]
    for _ in range(3):
        factories.outcome(factories.CompletedReferralFactory.create(now=now), now=now)
    batch = import_bytes(UGLY.read_bytes())
    schema = schemathesis.openapi.from_wsgi("/api/schema/?format=json", application)
    asked = iter(range(1_000_000))

    @schema.hook
    def map_path_parameters(context: Any, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
        turn = next(asked)
        if not path_parameters or turn % 2:
            return path_parameters
        known = {"reference": held[turn // 2 % len(held)], "batch_id": str(batch.pk)}
        return {name: known.get(name, value) for name, value in path_parameters.items()}

    headers["Authorization"] = f"Bearer {token}"
    return schema.include(path_regex="^/api/v1/")


def test_api_is_as_its_schema_says(api_schema: Any) -> None:
    """Right requests and wrong ones to each operation: every answer is one that the schema tells of."""
    met: dict[str, set[int]] = {}

    def ask(case: Any) -> None:
        response = case.call_and_validate(checks=CHECKS, headers=headers)
        met.setdefault(case.operation.label, set()).add(response.status_code)

    for found in api_schema.get_all_operations():
        operation = found.ok()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            asked = given(case=operation.as_strategy(generation_mode=mode))(ask)
            settings(
                max_examples=25,
                deadline=None,
                derandomize=True,
                database=None,
                phases=[Phase.explicit, Phase.generate],
                suppress_health_check=list(HealthCheck),
            )(asked)()

    # It came past the token where it showed it, found what is there, and did not find the rest.
    assert len(met) == OPERATIONS
    assert {403, 429, 500}.isdisjoint(set().union(*met.values()))
    assert {label for label, statuses in met.items() if statuses & {200, 202}} >= {
        label for label in met if label.startswith("GET")
    }
    with_ids = {label for label in met if "{" in label}
    assert {label for label, statuses in met.items() if 404 in statuses} == with_ids
    assert any(422 in statuses for statuses in met.values())
