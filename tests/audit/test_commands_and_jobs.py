"""Commands and tasks act under their names, read the clock once, and answer in words or JSON."""

import datetime as dt
import json
from io import StringIO
from typing import Any

import pytest
from celery import Celery
from django.core.management import CommandError, call_command

from audit import jobs
from audit.commands import ActingCommand
from audit.context import Acting, Actor, current
from audit.models import Seal
from tests.audit.test_sealing import happen

NOW = dt.datetime(2026, 11, 20, 10, tzinfo=dt.UTC)


class Probe(ActingCommand):
    """Says what it was given."""

    seen: dict[str, Any]

    def handle(self, **options: Any) -> None:
        self.seen = {"now": options["now"], "acting": current()}
        self.answer({"at": options["now"], "rows": 3}, "3 rows")


def probe(*args: str, **options: Any) -> tuple[Probe, str]:
    command, out = Probe(), StringIO()
    call_command(command, *args, stdout=out, **options)
    return command, out.getvalue()


def test_a_command_acts_under_its_name_at_the_instant_it_is_told() -> None:
    command, out = probe("--now", "2026-11-20T10:00:00+00:00")
    assert command.seen == {"now": NOW, "acting": Acting(Actor("command", "test_commands_and_jobs"))}
    assert out == "3 rows\n"
    assert current() == Acting()


def test_an_instant_without_offset_is_londons() -> None:
    assert probe("--now", "2026-07-01T10:00")[0].seen["now"] == dt.datetime(2026, 7, 1, 9, tzinfo=dt.UTC)


def test_json_is_one_object() -> None:
    _, out = probe("--json", now=NOW)
    assert json.loads(out) == {"at": "2026-11-20T10:00:00Z", "rows": 3}


class Failing(Probe):
    """Says why it cannot."""

    def handle(self, **options: Any) -> None:
        raise CommandError("there is no force 99", returncode=4)


def test_an_error_is_json_too_where_json_was_asked_for() -> None:
    out = StringIO()
    with pytest.raises(CommandError, match="there is no force 99"):
        call_command(Failing(), stdout=out)
    with pytest.raises(SystemExit) as ended:
        call_command(Failing(), "--json", stdout=out)
    assert (ended.value.code, json.loads(out.getvalue())) == (4, {"error": "there is no force 99"})
    assert current() == Acting()


def test_without_now_the_clock_is_read(time_machine: Any) -> None:
    time_machine.move_to(NOW, tick=False)
    assert probe()[0].seen["now"] == NOW


def test_what_is_no_instant_is_refused() -> None:
    with pytest.raises(CommandError, match="'tomorrow' is not an instant in ISO 8601"):
        probe("--now", "tomorrow")


def test_a_task_acts_under_its_name() -> None:
    app = Celery()
    seen: list[Acting] = []

    @app.task(base=jobs.ActingTask, name="bookings.jobs.release_holds")
    def task(number: int) -> int:
        seen.append(current())
        return number

    assert task(5) == 5
    assert seen == [Acting(Actor("job", "release_holds"))]
    assert current() == Acting()


@pytest.mark.django_db
def test_the_sealing_task_seals_and_may_run_again() -> None:
    happen()
    jobs.seal()
    jobs.seal()
    assert Seal.objects.count() == 1
