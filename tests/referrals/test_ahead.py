"""Making slices ahead: the same rows from a thread and from a process, and an end of both whatever happens."""

import datetime as dt
import os
from collections.abc import Generator
from typing import Any

import pytest

from devtools import processes
from referrals.constants import ReferralStatus
from referrals.models import Batch, BatchRow, Referral
from referrals.services import ahead, importing
from tests.factories import referrals as factories
from tests.referrals.files import JOB, TODAY, as_csv, import_bytes, many, receive, states

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["thread", "process"])
def where(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Generator[str]:
    """Rows are checked there, however few they are and whatever else runs in this process."""
    is_apart = request.param == "process"
    monkeypatch.setattr(ahead, "ROWS_FOR_A_PROCESS", 0 if is_apart else 10**9)
    monkeypatch.setattr(ahead, "may_fork", lambda: is_apart)
    monkeypatch.setitem(importing._SLICE_ROWS, "referrals", 7)
    forked: list[int] = []
    fork = os.fork

    def counted() -> int:
        pid = fork()
        forked.append(pid)
        return pid

    monkeypatch.setattr(os, "fork", counted)
    yield str(request.param)
    check_children(forked, is_apart)


def check_children(forked: list[int], is_apart: bool) -> None:
    """As many as expected, and none of them left."""
    assert bool(forked) is is_apart
    for pid in forked:
        with pytest.raises(ChildProcessError):
            os.waitpid(pid, os.WNOHANG)


def test_new_unchanged_changed_rejected_barred_and_waiting_rows(where: str) -> None:
    rows = many(40)
    first = import_bytes(as_csv(rows))
    assert set(states(first).values()) == {"new"}
    Referral.objects.filter(reference=rows[2]["reference"]).update(status=ReferralStatus.BOOKED)
    rows[1]["town"] = "Dover"
    rows[2]["town"] = "Deal"
    rows[3]["pin"] = "1"
    rows += many(3, start=100)
    rows[40]["force_code"] = "42"
    rows.append(dict(rows[0]))
    numbered = next(row for row in many(30, start=200) if row["driver_number"])
    factories.CompletedReferralFactory(course_type=numbered["course_code"], driver_number=numbered["driver_number"])
    rows.append(numbered)

    found = states(import_bytes(as_csv(rows)))
    assert [found[n] for n in (2, 3, 4, 5, 6)] == ["unchanged", "changed", "quarantined", "rejected", "unchanged"]
    assert [found[n] for n in (42, 43, 44, 45, 46)] == ["quarantined", "new", "new", "unchanged", "quarantined"]
    assert Referral.objects.get(reference=rows[1]["reference"]).town == "Dover"
    assert BatchRow.objects.get(number=46).errors[0]["code"] == "three_year_bar"
    assert Referral.objects.get(reference=rows[42]["reference"]).surname == rows[42]["surname"]


def test_odd_characters_come_through_byte_for_byte(where: str) -> None:
    rows = many(2)
    rows[0] |= {"surname": "O\\Neil", "forenames": "Zoë \\N", "address_1": "12 \\. Road", "town": "\\t'\"\u2028"[:-1]}
    import_bytes(as_csv(rows))
    held = Referral.objects.get(reference=rows[0]["reference"])
    assert (held.surname, held.forenames, held.address_1, held.town) == (
        "O\\Neil",
        "Zoë \\N",
        "12 \\. Road",
        "\\t'\"",
    )
    assert import_bytes(as_csv(list(reversed(rows)))).unchanged == 2


def test_rows_read_checked_and_settled_are_each_told_as_they_are(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever writes is held up until the others can go on no further: two slices are checked, all else is read."""
    tally = ahead.Tally()
    monkeypatch.setattr(importing, "Tally", lambda: tally)
    seen: list[tuple[int, int, int]] = []
    keep_claim, advance = importing.keep_claim, importing.advance

    def held_up(batch: Batch) -> None:
        checked = min(40, batch.settled_to - 1 + 21) if batch.settled_to else 21
        read = 40 if where == "process" else checked
        assert processes.wait_until(lambda: (tally.read, tally.checked) == (read, checked), seconds=20, pause=0.01)
        keep_claim(batch)

    def noted(batch: Batch, **given: Any) -> None:
        advance(batch, **given)
        seen.append(Batch.objects.values_list("rows_read", "rows_checked", "rows").get(pk=batch.pk))

    monkeypatch.setattr(importing, "keep_claim", held_up)
    monkeypatch.setattr(importing, "advance", noted)
    import_bytes(as_csv(many(40)))
    checked = [21, 28, 35, 40, 40, 40]
    read = [40] * 6 if where == "process" else checked
    assert seen == list(zip(read, checked, [7, 14, 21, 28, 35, 40], strict=True))


def test_what_a_worker_that_is_gone_was_ahead_by_is_not_told_any_more(
    where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = receive(as_csv(many(40)))
    started: list[tuple[int, int, int]] = []
    settle_all, advance = importing._settle_all, importing.advance

    def noted(batch: Batch, *args: Any, **given: Any) -> None:
        started.append(Batch.objects.values_list("rows_read", "rows_checked", "rows").get(pk=batch.pk))
        settle_all(batch, *args, **given)

    def then_gone(batch: Batch, **given: Any) -> None:
        advance(batch, **given)
        if given["settled_to"] == 15:
            raise LookupError

    monkeypatch.setattr(importing, "_settle_all", noted)
    monkeypatch.setattr(importing, "advance", then_gone)
    with pytest.raises(LookupError):
        importing.import_batch(batch_id=batch.pk, by=JOB, now=TODAY)
    monkeypatch.setattr(importing, "advance", advance)
    # Once the claim of the one that is gone has run out.
    importing.import_batch(batch_id=batch.pk, by=JOB, now=TODAY + dt.timedelta(minutes=6))
    batch.refresh_from_db()
    assert started == [(0, 0, 0), (7, 7, 7)]
    assert (batch.rows_read, batch.rows_checked, batch.rows) == (40, 40, 40)


def failing() -> Generator[Any]:
    raise LookupError("torn page")
    yield


def test_what_making_raises_is_raised_where_slices_are_taken(where: str) -> None:
    with pytest.raises(LookupError, match="torn page"), ahead.ahead(failing, rows=1, tally=ahead.Tally()) as made:
        list(made)


def test_leaving_early_ends_what_makes_slices(where: str) -> None:
    """However many more there would be."""

    def make() -> Generator[Any]:
        while True:
            yield ahead.Slice(1, 0, {}, 0, "{}", "{}", "{}", "{}", b"x" * 100_000, b"", b"", [])

    with ahead.ahead(make, rows=1, tally=ahead.Tally()) as made:
        assert next(made).last == 1


def test_child_that_is_killed_is_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ahead, "may_fork", lambda: True)

    def make() -> Generator[Any]:
        os.kill(os.getpid(), 9)
        yield

    with (
        pytest.raises(ChildProcessError, match="ended before its time"),
        ahead.ahead(make, rows=ahead.ROWS_FOR_A_PROCESS, tally=ahead.Tally()) as made,
    ):
        list(made)
