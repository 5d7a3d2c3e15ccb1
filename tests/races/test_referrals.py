"""Real threads on real rows: outcome sequences, uploads and imports at once. Each race has its control."""

import datetime as dt
import hashlib
import io
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, connections, transaction
from django.test import Client

from audit.context import Actor
from audit.models import AuditEvent
from bookings import services as bookings
from common import clock
from courses.errors import SessionNotFoundError
from courses.models import Place
from referrals import lookups, services
from referrals.constants import BatchStatus, OutcomeCode
from referrals.errors import KeyReusedError
from referrals.models import Batch, BatchRow, Force, IdempotentUpload, Outcome, OutcomeSequence, Referral
from referrals.services import batches, idempotency, outcomes, settling
from tests.factories import courses as c
from tests.factories import referrals as factories
from tests.factories.referrals import NOW
from tests.referrals.files import JOB, TODAY, as_csv, many, receive

pytestmark = pytest.mark.django_db(transaction=True)
BY = Actor("trainer", "5")


def at_once(work: Callable[[Any], Any], given: list[Any], *, threads: int = 8) -> list[Any]:
    """What each call gave or raised, all made in threads with connections of their own."""

    def one(value: Any) -> Any:
        try:
            return work(value)
        except Exception as error:  # noqa: BLE001 - handed to the test
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(one, given))


def close_course(referral_id: int) -> int:
    """Every third one is rolled back after its number was given out."""
    with transaction.atomic():
        written = services.record_outcome(
            referral_id=referral_id,
            outcome=OutcomeCode.COMPLETED,
            reason="",
            attended_on=NOW.date(),
            provider_reference="",
            by=BY,
            now=NOW,
        )
        if referral_id % 3 == 0:
            transaction.set_rollback(True)
    return written.sequence


def test_outcome_sequences_have_no_gap_and_no_double() -> None:
    held = [factories.BookedReferralFactory().pk for _ in range(40)]
    at_once(close_course, held)
    kept = sorted(Outcome.objects.values_list("sequence", flat=True))
    assert len(kept) == sum(pk % 3 != 0 for pk in held)
    assert kept == list(range(1, len(kept) + 1))
    assert OutcomeSequence.objects.get(pk="46").last == len(kept)


def test_control_without_the_lock_sequences_collide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outcomes, "_lock_sequence", lambda code: OutcomeSequence.objects.get(pk=code))
    held = [factories.BookedReferralFactory().pk for _ in range(40)]
    at_once(close_course, held)
    kept = sorted(Outcome.objects.values_list("sequence", flat=True))
    assert len(kept) < sum(pk % 3 != 0 for pk in held)


def test_same_bytes_uploaded_at_once_are_one_batch() -> None:
    content = as_csv(many(20))
    kent = Force.objects.get(pk="46")

    def upload(_: int) -> tuple[Batch, bool]:
        return services.receive_batch(
            file=io.BytesIO(content), file_name="x.csv", kind="referrals", force=kent, by=BY, now=TODAY
        )

    told = at_once(upload, list(range(16)))
    assert len({batch.pk for batch, _ in told}) == Batch.objects.count() == 1
    assert sum(is_new for _, is_new in told) == 1
    assert AuditEvent.objects.filter(action="batch.received").count() == 1
    with Batch.objects.get().file.open("rb") as stored:
        assert stored.read() == content


def upload_all_under_one_key(monkeypatch: pytest.MonkeyPatch, claim: Callable[..., None]) -> list[Any]:
    """What eight uploads of eight files under one key get."""
    monkeypatch.setattr(batches, "claim_key", claim)
    kent = Force.objects.get(pk="46")

    def upload(n: int) -> tuple[Batch, bool]:
        content = as_csv(many(2, start=1 + 2 * n))
        return services.receive_batch(
            file=io.BytesIO(content), file_name="x.csv", kind="referrals", force=kent, by=BY, now=TODAY, key="day-20"
        )

    return at_once(upload, list(range(8)))


def test_one_key_with_many_files_at_once_takes_in_one_of_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, settings: Any
) -> None:
    settings.MEDIA_ROOT = tmp_path
    together = threading.Barrier(8)

    def claim(key: str, **options: Any) -> None:
        together.wait(timeout=30)
        idempotency.claim_key(key, **options)

    told = upload_all_under_one_key(monkeypatch, claim)
    refused = [each for each in told if isinstance(each, KeyReusedError)]
    (taken,) = [each for each in told if isinstance(each, tuple)]
    assert len(refused) == 7
    batch = Batch.objects.get()
    assert taken == (batch, True)
    assert IdempotentUpload.objects.get().batch == batch
    assert AuditEvent.objects.filter(action="batch.received").count() == 1
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [str(batch.pk)]


def test_control_a_key_that_is_looked_up_before_it_is_claimed_lets_all_files_in(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    together = threading.Barrier(8)

    def claim(key: str, *, batch: Batch, now: dt.datetime) -> None:
        known = IdempotentUpload.objects.filter(force=batch.force, key=key).exclude(sha256=batch.sha256).exists()
        together.wait(timeout=30)
        if known:
            raise KeyReusedError
        upload = IdempotentUpload(
            force=batch.force, key=key, kind=batch.kind, sha256=batch.sha256, batch=batch, created_at=now
        )
        IdempotentUpload.objects.bulk_create([upload], ignore_conflicts=True)

    told = upload_all_under_one_key(monkeypatch, claim)
    assert IdempotentUpload.objects.count() == 1
    assert len([each for each in told if isinstance(each, tuple)]) == Batch.objects.count() == 8


def work_until_done(_: int) -> int:
    """As a worker does: import what waits until nothing does."""
    done = 0
    while services.import_next_batch(by=JOB, now=TODAY):
        done += 1
    return done


CODES = {"42": "Essex", "45": "Sussex", "46": "Kent", "47": "Surrey", "01": "Met"}


def of_everybody(start: int, *, force: str) -> list[dict[str, str]]:
    """Thirty good rows whose references every force uses: only PIN and surname say whose they are."""
    # The driver number knows five letters of a surname, so what is added to a long one does not belie it.
    rows = [row for row in many(300) if len(row["surname"].replace("'", "")) > 4]
    return [
        row
        | {
            "force_code": force,
            "reference": f"SHARED{n:05d}",
            "pin": f"{force}{n:04d}",
            "surname": f"{row['surname']}-{CODES[force]}",
        }
        for n, row in enumerate(rows[start : start + 30], start)
    ]


def test_fifty_uploads_of_five_forces_at_once_all_settle_and_none_mix(time_machine: Any) -> None:
    time_machine.move_to(TODAY, tick=False)
    tokens = {
        code: services.issue_token(
            force=Force.objects.get(pk=code),
            name="crime system",
            scopes=["batches"],
            expires_at=TODAY + dt.timedelta(days=1),
            by=BY,
            now=TODAY,
        )[1]
        for code in CODES
    }
    files = {}
    for n in range(10):
        for code, other in zip(CODES, [*CODES][1:] + [*CODES][:1], strict=True):
            # Each force's files overlap: the second half of one is the first half of the next. Two rows are bad.
            rows = of_everybody(15 * n, force=code)
            wrong = rows[0] | {"reference": f"WRONG{n:05d}", "pin": "12"}
            astray = rows[1] | {"reference": f"ASTRAY{n:05d}", "force_code": other}
            files[code, n] = as_csv([*rows, wrong, astray])

    def upload(key: tuple[str, int]) -> Any:
        code, n = key
        return Client().post(
            "/api/v1/batches/",
            {"file": SimpleUploadedFile(f"{n}.csv", files[key]), "kind": "referrals"},
            headers={"Authorization": f"Bearer {tokens[code]}"},
        )

    answers = at_once(upload, list(files), threads=50)
    assert [answer.status_code for answer in answers] == [202] * 50
    taken = dict(zip(files, [answer.json()["id"] for answer in answers], strict=True))
    assert sum(at_once(work_until_done, list(range(5)), threads=5)) == len(set(taken.values())) == 50

    for (code, n), pk in taken.items():
        batch = Batch.objects.get(pk=pk)
        assert (batch.force_id, batch.file_name, batch.status) == (code, f"{n}.csv", BatchStatus.SETTLED)
        assert batch.sha256 == hashlib.sha256(files[code, n]).hexdigest()
        with batch.file.open("rb") as stored:
            assert stored.read() == files[code, n]
        assert (batch.rows, batch.new + batch.unchanged, batch.rejected, batch.quarantined) == (32, 30, 1, 1)
    for code in CODES:
        told = {row["reference"]: row for n in range(10) for row in of_everybody(15 * n, force=code)}
        own = {each.reference: each for each in Referral.objects.of_force(code)}
        assert own.keys() == told.keys()
        assert len(own) == 165
        for reference, held in own.items():
            assert held.surname == told[reference]["surname"]
            assert bytes(held.pin_hash) == lookups.pin_hash(code, reference, told[reference]["pin"])
        assert {batch.force_id for batch in Batch.objects.filter(referrals__in=own.values())} == {code}
    assert Referral.history.count() == AuditEvent.objects.filter(action="referral.received").count() == 5 * 165
    assert BatchRow.objects.count() == 50 * 32


def test_dropped_files_are_taken_once_however_many_look(tmp_path: Path, settings: Any) -> None:
    settings.BATCH_DROP_DIR = str(tmp_path)
    for code in ("42", "46"):
        (tmp_path / code).mkdir()
        for n in range(12):
            (tmp_path / code / f"referrals-{n}.csv").write_bytes(as_csv(many(2, start=1 + 2 * n, force=code)))
    later = clock.now() + dt.timedelta(minutes=2)

    def look(_: int) -> dict[str, int]:
        return services.collect_drops(by=JOB, now=later)

    told = at_once(look, list(range(6)), threads=6)
    assert sum(each["received"] for each in told) == Batch.objects.count() == 24
    assert AuditEvent.objects.filter(action="batch.received").count() == 24
    at_once(work_until_done, list(range(4)))
    at_once(look, list(range(6)), threads=6)
    for code in ("42", "46"):
        assert Referral.objects.of_force(code).count() == 24
        done = sorted(path.name.split("-", 2)[2] for path in (tmp_path / code / "done").iterdir())
        assert done == sorted([f"referrals-{n}.csv{end}" for n in range(12) for end in ("", ".receipt.json")])
        assert [path for path in (tmp_path / code).rglob("*") if path.is_file() and path.parent.name != "done"] == []


def test_one_batch_is_imported_by_one_of_many_workers() -> None:
    receive(as_csv(many(500)))
    assert sorted(at_once(work_until_done, list(range(6)), threads=6)) == [0, 0, 0, 0, 0, 1]
    assert Referral.objects.count() == 500


def test_worker_whose_claim_ran_out_stops_and_repeats_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    from referrals.errors import ClaimLostError
    from referrals.services import importing

    monkeypatch.setitem(importing._SLICE_ROWS, "referrals", 10)
    batch = receive(as_csv(many(40)))
    taken_over: list[Any] = []
    before = importing._settle_slice

    def held_up(batch: Batch, part: Any, *arguments: Any, **options: Any) -> None:
        """Another worker comes along while this one is held up for longer than its claim."""
        if part.last == 31 and not taken_over:
            taken_over.append(True)
            later = TODAY + dt.timedelta(hours=1)
            (told,) = at_once(lambda _: services.import_batch(batch_id=batch.pk, by=JOB, now=later), [0])
            taken_over.append(told)
        before(batch, part, *arguments, **options)

    monkeypatch.setattr(importing, "_settle_slice", held_up)
    with pytest.raises(ClaimLostError):
        services.import_batch(batch_id=batch.pk, by=JOB, now=TODAY)
    assert taken_over[1].status == BatchStatus.SETTLED
    assert Referral.objects.count() == BatchRow.objects.count() == Referral.history.count() == 40


def change_course_while_a_place_is_taken(monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Referral]:
    """A file changes an offer's course; its candidate takes a place after the look, before the change is written."""
    import_now(as_csv(many(1)))
    referral = Referral.objects.select_related("course_type").get()
    session = c.OpenSessionFactory.create(course_type=referral.course_type)
    other = "WDU" if referral.course_type.code != "WDU" else "NMAC"
    write = settling.update
    told: list[Any] = []

    def take_place(_: int) -> Any:
        return bookings.hold(referral_id=referral.pk, session_id=session.pk, by=BY, now=TODAY)

    def held_up(rows: Any) -> None:
        candidate = threading.Thread(target=lambda: told.extend(at_once(take_place, [0])))
        candidate.start()
        waiting = "SELECT 1 FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
        with connection.cursor() as cursor:
            while candidate.is_alive() and not cursor.execute(waiting) and not cursor.rowcount:
                candidate.join(timeout=0.02)
        write(rows)
        threads.append(candidate)

    threads: list[threading.Thread] = []
    monkeypatch.setattr(settling, "update", held_up)
    import_now(as_csv([many(1)[0] | {"course_code": other}]))
    for each in threads:
        each.join(timeout=20)
    referral.refresh_from_db()
    assert referral.course_type.code == other
    return told[0], referral


def import_now(content: bytes) -> None:
    services.import_batch(batch_id=receive(content).pk, by=JOB, now=TODAY)


def test_place_taken_while_the_course_is_changed_is_of_the_course_as_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    told, referral = change_course_while_a_place_is_taken(monkeypatch)
    assert isinstance(told, SessionNotFoundError)
    assert not Place.objects.filter(holder=referral.key).exists()


def test_control_without_the_lock_the_place_is_of_another_course(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settling, "_HELD", settling._HELD.replace("FOR NO KEY UPDATE", ""))
    told, referral = change_course_while_a_place_is_taken(monkeypatch)
    assert told.referral_id == referral.pk
    assert Place.objects.get(holder=referral.key).session.course_type_id != referral.course_type_id
