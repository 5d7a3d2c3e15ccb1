"""The Chromium that browser tests use: $CHROMIUM, else one on PATH. Nothing is downloaded."""

import os
import shutil

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def find_chromium() -> str:
    """Path of the browser; a LookupError that says what to do when there is none."""
    named = os.environ.get("CHROMIUM")
    if named:
        path = shutil.which(named)
        if path:
            return path
        raise LookupError(f"CHROMIUM names {named}, which cannot be run")
    for name in NAMES:
        path = shutil.which(name)
        if path:
            return path
    raise LookupError(
        "browser tests need Chromium or Chrome on PATH, or CHROMIUM set to one: `make test` looks for it"
    )


def arguments() -> list[str]:
    """Command-line switches: nothing but this machine can be reached."""
    switches = [
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
        "--disable-dev-shm-usage",
    ]
    return [*switches, "--no-sandbox"] if os.geteuid() == 0 else switches
