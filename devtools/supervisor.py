"""Keeps a set of programs running: one log with prefixes, restarts after a crash, no left-overs at the end."""

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from devtools import processes
from devtools.processes import Launch, Records

_STEADY_SECONDS = 60.0
_LONGEST_PAUSE_SECONDS = 30.0
_GRACE_SECONDS = 6.0
_COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)


class ProgramFailedError(RuntimeError):
    """A program did not come up, or a step failed; the message is one line."""


class StoppedError(Exception):
    """Someone asked for the end (Ctrl-C, SIGTERM) while things were starting."""


@dataclass(kw_only=True, eq=False)
class Program:
    """One program: `prepare` is called before each start, `is_ready` tells when others may rely on it."""

    name: str
    prepare: Callable[[], Launch]
    is_ready: Callable[[], bool] = lambda: True
    process: subprocess.Popen[bytes] | None = None
    launch: Launch | None = None
    started_at: float = 0.0
    start_again_at: float = 0.0
    pause: float = 1.0
    leans_on_others: bool = False
    colour: int = 0


class Supervisor:
    """Runs programs until it is told to stop. All is done in one thread, which must be the main one."""

    def __init__(self, records: Records) -> None:
        """`records` is where the next start finds what a killed supervisor left behind."""
        self.records = records
        self.programs: list[Program] = []
        self._selector = selectors.DefaultSelector()
        self._partial: dict[int, bytes] = {}
        self._stop_asked = 0
        self._is_coloured = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        self._wake_read, self._wake_write = os.pipe()
        for end in (self._wake_read, self._wake_write):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        self._selector.register(self._wake_read, selectors.EVENT_READ)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask_to_stop)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)  # only to wake up

    # --- Starting ----------------------------------------------------------------------------------------------
    def start(self, *programs: Program) -> None:
        """Start these and wait until all are ready."""
        for program in programs:
            self.programs.append(program)
            program.colour = _COLOURS[len(self.programs) % len(_COLOURS)]
            self._start(program)
        for program in programs:
            self._wait_ready(program, seconds=90)

    def run_steps(self, **launches: Launch) -> None:
        """Run programs to their end, all at once; ProgramFailedError when one fails."""
        running = []
        for name, launch in launches.items():
            step = Program(name=name, prepare=lambda launch=launch: launch, colour=90)  # type: ignore[misc]
            self._start(step)
            running.append((step, step.process))
        try:
            self._pump(until=lambda: all(process is None or process.poll() is not None for _, process in running))
        finally:
            for step, _ in running:
                self._drain(step)
                self._end(step)
        for step, process in running:
            if process and process.returncode:
                raise ProgramFailedError(f"{step.name} failed (exit {process.returncode}); the lines above say why")

    def _start(self, program: Program) -> None:
        program.launch = program.prepare()
        program.process = processes.spawn(program.launch, output=subprocess.PIPE)
        program.started_at = time.monotonic()
        program.start_again_at = 0.0
        self.records.note(program.name, program.process.pid)
        stream = program.process.stdout
        assert stream
        os.set_blocking(stream.fileno(), False)
        self._selector.register(stream.fileno(), selectors.EVENT_READ, program)

    def _wait_ready(self, program: Program, *, seconds: float) -> None:
        def ready_or_ended() -> bool:
            return program.process is None or program.process.poll() is not None or program.is_ready()

        self._pump(until=ready_or_ended, seconds=seconds)
        if program.process is None or program.process.poll() is not None:
            raise ProgramFailedError(f"{program.name} ended at once; the lines above say why")
        if not program.is_ready():
            raise ProgramFailedError(f"{program.name} was not ready within {seconds:.0f} seconds")

    # --- Running -----------------------------------------------------------------------------------------------
    def run(self) -> None:
        """Keep everything running until told to stop."""
        with suppress(StoppedError):
            self._pump(until=lambda: False)

    def _pump(self, *, until: Callable[[], bool], seconds: float = float("inf")) -> None:
        """Pass log lines on and look after the programs until the condition holds or the time is up."""
        deadline = time.monotonic() + seconds
        while True:
            if self._stop_asked:
                raise StoppedError
            if until() or time.monotonic() > deadline:
                return
            self._read(self._next_pause(polling=seconds != float("inf")))
            self._look_after()

    def _next_pause(self, *, polling: bool) -> float:
        waiting = [program.start_again_at - time.monotonic() for program in self.programs if program.start_again_at]
        return max(0.0, min([0.05 if polling else 5.0, *waiting]))

    def _look_after(self) -> None:
        """Start again what has ended, each time after a longer pause unless it had worked for a while."""
        now = time.monotonic()
        for program in self.programs:
            if program.process and program.process.poll() is not None:
                self._drain(program)
                processes.signal_group(program.process.pid, signal.SIGKILL)
                if now - program.started_at > _STEADY_SECONDS:
                    program.pause = 1.0
                self.say(
                    f"{program.name} ended ({_ending(program.process)}); it starts again in {program.pause:.0f} s"
                )
                program.process = None
                program.start_again_at = now + program.pause
                program.pause = min(program.pause * 2, _LONGEST_PAUSE_SECONDS)
            elif program.start_again_at and now >= program.start_again_at:
                self._start(program)

    # --- The log -----------------------------------------------------------------------------------------------
    def say(self, line: str) -> None:
        """A line of the supervisor's own."""
        self._write("demo", 1, line)

    def _read(self, seconds: float) -> None:
        for key, _ in self._selector.select(seconds):
            if key.fd == self._wake_read:
                with suppress(BlockingIOError):
                    os.read(self._wake_read, 4096)
            else:
                self._read_from(key.fd, key.data)

    def _read_from(self, number: int, program: Program) -> bool:
        """Pass on what the program wrote; whether there may be more."""
        try:
            data = os.read(number, 65536)
        except BlockingIOError:
            return False
        lines = (self._partial.pop(number, b"") + data).split(b"\n")
        if data and lines[-1]:
            self._partial[number] = lines[-1]
        for line in lines if not data else lines[:-1]:
            if line.strip():
                self._write(program.name, program.colour, line.decode(errors="replace").rstrip())
        if not data:
            self._selector.unregister(number)
        return bool(data)

    def _drain(self, program: Program) -> None:
        stream = program.process.stdout if program.process else None
        if stream and not stream.closed:
            while stream.fileno() in self._selector.get_map() and self._read_from(stream.fileno(), program):
                pass
            if stream.fileno() in self._selector.get_map():
                self._selector.unregister(stream.fileno())
            stream.close()

    def _write(self, name: str, colour: int, line: str) -> None:
        prefix = f"{name:<8} | "
        with suppress(OSError):  # the terminal may be gone; the programs still have to be ended
            print(f"\033[{colour}m{prefix}\033[0m{line}" if self._is_coloured else prefix + line, flush=True)

    # --- The end -----------------------------------------------------------------------------------------------
    def _ask_to_stop(self, number: int, frame: object) -> None:
        self._stop_asked += 1

    def stop(self) -> None:
        """End every program, those that lean on others first; a second request to stop hurries it."""
        hurry_at = max(self._stop_asked, 1) + 1
        for leaning in (True, False):
            programs = [program for program in self.programs if program.leans_on_others is leaning]
            running = [program.process for program in programs if program.process]
            for program in programs:
                if program.process and program.launch and program.process.poll() is None:
                    processes.signal_one(program.process.pid, program.launch.stop_signal)
            deadline = time.monotonic() + _GRACE_SECONDS
            while any(process.poll() is None for process in running) and time.monotonic() < deadline:
                if self._stop_asked >= hurry_at:
                    break
                self._read(0.05)
            for program in programs:
                self._end(program)

    def _end(self, program: Program) -> None:
        if program.process:
            processes.signal_group(program.process.pid, signal.SIGKILL)
            program.process.wait()
            self._drain(program)
            program.process = None
        self.records.forget(program.name)


def _ending(process: subprocess.Popen[bytes]) -> str:
    if process.returncode < 0:
        return signal.Signals(-process.returncode).name
    return f"exit {process.returncode}"
