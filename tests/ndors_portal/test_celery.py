"""A worker stands back behind the web."""

import subprocess
import sys
from pathlib import Path

import pytest

from ndors_portal import celery

_SAY = "import os; from ndors_portal.celery import stand_back; stand_back(); print(os.nice(0))"
_SESSION = Path("/proc/self/autogroup")


def test_a_worker_and_its_children_are_nice() -> None:
    """And it happens before the children are forked."""
    assert _said(_SAY) == str(celery.WORKERS_NICE)
    assert celery.stand_back in [receiver() for _, receiver in celery.worker_init.receivers if callable(receiver)]


@pytest.mark.skipif(not _SESSION.exists(), reason="this system does not share processors out by session")
def test_a_worker_that_leads_its_session_makes_that_nice_too() -> None:
    """One that shares a session with others leaves theirs alone."""
    say = f"{_SAY}; print(open({str(_SESSION)!r}).read())"
    assert f"nice {celery.WORKERS_NICE}" in _said(say, leads=True)
    assert f"nice {celery.WORKERS_NICE}" not in _said(say, leads=False)


def _said(say: str, *, leads: bool = True) -> str:
    """What a program says that calls `stand_back`, in a session of its own or as another's child in one."""
    command = [sys.executable, "-c", say]
    if not leads:
        starts = "import subprocess, sys; sys.exit(subprocess.run(sys.argv[1:]).returncode)"
        command = [sys.executable, "-c", starts, *command]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, start_new_session=True)
    return done.stdout.strip()
