"""The watched folder: real files, taken by rename, laid aside with their receipts."""

import datetime as dt
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import override_settings

from audit.context import Actor
from audit.models import AuditEvent
from common import clock
from notifications.models import Message
from referrals import jobs, selectors, services
from referrals.models import Batch, Force, Outcome, OutcomeReturn, Referral
from referrals.services import drop_folders, drops
from tests.factories import referrals as factories
from tests.referrals.files import FORECAST, GOOD, TODAY, UGLY, WITHDRAWALS, as_csv, import_bytes, many

pytestmark = pytest.mark.django_db
JOB = Actor("job", "collect_drops")
NOTHING = {"received": 0, "finished": 0, "refused": 0, "growing": 0, "returns": 0}


class KilledError(BaseException):
    """What no code catches, as a killed process catches nothing."""


def killed(*_: Any, **__: Any) -> None:
    raise KilledError


@pytest.fixture
def kent(tmp_path: Path, settings: Any) -> Path:
    """The folder of Kent in a watched folder."""
    settings.BATCH_DROP_DIR = str(tmp_path)
    home = tmp_path / "46"
    home.mkdir()
    return home


def look(minutes: float = 2) -> dict[str, int]:
    """Look as if so many minutes had passed; what was done of it, nothing left out that was not nothing."""
    told = services.collect_drops(by=JOB, now=clock.now() + dt.timedelta(minutes=minutes))
    assert set(told) == set(NOTHING)
    return {name: count for name, count in told.items() if count}


def settle() -> None:
    """Import what waits, on the day the files are of."""
    for batch in Batch.objects.filter(status="RECEIVED"):
        services.import_batch(batch_id=batch.pk, by=JOB, now=TODAY)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def lies(home: Path) -> list[str]:
    """Every file below a folder, by its place."""
    return sorted(str(path.relative_to(home)) for path in home.rglob("*") if not path.is_dir())


def receipt_in(folder: Path) -> dict[str, Any]:
    (path,) = folder.glob("*.receipt.json")
    told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return told


def test_no_folder_set_does_nothing(settings: Any) -> None:
    settings.BATCH_DROP_DIR = ""
    assert look() == {}


def test_dropped_file_is_imported_and_laid_aside_with_its_receipt(kent: Path) -> None:
    Force.objects.filter(pk="46").update(contact_email="batches@kent.example.org")
    (kent / "referrals-20.csv").write_bytes(UGLY.read_bytes())
    assert look() == {"received": 1}
    batch = Batch.objects.get()
    assert (batch.force_id, batch.kind, batch.file_name) == ("46", "referrals", "referrals-20.csv")
    assert (batch.received_by, batch.receipt_email) == ("job:collect_drops", "batches@kent.example.org")
    assert names(kent / ".waiting") == [f"{batch.pk}--referrals-20.csv"]
    assert look() == {}

    settle()
    assert look() == {"finished": 1}
    batch.refresh_from_db()
    name = f"{batch.received_at:%Y%m%dT%H%M%SZ}-{batch.sha256[:8]}-referrals-20.csv"
    assert lies(kent) == [f"done/{name}", f"done/{name}.receipt.json", f"done/{name}.rejected.csv"]
    assert (kent / "done" / name).read_bytes() == UGLY.read_bytes()
    assert receipt_in(kent / "done") == selectors.receipt(batch)
    assert (kent / "done" / f"{name}.rejected.csv").read_bytes() == b"".join(selectors.rejected_file(batch))
    assert look() == {}


@pytest.mark.parametrize(
    ("place", "source", "kind"),
    [
        ("referrals-1.csv", GOOD, "referrals"),
        ("Withdrawals-1.csv", WITHDRAWALS, "withdrawals"),
        ("forecast-1.csv", FORECAST, "forecast"),
        ("forecast/november.csv", FORECAST, "forecast"),
        ("november.csv", GOOD, "referrals"),
        ("withdrawn.csv", WITHDRAWALS, "withdrawals"),
        ("plan.csv", FORECAST, "forecast"),
    ],
)
def test_kind_is_told_by_folder_name_or_first_row(kent: Path, place: str, source: Path, kind: str) -> None:
    path = kent / place
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(source.read_bytes())
    assert look() == {"received": 1}
    assert Batch.objects.get().kind == kind


def test_file_whose_kind_nobody_can_tell_is_refused(kent: Path) -> None:
    (kent / "list.csv").write_text("name,town\nA,B\n", encoding="utf-8")
    assert look() == {"refused": 1}
    assert not Batch.objects.exists()
    told = receipt_in(kent / "refused")
    assert (told["batch"], told["force"], told["file_name"]) == (None, "46", "list.csv")
    assert told["refused"].startswith("What the file holds could not be told.")
    assert told["sha256"] == hashlib.sha256(b"name,town\nA,B\n").hexdigest()
    assert names(kent / "refused")[0].endswith("Z-list.csv")
    assert AuditEvent.objects.get(action="drop.refused").actor == "job:collect_drops"


def test_force_is_told_of_a_file_that_was_refused_before_it_was_a_batch(kent: Path) -> None:
    Force.objects.filter(pk="46").update(contact_email="batches@kent.example.org")
    for name in ("list.csv", "other.csv"):
        (kent / name).write_text("name,town\nA,B\n", encoding="utf-8")
    (kent / "of-nobody.csv").write_text("<html></html>", encoding="utf-8")
    assert look() == {"refused": 3}
    told = Message.objects.order_by("pk")
    assert [(each.kind, each.to, each.context["file_name"]) for each in told] == [
        ("batch_receipt", "batches@kent.example.org", name) for name in ("list.csv", "of-nobody.csv", "other.csv")
    ]
    assert told[0].context["refusal"].startswith("What the file holds could not be told.")
    assert told[1].context["refusal"].startswith("The file is a web page")


def test_nobody_is_told_where_a_force_left_no_address(kent: Path) -> None:
    Force.objects.filter(pk="46").update(contact_email="")
    (kent / "list.csv").write_text("name,town\nA,B\n", encoding="utf-8")
    assert look() == {"refused": 1}
    assert not Message.objects.exists()


def test_file_that_cannot_be_imported_is_refused_with_the_batchs_reason(kent: Path) -> None:
    (kent / "referrals-x.csv").write_text("<html></html>", encoding="utf-8")
    assert look() == {"received": 1}
    settle()
    assert look() == {"finished": 1}
    batch = Batch.objects.get()
    assert receipt_in(kent / "refused") == selectors.receipt(batch) | {"refused": batch.refusal}
    assert names(kent / "done") == []


def test_too_large_a_file_is_refused(kent: Path, settings: Any) -> None:
    settings.BATCH_MAX_BYTES = 1000
    (kent / "referrals-x.csv").write_bytes(GOOD.read_bytes())
    assert look() == {"refused": 1}
    assert not Batch.objects.exists()
    assert "larger than" in receipt_in(kent / "refused")["refused"]
    assert receipt_in(kent / "refused")["sha256"] is None


def test_same_bytes_again_get_the_first_receipt(kent: Path) -> None:
    for name in ("referrals-1.csv", "referrals-2.csv"):
        (kent / name).write_bytes(GOOD.read_bytes())
    assert look() == {"received": 2}
    settle()
    assert look() == {"finished": 2}
    assert Batch.objects.count() == 1
    receipts = [path.read_bytes() for path in (kent / "done").glob("*.receipt.json")]
    assert len(receipts) == 2
    assert receipts[0] == receipts[1]


def test_half_written_files_are_left(kent: Path) -> None:
    (kent / "referrals-1.csv").write_bytes(GOOD.read_bytes())
    os.utime(kent / "referrals-1.csv", (0, 0))  # an upload that keeps the original's time
    assert look(minutes=0.5) == {}
    for name in ("referrals-2.csv.part", "referrals-3.csv.filepart", ".referrals-4.csv", "referrals-5.csv~"):
        (kent / name).write_bytes(GOOD.read_bytes())
    before = lies(kent)
    assert look(minutes=0.5) == {}
    assert lies(kent) == before
    assert look() == {"received": 1}
    assert Batch.objects.get().file_name == "referrals-1.csv"


def test_file_that_grows_while_it_is_copied_is_put_back(kent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = kent / "referrals-1.csv"
    path.write_bytes(GOOD.read_bytes())
    grown: list[Path] = []

    def grow(*given: int) -> int:
        """The sender writes on when the first part is read."""
        if not grown:
            grown.extend((kent / ".taken").iterdir())
            with grown[0].open("ab") as file:
                file.write(b"more")
        return min(*given)

    monkeypatch.setattr(drop_folders, "min", grow, raising=False)
    assert look() == {"growing": 1}
    assert lies(kent) == ["referrals/referrals-1.csv"]
    assert (kent / "referrals" / "referrals-1.csv").read_bytes() == GOOD.read_bytes() + b"more"
    assert not Batch.objects.exists()
    assert look() == {"received": 1}


def test_file_that_grew_after_it_was_taken_is_taken_again(kent: Path) -> None:
    rows = as_csv(many(4)).splitlines(keepends=True)
    (kent / "referrals-1.csv").write_bytes(b"".join(rows[:3]))
    assert look() == {"received": 1}
    (waits,) = (kent / ".waiting").iterdir()
    waits.write_bytes(b"".join(rows))
    settle()
    assert look() == {}
    assert lies(kent) == ["referrals/referrals-1.csv"]
    assert look() == {"received": 1}
    settle()
    assert look() == {"finished": 1}
    assert Referral.objects.count() == 4
    assert receipt_in(kent / "done")["unchanged"] == 2


def test_links_are_refused_and_never_followed(kent: Path, tmp_path: Path) -> None:
    secret = tmp_path.parent / f"{tmp_path.name}-secret.csv"
    secret.write_bytes(GOOD.read_bytes())
    (kent / "referrals-1.csv").symlink_to(secret)
    (kent / "forecast").symlink_to(tmp_path.parent, target_is_directory=True)
    (tmp_path / "47").symlink_to(kent, target_is_directory=True)
    os.mkfifo(kent / "referrals-2.csv")
    before = secret.read_bytes()
    # The link to a folder is a file like any other to us, and refused.
    assert look() == {"refused": 4}
    assert not Batch.objects.exists()
    assert secret.read_bytes() == before
    told = {path.name[17:]: json.loads(path.read_text())["refused"] for path in kent.glob("refused/*.json")}
    assert told == {
        "forecast.receipt.json": "It is a link. Send the file itself.",
        "referrals-1.csv.receipt.json": "It is a link. Send the file itself.",
        "referrals-2.csv.receipt.json": "It is not a file. Send a CSV file or an Excel workbook (.xlsx).",
    }
    assert not any(path.is_symlink() for path in tmp_path.rglob("*"))


def test_folder_of_ours_that_is_a_link_is_not_written_to(kent: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path.parent / f"{tmp_path.name}-elsewhere"
    elsewhere.mkdir()
    (kent / "refused").symlink_to(elsewhere, target_is_directory=True)
    (kent / "list.csv").write_text("x\n", encoding="utf-8")
    look()
    assert names(elsewhere) == []


def test_unknown_force_and_files_of_no_force_are_refused(kent: Path, tmp_path: Path) -> None:
    for folder in ("99", "kent"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "referrals-1.csv").write_bytes(GOOD.read_bytes())
    (tmp_path / "referrals-1.csv").write_bytes(GOOD.read_bytes())
    assert look() == {"refused": 3}
    assert not Batch.objects.exists()
    assert receipt_in(tmp_path / "99" / "refused")["refused"] == "There is no force “99”."
    assert receipt_in(tmp_path / "kent" / "refused")["refused"] == "There is no force “kent”."
    assert receipt_in(tmp_path / "refused")["refused"] == "It lies in no force's folder."
    assert look() == {}


def test_file_that_may_not_be_read_is_refused(kent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = os.open

    def closed(path: Any, *given: Any) -> int:
        if str(path).endswith("referrals-1.csv"):
            raise PermissionError
        return opened(path, *given)

    (kent / "referrals-1.csv").write_bytes(GOOD.read_bytes())
    monkeypatch.setattr(os, "open", closed)
    assert look() == {"refused": 1}
    assert receipt_in(kent / "refused")["refused"].startswith("The file cannot be read.")


def test_names_that_are_no_text_are_taken_and_told_with_question_marks(kent: Path) -> None:
    """What a program sends by SFTP may be named in any encoding, and names are bytes to a file system."""
    names_sent = {b"referrals-caf\xe9.csv": GOOD.read_bytes(), b"caf\xe9\n.csv": b"x"}
    for name, content in names_sent.items():
        (kent / os.fsdecode(name)).write_bytes(content)
    assert look() == {"received": 1, "refused": 1}
    assert Batch.objects.get().file_name == "referrals-caf?.csv"
    told = AuditEvent.objects.get(action="drop.refused").words
    assert told.startswith("The dropped file caf??.csv was refused: What the file holds could not be told.")
    assert receipt_in(kent / "refused")["file_name"] == "caf??.csv"
    settle()
    assert look() == {"finished": 1}
    laid = [os.fsencode(name) for name in lies(kent)]
    for name in names_sent:
        assert sum(each.endswith(b"-" + name) for each in laid) == 1
    assert len(laid) == 4


@pytest.mark.parametrize("name", ["referrals-" + "x" * 241 + ".csv", "x" * 250 + ".csv", "é" * 127])
def test_names_as_long_as_can_be_are_shortened(kent: Path, tmp_path: Path, name: str) -> None:
    (kent / name).write_bytes(GOOD.read_bytes())
    (tmp_path / name).write_bytes(b"x")
    assert look() == {"received": 1, "refused": 1}
    settle()
    assert look() == {"finished": 1}
    taken, receipt = lies(kent)
    assert receipt == f"{taken}.receipt.json"
    assert taken.endswith(name[-4:] if name.endswith(".csv") else "é")
    assert len(lies(tmp_path / "refused")) == 2


def test_force_that_is_in_trouble_keeps_no_other_waiting(kent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    essex = kent.parent / "42"
    essex.mkdir()
    (essex / "referrals-1.csv").write_bytes(as_csv(many(1, force="42")))
    (kent / "referrals-1.csv").write_bytes(GOOD.read_bytes())
    (essex / ".taken").write_text("in the way", encoding="utf-8")
    assert look() == {"received": 1}
    assert Batch.objects.get().force_id == "46"


def test_file_that_brings_about_what_nobody_foresaw_keeps_no_other_force_waiting(
    kent: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    essex = kent.parent / "42"
    essex.mkdir()
    for home in (essex, kent):
        (home / "referrals-1.csv").write_bytes(GOOD.read_bytes())
    receive = drops.receive_batch

    def stumble(*, force: Force, **given: Any) -> Any:
        if force.pk == "42":
            raise RuntimeError
        return receive(force=force, **given)

    monkeypatch.setattr(drops, "receive_batch", stumble)
    assert look() == {"received": 1}
    assert Batch.objects.get().force_id == "46"
    assert "a drop folder could not be worked on" in caplog.text
    monkeypatch.undo()
    # Where it was taken to it is found again.
    assert look(minutes=20) == {"received": 1}


def test_worker_killed_between_taking_and_receiving_loses_nothing(kent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (kent / "referrals-1.csv").write_bytes(GOOD.read_bytes())

    with monkeypatch.context() as patch:
        patch.setattr(drops, "receive_batch", killed)
        with pytest.raises(KilledError):
            look()
    assert len(names(kent / ".taken")) == 1
    assert look() == {}
    assert look(minutes=15) == {"received": 1}
    batch = Batch.objects.get()
    assert (batch.file_name, batch.kind) == ("referrals-1.csv", "referrals")
    assert names(kent / ".taken") == []


def test_worker_killed_while_laying_aside_finishes_later(kent: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (kent / "referrals-1.csv").write_bytes(GOOD.read_bytes())
    look()
    settle()

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", killed)
        with pytest.raises(KilledError):
            look()
    assert look() == {"finished": 1}
    shown = [name for name in names(kent / "done") if not name.startswith(".")]
    assert len(shown) == 2


# --- Returns ---------------------------------------------------------------------------------------------------
def ended(count: int = 2, *, minutes_ago: float = 61) -> None:
    at = clock.now() - dt.timedelta(minutes=minutes_ago)
    for _ in range(count):
        factories.outcome(factories.CompletedReferralFactory.create(now=at), now=at)


def test_outcomes_are_gathered_and_laid_out_once(kent: Path) -> None:
    ended(minutes_ago=10)
    assert look() == {}
    ended(1)
    assert look() == {"returns": 1}
    record = OutcomeReturn.objects.get()
    assert names(kent / "returns") == ["outcomes-46-00000001-00000003.csv", "outcomes-46-00000001-00000003.json"]
    written = services.read_again(record)
    assert (kent / "returns" / f"{written.name}.csv").read_bytes() == written.content
    assert json.loads((kent / "returns" / f"{written.name}.json").read_text()) == written.manifest
    assert not Outcome.objects.filter(returned_at__isnull=True).exists()
    assert look() == {}


def test_job_lays_the_return_out_at_once_where_the_force_has_a_folder(kent: Path) -> None:
    ended(minutes_ago=10)
    jobs.outcome_return("46")
    jobs.outcome_return("46")
    record = OutcomeReturn.objects.get()
    assert (record.rows, record.written_by) == (2, "job:outcome_return")
    assert names(kent / "returns") == ["outcomes-46-00000001-00000002.csv", "outcomes-46-00000001-00000002.json"]


def test_job_leaves_the_outcomes_of_a_force_without_a_folder_due(kent: Path, settings: Any) -> None:
    at = clock.now()
    factories.outcome(factories.CompletedReferralFactory.create(force="42", now=at), now=at)
    for code, root in (("42", settings.BATCH_DROP_DIR), ("42", ""), ("99", settings.BATCH_DROP_DIR)):
        settings.BATCH_DROP_DIR = root
        jobs.outcome_return(code)
    assert OutcomeReturn.objects.count() == 0
    assert Outcome.objects.get().returned_at is None


def test_outcomes_acknowledged_by_api_come_in_no_file(kent: Path) -> None:
    ended()
    force = Force.objects.get(pk="46")
    services.give_out(force=force, after=0, limit=10, now=TODAY)
    services.acknowledge(force=force, up_to=2, by=JOB, now=TODAY)
    assert look() == {}
    assert names(kent / "returns") == []


@pytest.mark.parametrize("is_committed", [True, False])
def test_return_killed_around_its_commit_is_shown_or_written_anew(
    kent: Path, monkeypatch: pytest.MonkeyPatch, is_committed: bool
) -> None:
    ended()

    with monkeypatch.context() as patch:
        # Shown is what was committed; hidden, before that.
        patch.setattr(drop_folders, "show", killed)
        if not is_committed:
            patch.setattr(transaction.Atomic, "__exit__", _roll_back(transaction.Atomic.__exit__))
        with pytest.raises(KilledError):
            look()
    assert all(name.startswith(".") for name in names(kent / "returns"))
    assert OutcomeReturn.objects.exists() is is_committed
    look()
    assert names(kent / "returns") == ["outcomes-46-00000001-00000002.csv", "outcomes-46-00000001-00000002.json"]
    written = services.read_again(OutcomeReturn.objects.get())
    assert (kent / "returns" / f"{written.name}.csv").read_bytes() == written.content


def _roll_back(leave: Any) -> Any:
    """Ends the outermost block as a crash before its commit would."""

    def end(block: Any, *given: Any) -> None:
        if block.durable and OutcomeReturn.objects.exists():
            transaction.set_rollback(True)
            leave(block, *given)
            killed()
        leave(block, *given)

    return end


def test_force_without_a_folder_gets_no_file(kent: Path) -> None:
    at = clock.now() - dt.timedelta(hours=2)
    factories.outcome(factories.CompletedReferralFactory.create(now=at, force="42"), now=at)
    assert look() == {}
    assert not OutcomeReturn.objects.exists()


def test_rows_of_another_force_wait_for_a_decision_as_in_any_upload(kent: Path) -> None:
    (kent / "referrals-1.csv").write_bytes(as_csv(many(2, force="42")))
    look()
    settle()
    look()
    assert receipt_in(kent / "done")["quarantined"] == 2
    assert not Referral.objects.exists()


def test_beat_looks_each_minute_on_the_imports_queue() -> None:
    from ndors_portal.celery import app

    entry = app.conf.beat_schedule["collect-drops"]
    assert (entry["task"], entry["schedule"], entry["options"]["queue"]) == (
        "referrals.jobs.collect_drops",
        60.0,
        "imports",
    )


def test_task_is_the_service(kent: Path) -> None:
    from referrals import jobs

    (kent / "referrals-1.csv").write_bytes(GOOD.read_bytes())
    with override_settings(BATCH_DROP_QUIET_SECONDS=-1):
        jobs.collect_drops.run()
    assert Batch.objects.get().received_by == "job:collect_drops"
    assert import_bytes(GOOD.read_bytes()).pk == Batch.objects.get().pk
