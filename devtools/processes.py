"""Child processes that cannot outlive the program that started them.

Each child leads its own process group, so that one signal reaches all it spawns. On Linux the kernel also signals the
child when its parent dies, whatever killed the parent; elsewhere the notes kept by `Records` do so at the next
start.
"""

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TypedDict

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


@dataclass(frozen=True, kw_only=True)
class Launch:
    """How to start one program: its command, and what it needs to be told besides."""

    command: Sequence[str]
    cwd: Path
    env: Mapping[str, str]
    stop_signal: signal.Signals = signal.SIGTERM
    user: int | None = None
    group: int | None = None
    stdin: str = ""
    pass_fds: Sequence[int] = ()


def spawn(launch: Launch, *, output: IO[bytes] | int | None = None) -> subprocess.Popen[bytes]:
    """Start the program with stdout and stderr both going to `output` (inherited when None).

    To be called from a thread that lives as long as the child should: Linux counts the end of that thread as the
    death of the parent.
    """
    process = subprocess.Popen(
        launch.command,
        cwd=launch.cwd,
        env=dict(launch.env),
        stdin=subprocess.PIPE if launch.stdin else subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT if output is not None else None,
        start_new_session=True,
        user=launch.user,
        group=launch.group,
        extra_groups=[] if launch.group is not None else None,
        pass_fds=tuple(launch.pass_fds),
        preexec_fn=_dies_with_parent(launch.stop_signal),  # noqa: PLW1509 - one system call, no lock
    )
    if process.stdin:
        with suppress(BrokenPipeError):  # the program has ended already; whoever waits for it will see why
            process.stdin.write(launch.stdin.encode())
            process.stdin.close()
    return process


def _dies_with_parent(stop_signal: signal.Signals) -> Callable[[], None] | None:
    libc = _libc
    if libc is None:
        return None
    parent = os.getpid()

    def ask_kernel() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(stop_signal), 0, 0, 0)
        if os.getppid() != parent:  # it died before the request was made
            os._exit(1)

    return ask_kernel


def stop(process: subprocess.Popen[bytes], stop_signal: signal.Signals = signal.SIGTERM, *, grace: float = 10) -> None:
    """End the child and its whole group: ask, wait up to `grace` seconds, then insist. May be repeated."""
    if process.poll() is None:
        with suppress(ProcessLookupError):
            process.send_signal(stop_signal)
        with suppress(subprocess.TimeoutExpired):
            process.wait(grace)
    signal_group(process.pid, signal.SIGKILL)
    process.wait()


def signal_group(group: int, number: signal.Signals) -> None:
    """Signal every process of the group; one that has gone already is no error."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def signal_one(pid: int, number: signal.Signals) -> None:
    """Signal one process; one that has gone already is no error."""
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)


def wait_until(condition: Callable[[], bool], *, seconds: float, pause: float = 0.02) -> bool:
    """Whether the condition came true within so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


# --- Who is who ------------------------------------------------------------------------------------------------
def started(pid: int) -> str:
    """A mark of when the process began, "" if there is none: with the number it names one process for ever."""
    if sys.platform == "linux":
        return _stat(pid)[2]
    done = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _stat(pid: int) -> tuple[str, int, str]:
    """State, process group and start mark from /proc; a process that has ended but waits to be reaped is gone."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return "", 0, ""
    fields = text.rpartition(")")[2].split()
    return ("", 0, "") if fields[0] in "ZX" else (fields[0], int(fields[2]), fields[19])


def members(group: int) -> list[int]:
    """Numbers of the living processes of a group."""
    if sys.platform == "linux":
        return [pid for pid in _all_pids() if _stat(pid)[1] == group]
    done = subprocess.run(["ps", "-A", "-o", "pid=,pgid="], capture_output=True, text=True, check=False)
    pairs = (line.split() for line in done.stdout.splitlines())
    return [int(pid) for pid, of_group in pairs if int(of_group) == group]


def working_in(directory: Path) -> list[int]:
    """Numbers of the processes whose working directory is this one (Linux only; elsewhere none are known)."""
    if sys.platform != "linux":
        return []
    found = []
    for pid in _all_pids():
        with suppress(OSError):
            if Path(f"/proc/{pid}/cwd").readlink() == directory and _stat(pid)[0]:
                found.append(pid)
    return found


def command_of(pid: int) -> str:
    """The command line of a process, "" when it cannot be known."""
    if sys.platform == "linux":
        with suppress(OSError):
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        return ""
    done = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return done.stdout.strip()


def _all_pids() -> Iterator[int]:
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            yield int(entry.name)


class _Record(TypedDict):
    pid: int
    started: str
    owner: str


class Records:
    """Notes of the children now running, one file each, by which the next start ends what a killed one left behind."""

    def __init__(self, directory: Path, *, owner: str) -> None:
        """`owner` names the checkout: notes that came along in a copied directory are another's and are dropped."""
        self.directory = directory
        self.owner = owner

    def note(self, name: str, pid: int) -> None:
        """Remember a running child."""
        self.directory.mkdir(parents=True, exist_ok=True)
        record = _Record(pid=pid, started=started(pid), owner=self.owner)
        (self.directory / f"{name}.json").write_text(json.dumps(record), encoding="utf-8")

    def forget(self, name: str) -> None:
        """The child has ended."""
        (self.directory / f"{name}.json").unlink(missing_ok=True)

    def running(self, name: str) -> int | None:
        """The number of the child of that name, if it is still the very process that was noted."""
        record = self._read(self.directory / f"{name}.json")
        if record and record["started"] and started(record["pid"]) == record["started"]:
            return record["pid"]
        return None

    def end_left_over(self, *, grace: float = 10) -> list[str]:
        """End every noted process group that is still there; the names of those that were."""
        ended, groups = [], []
        for path in sorted(self.directory.glob("*.json")):
            record = self._read(path)
            if record and self._still_ours(record):
                groups.append(record["pid"])
                ended.append(path.stem)
            path.unlink(missing_ok=True)
        for group in groups:
            signal_group(group, signal.SIGTERM)
        wait_until(lambda: not any(members(group) for group in groups), seconds=grace)
        for group in groups:
            signal_group(group, signal.SIGKILL)
        return ended

    def _read(self, path: Path) -> _Record | None:
        try:
            record: _Record = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None
        return record if record.get("owner") == self.owner else None

    def _still_ours(self, record: _Record) -> bool:
        now = started(record["pid"])
        if now:
            return now == record["started"]
        return bool(members(record["pid"]))  # the leader is dead; a number is not used again while its group lives
