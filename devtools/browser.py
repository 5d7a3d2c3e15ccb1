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
    raise LookupError("browser tests need Chromium or Chrome: install one on PATH, or set CHROMIUM to its path")
