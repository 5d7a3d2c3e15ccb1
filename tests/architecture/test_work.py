"""Queues, jobs and migrations fit together."""

from itertools import pairwise

import pytest
import yaml
from django.core.management import call_command
from django.db.migrations.loader import MigrationLoader

from devtools.demo_server import QUEUES as DEMO_QUEUES
from ndors_portal.celery import QUEUES, app
from tests.architecture.sources import APPS, ROOT


@pytest.fixture(scope="module", autouse=True)
def _tasks_are_loaded() -> None:
    app.loader.import_default_modules()


def test_every_queue_is_consumed_in_the_demo() -> None:
    assert set(DEMO_QUEUES.split(",")) == set(QUEUES)


def test_every_queue_is_consumed_in_the_compose_file() -> None:
    services = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))["services"]
    consumed: set[str] = set()
    for service in services.values():
        command = service.get("command") or []
        words = command.split() if isinstance(command, str) else command
        for option, value in pairwise(words):
            if option in {"-Q", "--queues"}:
                consumed.update(value.split(","))
        consumed.update(*(word.partition("=")[2].split(",") for word in words if word.startswith("--queues=")))
    assert consumed == set(QUEUES)


def test_every_entry_of_the_schedule_names_a_task_and_a_queue() -> None:
    schedule = app.conf.beat_schedule
    assert {entry["task"] for entry in schedule.values()} - set(app.tasks) == set()
    assert {entry["options"]["queue"] for entry in schedule.values()} <= set(QUEUES)


def test_every_command_is_a_task_too() -> None:
    """By the command's name, but for the import: its task takes whatever waits."""
    commands = {path.stem for app_name in APPS for path in ROOT.glob(f"{app_name}/management/commands/[!_]*.py")}
    assert {"outcome_return", "release_holds", "verify_audit"} <= commands
    tasks = {name.rsplit(".", 1)[-1] for name in app.tasks if not name.startswith("celery.")}
    other_names = {"import_batch": "import_batches"}
    assert {other_names.get(name, name) for name in commands} - tasks == set()


def test_every_task_keeps_no_result() -> None:
    ours = {name: task for name, task in app.tasks.items() if not name.startswith("celery.")}
    assert ours
    assert [name for name, task in ours.items() if not (task.ignore_result or app.conf.task_ignore_result)] == []


def test_migrations_are_linear() -> None:
    loader = MigrationLoader(None)
    assert {label: len(loader.graph.leaf_nodes(label)) for label in APPS if loader.graph.leaf_nodes(label)} == {
        label: 1 for label in APPS if loader.graph.leaf_nodes(label)
    }
    call_command("check", fail_level="ERROR")


def test_migrations_have_names_that_say_what_they_do() -> None:
    automatic = [
        path.name for path in ROOT.glob("*/migrations/0*.py") if "_auto_" in path.name or "_alter_" in path.name
    ]
    assert automatic == []
