"""The API held against its own schema, by requests that nobody would think of."""

import datetime as dt
import re
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from common import clock
from ndors_portal.wsgi import application
from referrals import services
from referrals.api.authentication import TokenThrottle
from referrals.constants import TokenScope
from referrals.models import Force
from tests.factories import referrals as factories
from tests.referrals.files import GOOD, OFFICER, UGLY, import_bytes

pytestmark = pytest.mark.django_db(transaction=True)
SEND, ACKNOWLEDGE = "POST /api/v1/batches/", "POST /api/v1/outcomes/acknowledge/"
OUTCOMES = "GET /api/v1/outcomes/"
EXTEND, WITHDRAW = (f"POST /api/v1/referrals/{{reference}}/{act}/" for act in ("extend", "withdraw"))
# Every check there is is made, but for these.
EXEMPT = {
    (EXTEND, positive_data_acceptance): "which days can be depends on the offer, and a schema cannot tell",
    (ACKNOWLEDGE, positive_data_acceptance): "what can be acknowledged depends on what was given out",
    (OUTCOMES, negative_data_rejection): "`?after=` with nothing behind it is taken as none, and a schema cannot tell",
}
OPERATIONS = 9
SHAPE = re.compile(r"[A-Z0-9/-]{6,25}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
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
    schema.config.generation.with_security_parameters = False  # the token stands in `headers`
    asked = iter(range(1_000_000))

    @schema.hook
    def map_path_parameters(context: Any, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
        turn = next(asked)
        if not path_parameters or turn % 2:
            return path_parameters
        known = {"reference": held[turn // 2 % len(held)], "batch_id": str(batch.pk)}
        # What is asked for in a wrong shape stays so.
        return {name: known[name] if SHAPE.fullmatch(str(value)) else value for name, value in path_parameters.items()}

    @schema.hook
    def map_headers(context: Any, headers: dict[str, Any] | None) -> dict[str, Any] | None:
        """No key comes twice: with another file it would be refused, as it must be."""
        key = (headers or {}).get("Idempotency-Key")
        return headers if headers is None or not key else headers | {"Idempotency-Key": f"{next(asked)}-{key}"[:255]}

    @schema.hook
    def map_body(context: Any, body: Any) -> Any:
        """Werkzeug, which writes the forms here, leaves out the line end after an empty file, so it is none at all."""
        if isinstance(body, dict) and getattr(body.get("file"), "data", None) == b"":
            return body | {"file": b"x"}
        return body

    headers["Authorization"] = f"Bearer {token}"
    schema = schema.include(path_regex="^/api/v1/")
    schema.right = {  # what is done where the request is right in every way
        SEND: {"body": {"file": GOOD.read_bytes(), "kind": "referrals"}, "media_type": "multipart/form-data"},
        EXTEND: {
            "path_parameters": {"reference": held[0]},
            "body": {"complete_by": (now + dt.timedelta(days=100)).date().isoformat(), "evidence": "Letter 7"},
        },
        WITHDRAW: {"path_parameters": {"reference": held[0]}, "body": {"reason": "COURT"}},
        ACKNOWLEDGE: {"body": {"up_to": 0}},
    }
    return schema


def test_api_is_as_its_schema_says(api_schema: Any) -> None:
    """Right requests and wrong ones to each operation: every answer is one that the schema tells of."""
    met: dict[str, set[int]] = {}

    def ask(case: Any) -> None:
        label = case.operation.label
        exempt = [check for of, check in EXEMPT if of == label]
        response = case.call_and_validate(headers=headers, excluded_checks=exempt)
        met.setdefault(label, set()).add(response.status_code)

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
        if operation.label in api_schema.right:
            ask(operation.Case(**api_schema.right[operation.label]))

    # It came past the token where it showed it, found what is there, and did not find the rest.
    assert len(met) == OPERATIONS
    assert {403, 429, 500}.isdisjoint(set().union(*met.values()))
    assert [label for label, statuses in met.items() if not statuses & {200, 202}] == []
    assert 202 in met[SEND]
    with_ids = {label for label in met if "{" in label}
    assert {label for label, statuses in met.items() if 404 in statuses} == with_ids
    assert any(422 in statuses for statuses in met.values())
