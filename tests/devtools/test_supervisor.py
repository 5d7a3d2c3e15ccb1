"""The demo's supervisor: prefixes, restarts, and an end that leaves nothing behind."""

import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from devtools import processes
from devtools.processes import Records

ROOT = Path(__file__).resolve().parent.parent.parent


class Script:
    """A supervisor of two programs in a process of its own; each of them has a child that ignores SIGTERM."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process: subprocess.Popen[str] | None = None

    def start(self, *, second: str = "sleep 600") -> None:
        child = "sh -c 'trap \"\" TERM; echo $$ > {name}.child; while :; do sleep 600; done' & "
        text = textwrap.dedent(f"""
            import os, sys
            from pathlib import Path
            from devtools.processes import Launch, Records
            from devtools.supervisor import Program, Supervisor
            folder = Path({str(self.folder)!r})
            def launch(name, command):
                child = {child!r}.format(name=name)
                return Launch(command=["sh", "-c", child + command], cwd=folder, env=dict(os.environ))
            supervisor = Supervisor(Records(folder / "run", owner="test"))
            first = Program(name="first", prepare=lambda: launch("first", "echo hello; wait"))
            second = Program(name="second", prepare=lambda: launch("second", {second!r}), leans_on_others=True)
            try:
                supervisor.start(first, second)
                supervisor.run()
            finally:
                supervisor.stop()
                print("all ended", flush=True)
        """)
        self.process = subprocess.Popen(
            [sys.executable, "-c", text], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def read_until(self, words: str) -> list[str]:
        assert self.process
        assert self.process.stdout
        lines: list[str] = []
        for line in self.process.stdout:
            lines.append(line.rstrip())
            if words in line:
                return lines
        raise AssertionError(f"{words!r} was never written: {lines}")

    def children(self) -> list[int]:
        files = [self.folder / f"{name}.child" for name in ("first", "second")]
        written = lambda: all(path.exists() and path.read_text().endswith("\n") for path in files)  # noqa: E731
        assert processes.wait_until(written, seconds=20)
        return [int(path.read_text()) for path in files]


@pytest.fixture
def script(tmp_path: Path) -> Iterator[Script]:
    made = Script(tmp_path)
    yield made
    if made.process:
        made.process.kill()
        made.process.wait()
        assert made.process.stdout
        made.process.stdout.close()
    Records(tmp_path / "run", owner="test").end_left_over(grace=0)


def test_a_stop_ends_every_child_and_grandchild(script: Script) -> None:
    script.start()
    assert script.read_until("hello")[-1] == "first    | hello"
    children = script.children()
    assert script.process
    script.process.terminate()
    script.read_until("all ended")
    assert script.process.wait(20) == 0
    assert processes.wait_until(lambda: not any(map(processes.started, children)), seconds=5)
    assert list((script.folder / "run").glob("*.json")) == []


def test_a_crashed_program_starts_again_after_a_growing_pause(script: Script) -> None:
    script.start(second="sleep 0.3; exit 3")
    lines = script.read_until("starts again in 2 s")
    told = [line for line in lines if "second ended" in line]
    assert told == [
        "demo     | second ended (exit 3); it starts again in 1 s",
        "demo     | second ended (exit 3); it starts again in 2 s",
    ]


def test_what_a_killed_supervisor_leaves_is_ended_by_the_next(script: Script) -> None:
    script.start()
    script.read_until("hello")
    children = script.children()
    assert script.process
    script.process.send_signal(signal.SIGKILL)
    script.process.wait()
    assert all(processes.started(child) for child in children)  # they ignore SIGTERM
    ended = Records(script.folder / "run", owner="test").end_left_over(grace=0.2)
    assert ended == ["first", "second"]
    assert processes.wait_until(lambda: not any(map(processes.started, children)), seconds=5)


def test_notes_of_another_checkout_end_nothing(tmp_path: Path) -> None:
    innocent = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        Records(tmp_path, owner="the original").note("web", innocent.pid)
        assert Records(tmp_path, owner="a copy of it").end_left_over() == []
        assert innocent.poll() is None
    finally:
        innocent.kill()
        innocent.wait()


def test_a_note_whose_number_was_used_again_ends_nothing(tmp_path: Path) -> None:
    innocent = subprocess.Popen(["sleep", "60"], start_new_session=True)
    records = Records(tmp_path, owner="us")
    try:
        records.note("web", innocent.pid)
        note = tmp_path / "web.json"
        note.write_text(note.read_text().replace(processes.started(innocent.pid), "1"))
        assert records.end_left_over() == []
        assert innocent.poll() is None
        assert not note.exists()
    finally:
        innocent.kill()
        innocent.wait()
