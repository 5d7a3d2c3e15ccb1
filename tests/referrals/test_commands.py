"""Commands, as somebody types them."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from devtools import processes
from referrals import selectors
from referrals.constants import BatchStatus, ReferralStatus
from referrals.management.commands import import_batch
from referrals.models import Batch, Referral
from tests.factories import referrals as factories
from tests.referrals.files import GOOD, UGLY, WITHDRAWALS
from tests.support.people import offer_row, offers_csv
from tests.support.programs import Program

NOON = "2026-11-20T12:00:00+00:00"


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """No worker runs in most tests: nothing to wait for."""
    monkeypatch.setattr(import_batch, "_FOR_A_WORKER", 0.0)


def run(*arguments: Any, name: str = "import_batch", now: str = NOON) -> tuple[str, int]:
    out = StringIO()
    try:
        call_command(name, *map(str, arguments), "--now", now, stdout=out, stderr=out)
    except SystemExit as end:
        return out.getvalue(), int(end.code or 0)
    return out.getvalue(), 0


@pytest.mark.django_db
def test_good_file_prints_its_receipt_and_exits_with_0() -> None:
    told, code = run(GOOD, "--force", 46, "--kind", "referrals", "--json")
    assert code == 0
    assert json.loads(told) == selectors.receipt(Batch.objects.get())
    assert json.loads(told)["new"] == 300
    assert Batch.objects.get().received_by == "command:import_batch"
    again, code = run(GOOD, "--force", 46, "--kind", "referrals")
    assert code == 0
    assert "The same bytes came before." in again
    assert Batch.objects.count() == 1


@pytest.mark.django_db
def test_file_with_rejected_rows_exits_with_3_and_lists_them() -> None:
    told, code = run(UGLY, "--force", 46, "--kind", "referrals")
    assert code == 3
    lines = told.splitlines()
    assert "rejected     12" in lines
    assert "rejected: invalid_date in date_of_birth, 2 row(s): 6, 21" in lines
    assert "quarantined: other_force, 1 row(s): 7" in lines


@pytest.mark.django_db
def test_refused_file_exits_with_1(tmp_path: Path, settings: Any) -> None:
    file = tmp_path / "letter.csv"
    file.write_text("Dear Sir\n")
    told, code = run(file, "--force", 46, "--kind", "referrals", "--json")
    assert code == 1
    assert json.loads(told)["refused"].startswith("The first row must hold the column names")
    settings.BATCH_MAX_BYTES = 3
    told, code = run(WITHDRAWALS, "--force", 46, "--kind", "withdrawals")
    assert (told, code) == ("The file was refused: The file is larger than 0 MB. Send it in parts.\n", 1)
    told, code = run(WITHDRAWALS, "--force", 46, "--kind", "withdrawals", "--json")
    assert (json.loads(told), code) == ({"refused": "The file is larger than 0 MB. Send it in parts."}, 1)
    assert Batch.objects.count() == 1


@pytest.mark.django_db
def test_unknown_force_or_file_is_an_error(tmp_path: Path) -> None:
    given = ("--kind", "referrals", "--json")
    told, code = run(GOOD, "--force", 99, *given)
    assert (json.loads(told), code) == ({"error": "there is no force 99"}, 1)
    for unreadable, why in ((tmp_path / "none.csv", "No such file or directory"), (tmp_path, "Is a directory")):
        told, code = run(unreadable, "--force", 46, *given)
        assert (json.loads(told), code) == ({"error": f"{unreadable}: {why}"}, 1)
    assert Batch.objects.count() == 0
    with pytest.raises(CommandError, match="there is no force 99"):
        run(GOOD, "--force", 99, "--kind", "referrals")
    with pytest.raises(CommandError, match="No such file"):
        run(tmp_path / "none.csv", "--force", 46, "--kind", "referrals")


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_runs_does_it(
    celery_worker_process: Program, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The file is of today: a worker reads the clock itself."""
    monkeypatch.setattr(import_batch, "_FOR_A_WORKER", 30.0)
    file = tmp_path / "offers.csv"
    file.write_bytes(offers_csv([offer_row(f"46KD{number:08d}") for number in range(300)]))
    told, code = run(file, "--force", 46, "--kind", "referrals", "--json")
    assert code == 0
    assert json.loads(told)["new"] == 300
    held = Referral.objects.get(reference="46KD00000126")
    assert held.history.get().history_actor == "job:import_batches"
    assert processes.wait_until(lambda: Batch.objects.get().status == BatchStatus.SETTLED, seconds=5)


@pytest.mark.django_db
def test_expire_referrals() -> None:
    held = factories.ExpiredReferralFactory(status=ReferralStatus.LIVE)
    assert run(name="expire_referrals") == ("1 expired\n", 0)
    told, _ = run("--json", name="expire_referrals")
    assert json.loads(told) == {"expired": 0}
    held.refresh_from_db()
    assert held.status == ReferralStatus.EXPIRED
