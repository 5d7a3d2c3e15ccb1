"""The API of forces' systems, by its own words (CONTRACT.md, API v1)."""

import base64
import datetime as dt
import re
import uuid
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from audit.models import AccessLog, AuditEvent
from notifications.models import Message
from referrals import selectors, services
from referrals.constants import ReferralStatus, TokenScope
from referrals.models import Batch, Force, ForceToken, OutcomeSequence, Referral
from tests.factories import referrals as factories
from tests.referrals.files import GOOD, JOB, OFFICER, UGLY, as_csv, import_bytes, many

pytestmark = pytest.mark.django_db
NOW = dt.datetime(2026, 11, 20, 12, tzinfo=dt.UTC)
PROBLEM = "application/problem+json"


@pytest.fixture(autouse=True)
def noon(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)


def token(force: str = "46", **changes: Any) -> str:
    given: dict[str, Any] = {
        "force": Force.objects.get(pk=force),
        "name": "crime system",
        "scopes": TokenScope.values,
        "expires_at": NOW + dt.timedelta(days=1),
        "by": OFFICER,
        "now": NOW,
    }
    return services.issue_token(**(given | changes))[1]


@pytest.fixture
def api(client: Client) -> Client:
    """A client of Kent's system."""
    client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {token()}"
    return client


def send(api: Client, content: bytes, *, kind: str = "referrals", **headers: str) -> Any:
    file = SimpleUploadedFile("offers.csv", content)
    return api.post("/api/v1/batches/", {"file": file, "kind": kind}, headers=headers)


def problem(response: Any, status: int) -> dict[str, Any]:
    assert response.status_code == status
    assert response["Content-Type"] == PROBLEM
    told: dict[str, Any] = response.json()
    assert told["status"] == status
    assert told["type"] == "about:blank"
    return told


def test_token_is_kept_as_a_hash_only() -> None:
    text = token()
    kept = ForceToken.objects.get()
    assert text.startswith("ndors_46_")
    assert text not in repr(ForceToken.objects.values().get())
    assert kept.scopes == ["batches", "outcomes", "referrals"]
    assert AuditEvent.objects.get().action == "token.issued"


def test_without_a_token_401_asks_for_one(client: Client) -> None:
    response = client.get("/api/v1/outcomes/")
    problem(response, 401)
    assert response["WWW-Authenticate"] == 'Bearer realm="api"'


@pytest.mark.parametrize("header", ["Bearer wrong", "Basic abc", "Bearer"])
def test_wrong_token_is_401(client: Client, header: str) -> None:
    assert problem(client.get("/api/v1/outcomes/", headers={"Authorization": header}), 401)


def test_expired_and_revoked_tokens_are_401_and_a_new_one_overlaps(client: Client, time_machine: Any) -> None:
    def asked(text: str) -> int:
        return client.get("/api/v1/outcomes/", headers={"Authorization": f"Bearer {text}"}).status_code

    old = token(expires_at=NOW + dt.timedelta(seconds=1))
    new = token()
    assert [asked(old), asked(new)] == [200, 200]
    time_machine.move_to(NOW + dt.timedelta(seconds=1), tick=False)
    assert [asked(old), asked(new)] == [401, 200]
    latest = ForceToken.objects.order_by("-pk")[0]
    services.revoke_token(token_id=latest.pk, by=OFFICER, now=NOW + dt.timedelta(seconds=1))
    assert [asked(old), asked(new)] == [401, 401]


def test_scope_that_the_token_lacks_is_403(client: Client) -> None:
    text = token(scopes=["outcomes"])
    headers = {"Authorization": f"Bearer {text}"}
    assert client.get("/api/v1/outcomes/", headers=headers).status_code == 200
    assert problem(client.get("/api/v1/referrals/46DEMO0001/", headers=headers), 403)
    assert problem(client.post("/api/v1/batches/", headers=headers), 403)


def test_batch_is_taken_settled_and_told(api: Client) -> None:
    response = send(api, GOOD.read_bytes())
    assert response.status_code == 202
    batch = Batch.objects.get()
    assert response.json() == {"id": str(batch.pk), **selectors.receipt(batch)}
    assert response.json()["settled_at"] is None
    assert batch.received_by == "api:46"

    services.import_next_batch(by=JOB, now=NOW)
    receipt = api.get(f"/api/v1/batches/{batch.pk}/").json()
    assert receipt == selectors.receipt(Batch.objects.get())
    assert (receipt["rows"], receipt["new"]) == (300, 300)
    again = send(api, GOOD.read_bytes())
    assert again.status_code == 200
    assert again.json() == {"id": str(batch.pk), **receipt}


def test_idempotency_key_stands_for_one_file(api: Client) -> None:
    first = send(api, GOOD.read_bytes(), **{"Idempotency-Key": "day-20"})
    again = send(api, GOOD.read_bytes(), **{"Idempotency-Key": "day-20"})
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json()["id"] == again.json()["id"]
    other = send(api, UGLY.read_bytes(), **{"Idempotency-Key": "day-20"})
    assert "Idempotency-Key" in problem(other, 422)["detail"]
    assert Batch.objects.count() == 1
    problem(send(api, GOOD.read_bytes(), kind="forecast", **{"Idempotency-Key": "day-20"}), 422)
    assert send(api, UGLY.read_bytes(), **{"Idempotency-Key": "day-21"}).status_code == 202


@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "day-20"}])
def test_receipt_of_a_file_sent_by_a_system_is_mailed_to_its_force(api: Client, headers: dict[str, str]) -> None:
    Force.objects.filter(pk="46").update(contact_email="batches@kent.example.org")
    send(api, GOOD.read_bytes(), **headers)
    services.import_next_batch(by=JOB, now=NOW)
    assert list(Message.objects.values_list("kind", "to")) == [("batch_receipt", "batches@kent.example.org")]


def test_refused_file_says_why(api: Client) -> None:
    identity = send(api, b"name,colour\r\nJo,red\r\n").json()["id"]
    services.import_next_batch(by=JOB, now=NOW)
    receipt = api.get(f"/api/v1/batches/{identity}/").json()
    assert receipt["refused"].startswith("The first row must hold the column names of a referrals file")


@pytest.mark.parametrize(
    ("sent", "wrong"),
    [({"kind": "referrals"}, "file"), ({"file": "x", "kind": "letters"}, "kind")],
)
def test_upload_with_wrong_values_is_422(api: Client, sent: dict[str, str], wrong: str) -> None:
    told = problem(api.post("/api/v1/batches/", sent), 422)
    assert wrong in told["errors"]
    assert Batch.objects.count() == 0


def test_upload_that_is_too_large_is_413(api: Client, settings: Any) -> None:
    settings.BATCH_MAX_BYTES = 10
    problem(send(api, b"x" * 11), 413)
    assert Batch.objects.count() == 0


def test_upload_of_another_media_type_is_415(api: Client) -> None:
    problem(api.post("/api/v1/batches/", {"kind": "referrals"}, content_type="application/json"), 415)


def test_rows_come_in_pages_with_all_errors(api: Client) -> None:
    batch = import_bytes(UGLY.read_bytes())
    page = api.get(f"/api/v1/batches/{batch.pk}/rows/?state=rejected").json()
    assert [row["row"] for row in page["results"]] == [6, 8, 10, 12, 15, 17, 18, 19, 20, 21, 22, 25]
    assert page["next"] is page["previous"] is None
    error = page["results"][0]["errors"][0]
    assert (error["row"], error["column"], error["code"], error["value"]) == (
        6,
        "date_of_birth",
        "invalid_date",
        "31/02/1980",
    )
    assert set(error) == {"row", "column", "code", "message", "value"}


def test_rows_are_followed_by_cursor(api: Client) -> None:
    batch = import_bytes(GOOD.read_bytes())
    first = api.get(f"/api/v1/batches/{batch.pk}/rows/").json()
    second = api.get(first["next"]).json()
    assert [row["row"] for row in first["results"] + second["results"]] == list(range(2, 302))
    assert second["next"] is None
    read = ("batch.rows_read", f"batch:{batch.pk}", "api:46")
    assert list(AccessLog.objects.values_list("action", "subject", "actor")) == [read, read]
    problem(api.get(f"/api/v1/batches/{batch.pk}/rows/?state=good"), 422)


@pytest.mark.parametrize("position", ["abc", "1\0", "9" * 5000])
def test_cursor_that_is_none_of_ours_is_404(api: Client, position: str) -> None:
    batch = import_bytes(UGLY.read_bytes())
    cursor = base64.b64encode(urlencode({"p": position}).encode()).decode()
    problem(api.get(f"/api/v1/batches/{batch.pk}/rows/", {"cursor": cursor}), 404)


def test_rejected_csv(api: Client) -> None:
    batch = import_bytes(UGLY.read_bytes())
    response = api.get(f"/api/v1/batches/{batch.pk}/rejected.csv")
    content = b"".join(response).decode("utf-8-sig")  # type: ignore[call-overload]
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    assert len(content.splitlines()) == 13


def test_rejected_csv_is_there_for_who_asks_for_csv_and_its_problems_are_problems(api: Client) -> None:
    batch = import_bytes(UGLY.read_bytes())
    address = f"/api/v1/batches/{batch.pk}/rejected.csv"
    for accept in ("text/csv", "text/*;q=0.8", "application/json"):
        assert api.get(address, headers={"Accept": accept})["Content-Type"] == "text/csv; charset=utf-8"
    problem(api.get(address, headers={"Accept": "image/png"}), 406)
    problem(api.get(address.replace(str(batch.pk), str(uuid.uuid4())), headers={"Accept": "text/csv"}), 404)
    problem(api.post(address, headers={"Accept": "text/csv"}), 405)


def test_referral_without_its_secrets_and_on_record(api: Client) -> None:
    import_bytes(GOOD.read_bytes())
    told = api.get("/api/v1/referrals/46KD00000126/").json()
    assert told == {
        "force_code": "46",
        "reference": "46KD00000126",
        "course_code": "NSAC",
        "status": "LIVE",
        "status_at": "2026-11-20T12:00:00Z",
        "forenames": "Paul Tomasz",
        "surname": "Ó'Brien",
        "offence_code": "SP30",
        "offence_at": "2026-11-03T18:34:00Z",
        "offer_date": "2026-11-20",
        "book_by": "2026-12-18",
        "complete_by": "2027-03-03",
        "received_at": "2026-11-20T12:00:00Z",
        "bookable_at": "2026-11-20T12:00:00Z",
    }
    entry = AccessLog.objects.get()
    assert (entry.action, entry.referral_key, entry.actor) == ("referral.opened", "46/46KD00000126", "api:46")


def test_withdrawing_and_extending(api: Client) -> None:
    held = factories.LiveReferralFactory(now=NOW)
    address = f"/api/v1/referrals/{held.reference}/"
    later = (held.complete_by + dt.timedelta(days=5)).isoformat()
    extended = api.post(
        f"{address}extend/", {"complete_by": later, "evidence": "Letter 7"}, content_type="application/json"
    )
    assert extended.json()["complete_by"] == later
    sent = {"reason": "COURT", "effective_at": "2026-11-21T09:30:00Z"}
    withdrawn = api.post(f"{address}withdraw/", sent, content_type="application/json")
    assert (withdrawn.status_code, withdrawn.json()["status"]) == (200, "WITHDRAWN")
    again = api.post(f"{address}withdraw/", sent, content_type="application/json")
    assert again.status_code == 200
    other = api.post(f"{address}withdraw/", {"reason": "OTHER"}, content_type="application/json")
    assert "(COURT), and that reason stands" in problem(other, 409)["detail"]
    held.refresh_from_db()
    assert held.withdrawal.reason == "COURT"
    assert held.withdrawal.effective_at == dt.datetime(2026, 11, 21, 9, 30, tzinfo=dt.UTC)
    late = api.post(
        f"{address}extend/", {"complete_by": later, "evidence": "Letter 8"}, content_type="application/json"
    )
    assert problem(late, 409)["detail"] == "This cannot be done: the referral is now “withdrawn by police”."


@pytest.mark.parametrize("complete_by", ["0001-01-01", "9999-12-31"])
def test_extension_to_the_ends_of_the_calendar_is_422(api: Client, complete_by: str) -> None:
    held = factories.LiveReferralFactory(now=NOW)
    sent = {"complete_by": complete_by, "evidence": "Letter 7"}
    address = f"/api/v1/referrals/{held.reference}/extend/"
    problem(api.post(address, sent, content_type="application/json"), 422)
    as_before = (held.book_by, held.complete_by)
    held.refresh_from_db()
    assert (held.book_by, held.complete_by) == as_before


def test_wrong_values_are_422_and_broken_json_400(api: Client) -> None:
    held = factories.LiveReferralFactory(now=NOW)
    address = f"/api/v1/referrals/{held.reference}/withdraw/"
    told = problem(api.post(address, {"reason": "BECAUSE"}, content_type="application/json"), 422)
    assert "reason" in told["errors"]
    problem(api.post(address, "{", content_type="application/json"), 400)
    problem(api.post(address, "[" * 100_000, content_type="application/json"), 400)
    problem(api.get(address), 405)
    held.refresh_from_db()
    assert held.status == ReferralStatus.LIVE


def test_outcomes_are_given_in_order_and_acknowledged(api: Client) -> None:
    for n in range(3):
        factories.outcome(factories.CompletedReferralFactory(reference=f"46OUT{n:04d}"), now=NOW)
    told = api.get("/api/v1/outcomes/?after=1").json()
    assert told["next"] is None
    assert told["results"][0] == {
        "sequence": 2,
        "force_code": "46",
        "reference": "46OUT0001",
        "outcome": "COMPLETED",
        "reason": "",
        "course_code": "NSAC",
        "attended_on": None,
        "provider_reference": "",
        "recorded_at": "2026-11-20T12:00:00Z",
    }
    for up_to in (4, 3):  # the fourth is not there, and the first has never been given out
        problem(api.post("/api/v1/outcomes/acknowledge/", {"up_to": up_to}, content_type="application/json"), 422)
        assert OutcomeSequence.objects.get(pk="46").acknowledged == 0
    assert [each["sequence"] for each in api.get("/api/v1/outcomes/").json()["results"]] == [1, 2, 3]
    done = api.post("/api/v1/outcomes/acknowledge/", {"up_to": 3}, content_type="application/json")
    assert done.json() == {"acknowledged": 3}
    problem(api.get("/api/v1/outcomes/?after=-1"), 422)


def test_s20_acknowledged_outcomes_never_come_again(api: Client) -> None:
    for n in range(4):
        factories.outcome(factories.CompletedReferralFactory(reference=f"46OUT{n:04d}"), now=NOW)
    api.get("/api/v1/outcomes/")
    api.post("/api/v1/outcomes/acknowledge/", {"up_to": 3}, content_type="application/json")
    for after in (0, 2, 3):
        told = api.get(f"/api/v1/outcomes/?after={after}").json()
        assert [each["sequence"] for each in told["results"]] == [4]
    assert api.get("/api/v1/outcomes/?after=4").json() == {"next": None, "results": []}


def test_s19_another_forces_anything_is_404_and_in_the_access_log(api: Client) -> None:
    batch = import_bytes(as_csv(many(1, force="42")), force="42")
    held = Referral.objects.get()
    asked = [
        f"/api/v1/batches/{batch.pk}/",
        f"/api/v1/batches/{batch.pk}/rows/",
        f"/api/v1/batches/{batch.pk}/rejected.csv",
        f"/api/v1/referrals/{held.reference}/",
    ]
    for address in asked:
        problem(api.get(address), 404)
    sent = {"reason": "COURT", "complete_by": "2027-03-30", "evidence": "x"}
    posted = [f"/api/v1/referrals/{held.reference}/{act}/" for act in ("withdraw", "extend")]
    for address in posted:
        problem(api.post(address, sent, content_type="application/json"), 404)
    log = AccessLog.objects.order_by("id").values_list("action", "subject", "allowed", "actor")
    assert list(log) == [("api.not_found", address, False, "api:46") for address in asked + posted]
    held.refresh_from_db()
    assert held.status == ReferralStatus.LIVE


def test_every_address_with_an_id_is_in_the_test_above() -> None:
    from referrals.api.urls import urlpatterns

    with_ids = {pattern.name for pattern in urlpatterns if "<" in str(pattern.pattern)}
    assert with_ids == {"batch", "rows", "rejected", "referral", "withdraw", "extend"}


def test_too_many_requests_are_429_with_the_time_to_wait(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from referrals.api.authentication import TokenThrottle

    monkeypatch.setattr(TokenThrottle, "THROTTLE_RATES", {"token": "2/min"})
    assert [api.get("/api/v1/outcomes/").status_code for _ in range(2)] == [200, 200]
    response = api.get("/api/v1/outcomes/")
    problem(response, 429)
    assert 0 < int(response["Retry-After"]) <= 60


def test_unknown_address_is_a_problem_too(api: Client) -> None:
    problem(api.get("/api/v1/nothing/"), 404)


def test_schema_names_every_operation(client: Client) -> None:
    schema = client.get("/api/schema/", headers={"Accept": "application/json"}).json()
    assert schema["openapi"] == "3.1.1"
    operations = {
        (path, verb) for path, verbs in schema["paths"].items() for verb in verbs if path.startswith("/api/v1/")
    }
    assert operations == {
        ("/api/v1/batches/", "post"),
        ("/api/v1/batches/{batch_id}/", "get"),
        ("/api/v1/batches/{batch_id}/rows/", "get"),
        ("/api/v1/batches/{batch_id}/rejected.csv", "get"),
        ("/api/v1/referrals/{reference}/", "get"),
        ("/api/v1/referrals/{reference}/withdraw/", "post"),
        ("/api/v1/referrals/{reference}/extend/", "post"),
        ("/api/v1/outcomes/", "get"),
        ("/api/v1/outcomes/acknowledge/", "post"),
    }
    assert schema["components"]["securitySchemes"] == {"token": {"type": "http", "scheme": "bearer"}}


def test_schema_tells_the_limits_of_what_is_sent(client: Client) -> None:
    schema = client.get("/api/schema/", headers={"Accept": "application/json"}).json()
    sent = schema["components"]["schemas"]
    assert sent["UploadRequest"]["properties"]["file"] == {"type": "string", "format": "binary"}
    evidence = sent["ExtendRequest"]["properties"]["evidence"]
    assert (evidence["minLength"], evidence["maxLength"]) == (1, 500)
    told = [text for text in ("é", " 7\n", "", " \x07\n", "7\0") if re.search(evidence["pattern"], text)]
    assert told == ["é", " 7\n"]
    (key,) = schema["paths"]["/api/v1/batches/"]["post"]["parameters"]
    assert key["schema"] == {"type": "string", "maxLength": 255}


def test_evidence_that_cannot_be_read_is_422(api: Client) -> None:
    held = factories.LiveReferralFactory(now=NOW)
    later = (held.complete_by + dt.timedelta(days=5)).isoformat()
    for evidence in ("\x07", " \n", "Letter\0"):
        sent = {"complete_by": later, "evidence": evidence}
        address = f"/api/v1/referrals/{held.reference}/extend/"
        assert "evidence" in problem(api.post(address, sent, content_type="application/json"), 422)["errors"]
    held.refresh_from_db()
    assert held.complete_by.isoformat() < later


def test_every_operation_has_examples_of_what_goes_in_and_out(client: Client) -> None:
    schema = client.get("/api/schema/", headers={"Accept": "application/json"}).json()
    without = []
    for path, verbs in schema["paths"].items():
        for verb, operation in verbs.items():
            told = [*operation.get("requestBody", {}).get("content", {}).items()]
            for status, answer in operation["responses"].items():
                told += [(f"{status} {media_type}", body) for media_type, body in answer["content"].items()]
            without += [(path, verb, of) for of, body in told if not (body.get("examples") or body.get("example"))]
            assert {"401", "403", "405", "406", "429", "500"} <= set(operation["responses"])
    assert without == []


def test_wrong_verb_is_405_and_unknown_media_type_406(api: Client) -> None:
    told = problem(api.put("/api/v1/outcomes/", {}, content_type="application/json"), 405)
    assert told["detail"] == 'Method "PUT" not allowed.'
    problem(api.get("/api/v1/outcomes/", headers={"Accept": "text/html"}), 406)


def test_errors_of_the_description_are_problems_too(client: Client) -> None:
    problem(client.put("/api/schema/", {}, content_type="application/json"), 405)
    problem(client.get("/api/schema/", headers={"Accept": "image/png"}), 406)
    problem(client.get("/api/schema/?format=xml"), 404)
    assert client.get("/api/schema/")["Content-Type"].startswith("application/vnd.oai.openapi")


def test_failure_of_ours_is_a_problem_that_tells_nothing(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: Any) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(services, "give_out", fail)
    api.raise_request_exception = False
    response = api.get("/api/v1/outcomes/")
    assert problem(response, 500) == {"type": "about:blank", "title": "Internal Server Error", "status": 500}


def test_each_token_has_a_throttle_of_its_own(api: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from referrals.api.authentication import TokenThrottle

    monkeypatch.setattr(TokenThrottle, "THROTTLE_RATES", {"token": "1/min"})
    other = {"Authorization": f"Bearer {token()}"}
    assert api.get("/api/v1/outcomes/").status_code == 200
    problem(api.get("/api/v1/outcomes/"), 429)
    assert api.get("/api/v1/outcomes/", headers=other).status_code == 200


def test_a_force_is_served_while_redis_is_away(api: Client, settings: Any) -> None:
    dead = {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"}
    settings.CACHES = {"default": dead}
    assert api.get("/api/v1/outcomes/").status_code == 200
