"""How browser tests start Chromium."""

import os


def arguments() -> list[str]:
    """Command-line switches: nothing but this machine can be reached."""
    switches = [
        "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
        "--disable-dev-shm-usage",
    ]
    return [*switches, "--no-sandbox"] if os.geteuid() == 0 else switches
