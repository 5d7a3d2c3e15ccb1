"""Making `.venv`: only when it must be, whole or not at all, and one line when it cannot be."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from devtools import bootstrap

ROOT = Path(__file__).resolve().parent.parent.parent


class Machine:
    """A folder with a lock in it, where the commands are noted and a working Python appears in `.venv`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.venv = folder / ".venv"
        self.lock = folder / "dev.txt"
        self.lock.write_text("one==1\n")
        self.commands: list[str] = []
        self.fails_at = ""

    def run(self, command: list[str], failure: str, environ: object = None) -> None:
        word = "venv" if "venv" in command else command[3]
        self.commands.append(word)
        if word == self.fails_at:
            raise bootstrap.SetupError(failure)
        if word == "venv":
            (self.venv / "bin").mkdir()
            (self.venv / "bin" / "python").symlink_to(sys.executable)
            (self.venv / "pyvenv.cfg").touch()


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(tmp_path)
    monkeypatch.setattr(bootstrap, "VENV", made.venv)
    monkeypatch.setattr(bootstrap, "PYTHON", made.venv / "bin" / "python")
    monkeypatch.setattr(bootstrap, "LOCK", made.lock)
    monkeypatch.setattr(bootstrap, "_run", made.run)
    return made


def test_environment_when_there_is_none_is_made_and_then_left_alone(machine: Machine) -> None:
    bootstrap.make_environment()
    assert machine.commands == ["venv", "install"]
    bootstrap.make_environment()
    assert machine.commands == ["venv", "install"]


def test_environment_when_the_lock_changed_is_brought_up_to_date(machine: Machine) -> None:
    bootstrap.make_environment()
    machine.lock.write_text("one==2\n")
    bootstrap.make_environment()
    assert machine.commands == ["venv", "install", "install"]


@pytest.mark.parametrize("step", ["venv", "install"])
def test_environment_when_half_made_is_made_anew(machine: Machine, step: str) -> None:
    machine.fails_at = step
    with pytest.raises(bootstrap.SetupError):
        bootstrap.make_environment()
    machine.fails_at = ""
    machine.commands.clear()
    (machine.venv / "half").touch()
    bootstrap.make_environment()
    assert machine.commands == ["venv", "install"]
    assert not (machine.venv / "half").exists()


def test_environment_whose_python_is_gone_is_made_anew(machine: Machine) -> None:
    bootstrap.make_environment()
    (machine.venv / "bin" / "python").unlink()
    (machine.venv / "bin" / "python").symlink_to(machine.folder / "no-such-python")
    bootstrap.make_environment()
    assert machine.commands == ["venv", "install", "venv", "install"]


def test_environment_that_is_something_else_is_not_touched(machine: Machine) -> None:
    machine.venv.mkdir()
    (machine.venv / "letters").write_text("dear")
    with pytest.raises(bootstrap.SetupError, match="is not a Python environment: move it away"):
        bootstrap.make_environment()
    assert (machine.venv / "letters").read_text() == "dear"


@pytest.mark.parametrize(
    ("log", "meaning"),
    [
        ("error: command 'gcc' failed: No such file or directory\nERROR: Failed building wheel", "no compiler"),
        ("Retrying: Failed to establish a new connection: [Errno -2]", "cannot be reached"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "not what the lock names"),
        ("OSError: [Errno 28] No space left on device", "disk is full"),
        ("command\nsomething else went wrong", "^something else went wrong$"),
    ],
)  # fmt: skip
def test_failure_is_told_in_one_line(log: str, meaning: str) -> None:
    told = bootstrap.cause(log)
    assert re.search(meaning, told)
    assert "\n" not in told


def test_python_that_is_too_old_is_told_in_one_line(tmp_path: Path) -> None:
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    script = "import sys\nfrom devtools import bootstrap\nsys.executable = ''\nbootstrap.fit_python()"
    env = {"PATH": str(tmp_path), "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=False)
    assert done.stderr.strip().splitlines()[-1] == (
        "devtools.bootstrap.SetupError: Python 3.11 or newer is needed and none is on PATH; set PYTHON to one"
    )
