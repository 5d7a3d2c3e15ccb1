"""What goes back to the force: gapless sequences, returns, acknowledgement."""

import datetime as dt
import hashlib
import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from audit.context import Actor
from audit.models import AuditEvent
from referrals import selectors, services
from referrals.constants import OutcomeCode
from referrals.errors import AcknowledgementError
from referrals.models import Force, Outcome, OutcomeReturn, OutcomeSequence
from tests.factories import referrals as factories
from tests.factories.referrals import NOW

pytestmark = pytest.mark.django_db
BY = Actor("officer", "3")
LATER = NOW + dt.timedelta(hours=1)


def kent() -> Force:
    return Force.objects.get(pk="46")


def outcomes(count: int, force: str = "46") -> list[Outcome]:
    return [
        factories.outcome(factories.CompletedReferralFactory(force=force, reference=f"{force}OUT{n:04d}"))
        for n in range(count)
    ]


def test_nothing_due_writes_nothing() -> None:
    outcomes(1, force="42")
    assert services.write_outcome_return(force=kent(), by=BY, now=LATER) is None
    assert OutcomeReturn.objects.count() == 0


def test_s20_each_outcome_is_in_exactly_one_return() -> None:
    written_first = outcomes(2)
    first = services.write_outcome_return(force=kent(), by=BY, now=LATER)
    (third,) = [factories.outcome(written_first[0].referral, code=OutcomeCode.NOT_COMPLETED, reason="NO_ID")]
    second = services.write_outcome_return(force=kent(), by=BY, now=LATER)
    assert first is not None
    assert second is not None
    assert (first.record.first, first.record.last, first.record.rows) == (1, 2, 2)
    assert (second.record.first, second.record.last, second.record.rows) == (3, 3, 1)
    assert second.content.decode().splitlines()[1] == "3,46,46OUT0000,NOT_COMPLETED,NO_ID,NSAC,,,2026-11-20T10:00:00Z"
    assert first.record.sha256 == hashlib.sha256(first.content).hexdigest()
    assert services.read_again(first.record).content == first.content
    third.refresh_from_db()
    assert (third.returned_in, third.returned_at) == (second.record, LATER)
    assert services.write_outcome_return(force=kent(), by=BY, now=LATER) is None


def test_s20_acknowledged_sequences_never_come_again() -> None:
    outcomes(3)
    given = services.give_out(force=kent(), after=0, limit=2, now=LATER)
    assert [each.sequence for each in given] == [1, 2]
    assert services.acknowledge(force=kent(), up_to=2, by=BY, now=LATER) == 2
    written = services.write_outcome_return(force=kent(), by=BY, now=LATER)
    assert written is not None
    assert (written.record.first, written.record.last) == (3, 3)
    assert services.acknowledge(force=kent(), up_to=1, by=BY, now=LATER) == 2
    assert OutcomeSequence.objects.get(pk="46").acknowledged == 2


def test_outcomes_that_were_passed_over_cannot_be_acknowledged() -> None:
    outcomes(3)
    assert [each.sequence for each in services.give_out(force=kent(), after=2, limit=9, now=LATER)] == [3]
    before = list(AuditEvent.objects.order_by("pk").values_list("pk", flat=True))
    with pytest.raises(AcknowledgementError):
        services.acknowledge(force=kent(), up_to=3, by=BY, now=LATER)
    assert OutcomeSequence.objects.get(pk="46").acknowledged == 0
    assert list(AuditEvent.objects.order_by("pk").values_list("pk", flat=True)) == before
    assert selectors.outcomes_due(force=kent()) == 3
    written = services.write_outcome_return(force=kent(), by=BY, now=LATER)
    assert written is not None
    assert services.acknowledge(force=kent(), up_to=3, by=BY, now=LATER) == 3
    assert selectors.unreported(now=NOW + dt.timedelta(days=30)) == []


def test_outcomes_not_given_out_cannot_be_acknowledged() -> None:
    outcomes(1)
    for up_to in (1, 2):
        with pytest.raises(AcknowledgementError):
            services.acknowledge(force=kent(), up_to=up_to, by=BY, now=LATER)
    assert OutcomeSequence.objects.get(pk="46").acknowledged == 0


def test_force_gets_only_its_own() -> None:
    outcomes(1)
    outcomes(2, force="42")
    assert [each.force_id for each in services.give_out(force=kent(), after=0, limit=10, now=LATER)] == ["46"]


def run(*arguments: Any) -> str:
    out = StringIO()
    call_command("outcome_return", *arguments, "--now", "2026-11-20T11:00:00+00:00", stdout=out)
    return out.getvalue()


def test_command_writes_file_and_manifest(tmp_path: Path) -> None:
    outcomes(2)
    told = json.loads(run("--force", "46", "--out", str(tmp_path), "--json"))
    file = tmp_path / "outcomes-46-00000001-00000002.csv"
    assert sorted(path.name for path in tmp_path.iterdir()) == [file.name, "outcomes-46-00000001-00000002.json"]
    manifest = json.loads(file.with_suffix(".json").read_text())
    assert manifest == {
        "force_code": "46",
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "rows": 2,
        "first_sequence": 1,
        "last_sequence": 2,
        "written_at": "2026-11-20T11:00:00Z",
    }
    assert told == {"file": file.name, **manifest}
    assert run("--force", "46", "--out", str(tmp_path)) == "No outcome is due.\n"


def test_command_that_cannot_write_leaves_the_outcomes_due(tmp_path: Path) -> None:
    outcomes(1)
    (tmp_path / "outcomes-46-00000001-00000001.csv").mkdir()
    with pytest.raises(OSError, match="directory"):
        run("--force", "46", "--out", str(tmp_path))
    assert OutcomeReturn.objects.count() == 0
    assert Outcome.objects.get().returned_at is None
