"""The files of a drop folder: which of them are whole, whose one is, and where it goes. No database here."""

import hashlib
import json
import os
import re
import secrets
import stat
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, cast

from referrals.constants import BatchKind

DONE, REFUSED, RETURNS = "done", "refused", "returns"
# Hidden, so that they are in nobody's way: taken but not yet a batch; a batch that is not settled yet.
_TAKEN, _WAITING = ".taken", ".waiting"
_SEPARATOR = "--"
# Names under which programs write what is not whole yet.
_PARTIAL = (".part", ".partial", ".filepart", ".tmp", ".crdownload", "~")
_HIDDEN = ".ready"
_HIDDEN_NAME = re.compile(rf"\.outcomes-[0-9A-Z]{{2}}-\d+-\d+\.(csv|json){re.escape(_HIDDEN)}")
_KIND_OF_NAME = re.compile(rf"({'|'.join(BatchKind.values)})\b", re.IGNORECASE)
# A name of ours stands before it, and a receipt's ending after it: file systems take 255 bytes for all of it.
_MOST_NAME_BYTES = 140
# The folder's group is how the force's SFTP account reads what a worker writes.
_READABLE_BY_GROUP = 0o640
_CHUNK_BYTES = 1024 * 1024
_SPOOL_BYTES = 1024 * 1024


class CannotBeReadError(Exception):
    """What lies there is no file, or not one that may be read; the words say which."""


class Taken(NamedTuple):
    """A file that is ours alone by its new name: `name` and `kind` are what its sender said, `kind` may be empty.

    `name` has no more than can be written beside it, and may hold bytes that are no text: `readable` is for people.
    """

    home: Path
    path: Path
    name: str
    kind: str


class Waiting(NamedTuple):
    """A file whose batch is not settled yet."""

    home: Path
    path: Path
    name: str
    batch_id: str


def folders(root: Path) -> list[Path]:
    """The folders in which files are dropped; a link is none, and what is hidden is not ours."""
    return sorted(each for each in _entries(root) if _is_folder(each) and each.name not in {"lost+found", REFUSED})


def strays(root: Path) -> list[Path]:
    """Whatever lies beside the folders, and so belongs to nobody."""
    return [each for each in _entries(root) if not _is_folder(each)]


def take_new(home: Path, *, now: datetime, quiet: timedelta) -> Iterator[Taken]:
    """Take each file that has stopped growing, by a rename that only one of many can do.

    The kind is told by a folder below, else by the name. What is being written is left: by its name, or because it
    changed within `quiet` (neither a program's clock nor the time it puts on a file counts, but when the bytes came).
    """
    for folder, kind in [(home, ""), *((home / kind, kind) for kind in BatchKind.values)]:
        if folder is not home and not _is_folder(folder):
            continue
        for path in sorted(_entries(folder)):
            if _is_folder(path) or path.name.lower().endswith(_PARTIAL) or not _is_quiet(path, now, quiet):
                continue
            told = _KIND_OF_NAME.match(path.name)
            yield from _take(home, path, path.name, kind or (told[1].lower() if told else ""), now)


def take_left(home: Path, *, now: datetime, after: timedelta) -> Iterator[Taken]:
    """Take once more what a worker took and never brought in: it was killed."""
    for path in sorted(_all(home / _TAKEN)):
        taken_at, _, kind, name = _parts(path.name)
        if taken_at.isdecimal() and now.timestamp() - int(taken_at) > after.total_seconds():
            yield from _take(home, path, name, kind, now)


def _take(home: Path, path: Path, name: str, kind: str, now: datetime) -> Iterator[Taken]:
    name = short(name)
    new_name = _SEPARATOR.join([str(int(now.timestamp())), secrets.token_hex(8), kind, name])
    claimed = folder_in(home, _TAKEN) / new_name
    try:
        path.rename(claimed)
    except FileNotFoundError:
        return  # somebody was quicker
    yield Taken(home, claimed, name, kind)


def readable(name: str) -> str:
    """A file's name as text: what is no UTF-8, or no character to be seen, is a question mark."""
    text = os.fsencode(name).decode("utf-8", "replace")
    return "".join(each if each.isprintable() and each != "\ufffd" else "?" for each in text)


def short(name: str) -> str:
    """The beginning and the ending of a name that is too long to have anything put beside it."""
    whole = os.fsencode(name)
    if len(whole) <= _MOST_NAME_BYTES:
        return name
    ending = os.fsencode(Path(name).suffix)[-10:]
    # Cut between characters, not within one.
    begin = whole[: _MOST_NAME_BYTES - len(ending)].decode("utf-8", "ignore")
    return begin + os.fsdecode(ending)


def _parts(name: str) -> list[str]:
    parts = name.split(_SEPARATOR, 3)
    return parts if len(parts) == 4 else ["", "", "", name]


def wait_for(taken: Taken, batch_id: str) -> None:
    """Lay a taken file down until its batch is settled."""
    with suppress(FileNotFoundError):  # a worker held up for long: somebody else has done the same
        taken.path.rename(folder_in(taken.home, _WAITING) / _SEPARATOR.join([batch_id, taken.name]))


def put_back(taken: Taken) -> None:
    """Lay a taken file where it came from: it is still being written."""
    folder = folder_in(taken.home, taken.kind) if taken.kind else taken.home
    with suppress(FileNotFoundError):
        if not (folder / taken.name).exists():
            taken.path.rename(folder / taken.name)


def waiting(home: Path) -> list[Waiting]:
    """The files whose batches were not settled when last looked at."""
    found = []
    for path in sorted(_all(home / _WAITING)):
        batch_id, separator, name = path.name.partition(_SEPARATOR)
        if separator:
            found.append(Waiting(home, path, name, batch_id))
    return found


@contextmanager
def open_whole(path: Path, *, max_bytes: int) -> Iterator[BinaryIO | None]:
    """A copy of the file, which nobody can change any more; None where it changed while it was copied.

    Raises CannotBeReadError for links, folders, pipes, and what may not be read. Of a file of more than `max_bytes`
    one byte more is copied, so that whoever reads it finds it too large.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if path.is_symlink():
            raise CannotBeReadError("It is a link. Send the file itself.") from error
        raise CannotBeReadError("The file cannot be read. Look at its permissions and send it again.") from error
    with os.fdopen(descriptor, "rb") as file, tempfile.SpooledTemporaryFile(max_size=_SPOOL_BYTES) as copy:
        before = os.fstat(descriptor)
        if not stat.S_ISREG(before.st_mode):
            raise CannotBeReadError("It is not a file. Send a CSV file or an Excel workbook (.xlsx).")
        left = max_bytes + 1
        while left and (chunk := file.read(min(_CHUNK_BYTES, left))):
            left -= copy.write(chunk)
        after = os.fstat(descriptor)
        copy.seek(0)
        same = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
        yield cast(BinaryIO, copy) if same else None


def finish(home: Path, path: Path, where: str, *, name: str, receipt: Mapping[str, Any], beside: bytes = b"") -> None:
    """Lay a file into `done` or `refused` with its receipt, and with what is to be mended, beside it.

    May be repeated and done by two at once: all of it has the same names and the same bytes. The file comes last, so
    that one that was killed is taken up again. A link is removed: it holds nothing.
    """
    folder = folder_in(home, where)
    write(folder / f"{name}.receipt.json", json.dumps(receipt, indent=2, ensure_ascii=False).encode())
    if beside:
        write(folder / f"{name}.rejected.csv", beside)
    with suppress(FileNotFoundError):
        if path.is_symlink():
            path.unlink()
        else:
            path.replace(folder / name)


def write(path: Path, content: bytes) -> None:
    """Write a file that is there whole or not at all."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".", suffix=".tmp", delete=False) as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
        os.fchmod(file.fileno(), _READABLE_BY_GROUP)
    Path(file.name).replace(path)


def sha256_of(path: Path) -> str:
    """The hash of a file as it is now; empty where it is there no more."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
    except FileNotFoundError:
        return ""


def sha256_in(file: BinaryIO, *, max_bytes: int) -> str:
    """The hash of an open file, put back to its beginning; empty where it is too large to have been copied whole."""
    digest = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]
    size = file.tell()
    file.seek(0)
    return digest if size <= max_bytes else ""


def hide(folder: Path, name: str, content: bytes) -> None:
    """Write a file that nobody sees before `show`."""
    write(folder / f".{name}{_HIDDEN}", content)


def hidden(folder: Path) -> list[str]:
    """The names of the files that were hidden and neither shown nor thrown away."""
    names = [path.name for path in _all(folder)]
    return sorted(name[1 : -len(_HIDDEN)] for name in names if _HIDDEN_NAME.fullmatch(name))


def show(folder: Path, name: str) -> None:
    """Give a hidden file its name; nothing where somebody did."""
    with suppress(FileNotFoundError):
        (folder / f".{name}{_HIDDEN}").replace(folder / name)


def throw_away(folder: Path, name: str) -> None:
    """Remove a hidden file."""
    (folder / f".{name}{_HIDDEN}").unlink(missing_ok=True)


def folder_in(home: Path, name: str) -> Path:
    """A folder of ours below a force's, made where it is not there yet. Raises NotADirectoryError for a link."""
    folder = home / name
    folder.mkdir(exist_ok=True)
    if not _is_folder(folder):
        raise NotADirectoryError(folder.name)
    return folder


def _is_quiet(path: Path, now: datetime, quiet: timedelta) -> bool:
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    # A program that copies the time of the original sets the first; nobody can set the second.
    return now.timestamp() - max(found.st_mtime, found.st_ctime) >= quiet.total_seconds()


def _entries(folder: Path) -> list[Path]:
    return [each for each in _all(folder) if not each.name.startswith(".")]


def _all(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()
