"""Slices of a batch, made ahead of who writes them: in a thread, or for a large batch in a process of its own.

In a thread Python lets only one of the two work at a time. A process costs a fork and nothing else: it has all of the
parent's modules and tables, needs no database, and ends as soon as nobody takes what it makes.
"""

import gc
import mmap
import os
import pickle
import queue
import signal
import sys
import threading
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Any

from referrals.constants import RowState
from referrals.services.checking import Prepared, secrets_of
from referrals.services.lines import STATE_COLUMNS, WARNED, Lines

# Below this a fork is not worth its while.
ROWS_FOR_A_PROCESS = 5_000
# Rows as the checks leave them take ten times the memory of their lines.
_PIECE_ROWS = 125
_READ_BYTES = 1 << 20


class Tally:
    """How far a run is ahead of what it has settled: rows `read` from the file, and rows `checked` and ready.

    Reading may go on in another process: its count stands in memory that both have.
    """

    def __init__(self) -> None:
        self._read = memoryview(mmap.mmap(-1, 8)).cast("Q")
        self.checked = 0

    @property
    def read(self) -> int:
        """Rows read so far, told every few rows."""
        return self._read[0]

    def add_read(self, rows: int) -> None:
        """Some more rows are read. For whoever reads alone."""
        self._read[0] += rows


@dataclass(slots=True)
class Slice:
    """Some rows in a row: what to ask the database about them, and what to write if it holds nothing of them.

    `references`, `numbers`, `persons` and `unnumbered` (those of the persons who have no driver number) are arrays as
    PostgreSQL writes them, of the new rows alone.
    """

    last: int
    count: int
    states: Mapping[str, int]
    warnings: int
    references: str
    numbers: str
    persons: str
    unnumbered: str
    offers: bytes
    settled: bytes
    events: bytes
    packed: Sequence[Prepared | bytes]

    def rows(self) -> list[Prepared]:
        """The rows one by one, for when the database does hold something; their values can be read again."""
        rows: list[Prepared] = []
        for each in self.packed:
            if isinstance(each, bytes):
                rows += map(Prepared.unpacked, pickle.loads(each))  # noqa: S301 - our own, or our child's
            else:
                rows.append(each)
        if not self.offers:
            return rows
        lines = (offer.rsplit("\t", len(STATE_COLUMNS))[0] for offer in self.offers.decode().split("\n"))
        return [row.with_line(next(lines)) if row.state == RowState.NEW else row for row in rows]


def slices(rows: Iterator[Prepared], *, size: int, lines: Lines | None, tally: Tally) -> Generator[Slice]:
    """Cut rows into slices and, for referrals, make the lines of each; a few rows at a time, for memory's sake."""
    while True:
        pieces: list[Slice] = []
        left = size
        while left and (part := list(islice(rows, min(left, _PIECE_ROWS)))):
            tally.add_read(len(part))
            pieces.append(_with_lines(part, lines) if lines else _as_they_are(part))
            left -= len(part)
        if not pieces:
            return
        yield _joined(pieces)


def _with_lines(part: Sequence[Prepared], lines: Lines) -> Slice:
    new = [row for row in part if row.state == RowState.NEW]
    secrets = secrets_of(new)
    return Slice(
        last=part[-1].number,
        count=len(part),
        states=Counter([row.state for row in part]),
        warnings=sum([len(row.warnings) for row in part if row.state in WARNED]),
        references=",".join([f'"{row.key[1]}"' for row in new]),
        numbers=_hexed([each.driver_number for each in secrets if each.driver_number]),
        persons=_hexed([each.person for each in secrets]),
        unnumbered=_hexed([each.person for each in secrets if not each.driver_number]),
        offers=lines.offers([f"{row.line}\t{each.text}" for row, each in zip(new, secrets, strict=True)]).encode(),
        settled=lines.rows_as_found(part).encode(),
        events=lines.events(new).encode(),
        packed=[pickle.dumps([row.packed() for row in part], 5)],
    )


def _as_they_are(part: Sequence[Prepared]) -> Slice:
    return Slice(
        part[-1].number, len(part), Counter(row.state for row in part), 0, "", "", "", "", b"", b"", b"", part
    )


def _joined(pieces: Sequence[Slice]) -> Slice:
    states: Counter[str] = Counter()
    for piece in pieces:
        states.update(piece.states)
    return Slice(
        last=pieces[-1].last,
        count=sum(piece.count for piece in pieces),
        states=states,
        warnings=sum(piece.warnings for piece in pieces),
        references=_array(piece.references for piece in pieces),
        numbers=_array(piece.numbers for piece in pieces),
        persons=_array(piece.persons for piece in pieces),
        unnumbered=_array(piece.unnumbered for piece in pieces),
        offers=b"".join([piece.offers for piece in pieces]),
        settled=b"".join([piece.settled for piece in pieces]),
        events=b"".join([piece.events for piece in pieces]),
        packed=[each for piece in pieces for each in piece.packed],
    )


def _array(parts: Iterable[str]) -> str:
    """One literal: a thousand parameters take longer to read than to look up."""
    return "{" + ",".join(filter(None, parts)) + "}"


def _hexed(hashes: Iterable[str]) -> str:
    return ",".join([f'"\\\\x{each}"' for each in hashes])


@contextmanager
def ahead(make: Callable[[], Generator[Slice]], *, rows: int, tally: Tally) -> Iterator[Iterator[Slice]]:
    """Have the slices of `make` made ahead, counted, and end whatever makes them when the block is left."""
    source = _Child(make) if rows >= ROWS_FOR_A_PROCESS and may_fork() else None
    reader = _Reader(source.slices() if source else make(), tally)
    try:
        yield reader.slices()
    finally:
        if source:
            source.end()
        reader.end()


def may_fork() -> bool:
    """Whether a child that only computes can be forked: on Linux, with a second core, and with no other thread."""
    return sys.platform == "linux" and (os.cpu_count() or 1) > 1 and threading.active_count() == 1


class _Reader:
    """A thread that holds one slice ready."""

    def __init__(self, source: Generator[Slice], tally: Tally) -> None:
        self._source = source
        self._tally = tally
        self._made: queue.Queue[Slice | BaseException | None] = queue.Queue(maxsize=1)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="checking", daemon=True)
        self._thread.start()

    def slices(self) -> Iterator[Slice]:
        """The slices in order. Raises what making them raised."""
        while (part := self._made.get()) is not None:
            if isinstance(part, BaseException):
                raise part
            yield part

    def end(self) -> None:
        """End the thread, at its next slice where it is not done."""
        self._stopped.set()
        while self._thread.is_alive():
            try:
                self._made.get(timeout=0.05)
            except queue.Empty:
                continue
        self._thread.join()

    def _run(self) -> None:
        try:
            for part in self._source:
                self._tally.checked += part.count
                self._made.put(part)
                if self._stopped.is_set():
                    return
            self._made.put(None)
        except BaseException as error:  # noqa: BLE001 - raised again where the slices are taken
            self._made.put(error)
        finally:
            # Here and now: later the file would be closed already.
            self._source.close()


class _Child:
    """A forked process that makes slices and sends them through a pipe.

    It dies of the broken pipe when its parent is gone, whatever killed it.
    """

    def __init__(self, make: Callable[[], Generator[Slice]]) -> None:
        self._read_end, write_end = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self._read_end)
            _make_and_exit(make, write_end)
        os.close(write_end)

    def slices(self) -> Generator[Slice]:
        """What the child sends. Raises what it raised, and ChildProcessError where it ended before its time."""
        with os.fdopen(self._read_end, "rb", buffering=_READ_BYTES) as pipe:
            while True:
                told = _receive(pipe)
                if told is None:
                    return
                if isinstance(told, BaseException):
                    raise told
                yield told

    def end(self) -> None:
        """End the process, at once where it is not done."""
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)


def _make_and_exit(make: Callable[[], Generator[Slice]], write_end: int) -> None:
    """All of the child's life. Nothing of the parent's is closed, flushed or rolled back at its end."""
    try:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        gc.disable()
        with os.fdopen(write_end, "wb") as pipe:
            try:
                for part in make():
                    _send(pipe, part)
                _send(pipe, None)
            except BrokenPipeError:
                raise
            except Exception as error:  # noqa: BLE001 - raised again in the parent
                _send(pipe, error)
    finally:
        os._exit(0)


def _send(pipe: Any, told: Slice | Exception | None) -> None:
    # Straight into the pipe: what is large is not copied first.
    pickle.dump(told, pipe, 5)
    pipe.flush()


def _receive(pipe: Any) -> Slice | Exception | None:
    try:
        told: Slice | Exception | None = pickle.load(pipe)  # noqa: S301 - made by our own child
    except (EOFError, pickle.UnpicklingError) as error:
        raise ChildProcessError("the process that checks the rows has ended before its time") from error
    return told
