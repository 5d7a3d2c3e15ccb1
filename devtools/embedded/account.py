"""Whom PostgreSQL runs as, and where that person can reach its files.

PostgreSQL refuses to run as root, so root lends it an account that may do nothing else. That account often cannot
enter the checkout (a home directory with mode 0700). Permissions are never widened for it: programs and data then live
in a private directory of its own outside the checkout.
"""

import hashlib
import os
import pwd
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from devtools import processes
from devtools.embedded.errors import EmbeddedServiceError

_MADE_FOR = "made-for"


@dataclass(frozen=True)
class Account:
    """A person of the system, by numbers."""

    uid: int
    gid: int

    def can_run(self, program: Path) -> bool:
        """Whether this account can start the program where it lies."""
        return self._succeeds(str(program), "--version")

    def can_write(self, directory: Path) -> bool:
        """Whether this account can reach the directory and write in it."""
        return self._succeeds("/bin/sh", "-c", 'test -w "$1" && test -x "$1"', "sh", str(directory))

    def _succeeds(self, *command: str) -> bool:
        try:
            done = subprocess.run(
                command, user=self.uid, group=self.gid, extra_groups=[], cwd="/", capture_output=True, check=False
            )
        except OSError:
            return False
        return done.returncode == 0


def service_account() -> Account | None:
    """The account to run PostgreSQL under, None when the present one will do (anybody but root)."""
    if os.geteuid() != 0:
        return None
    for name in ("nobody", "daemon"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid > 0:
            return Account(entry.pw_uid, entry.pw_gid)
    raise EmbeddedServiceError("PostgreSQL does not run as root and there is no account `nobody`: use another user")


def reachable_home(wanted: Path, account: Account | None) -> Path:
    """A private directory the account can write in: `wanted` where it can be reached, else a place kept for `wanted`.

    The place depends on nothing but the path of `wanted`, so that the next run finds the same one.
    """
    wanted.mkdir(parents=True, exist_ok=True)
    if account is None:
        return wanted
    os.chown(wanted, account.uid, account.gid)
    wanted.chmod(0o700)
    if account.can_write(wanted):
        return wanted
    for base in (Path("/var/lib"), Path(tempfile.gettempdir())):
        home = place_outside(wanted, base)
        try:
            home.mkdir(mode=0o700, exist_ok=True)
        except OSError:
            continue
        held_by = home.lstat()
        if home.is_symlink() or held_by.st_uid not in {0, account.uid} or held_by.st_mode & 0o077:
            continue  # somebody else made it: in a shared directory that may be a trap
        os.chown(home, account.uid, account.gid)
        if account.can_write(home):
            (home / _MADE_FOR).write_text(str(wanted), encoding="utf-8")
            _clear_away_deserted(base)
            return home
    raise EmbeddedServiceError(f"PostgreSQL's account cannot reach {wanted} nor /var/lib: set DATABASE_URL")


def _clear_away_deserted(base: Path) -> None:
    """Remove the places of checkouts that are no more."""
    for note in base.glob(f"ndors-portal-*/{_MADE_FOR}"):
        is_deserted = not Path(note.read_text(encoding="utf-8")).exists()
        if is_deserted and not processes.working_in(note.parent / "data"):
            shutil.rmtree(note.parent, ignore_errors=True)


def place_outside(wanted: Path, base: Path = Path("/var/lib")) -> Path:
    """Where files go that would have gone to `wanted`."""
    return base / f"ndors-portal-{hashlib.sha256(str(wanted).encode()).hexdigest()[:12]}"


def give(path: Path, account: Account | None) -> None:
    """Make the account the owner of the path and of all below it."""
    if account is None:
        return
    os.chown(path, account.uid, account.gid)
    for folder, folders, files in os.walk(path):
        for name in (*folders, *files):
            os.chown(Path(folder, name), account.uid, account.gid, follow_symlinks=False)


def copy_programs(install: Path, home: Path) -> Path:
    """A copy of PostgreSQL's programs in `home`; made once for each version of them, whole or not at all.

    The programs look for their libraries beside the wheel's package, so the copy keeps that order of folders.
    """
    postgres = (install / "bin" / "postgres").stat()
    package = install.parent
    copy = home / f"programs-{postgres.st_size}-{postgres.st_mtime_ns}"
    programs = copy / package.name / install.name
    if copy.exists():
        return programs
    unfinished = Path(tempfile.mkdtemp(prefix="copying-", dir=home))
    unfinished.chmod(0o755)
    tree = unfinished / "tree"
    shutil.copytree(install, tree / package.name / install.name, ignore=shutil.ignore_patterns("include", "*.a"))
    for libraries in (package.parent / f"{package.name}.libs", package / ".dylibs"):
        if libraries.exists():
            shutil.copytree(libraries, tree / libraries.relative_to(package.parent))
    try:
        tree.rename(copy)
    except OSError:  # another start has finished the same copy
        if not copy.exists():
            raise
    shutil.rmtree(unfinished)
    return programs
