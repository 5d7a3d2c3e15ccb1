"""Load the demo where there is none."""

import time
from datetime import datetime
from typing import Any

from audit.commands import ActingCommand
from devtools.demo import loading


class Command(ActingCommand):
    help = "Loads the demo's data, dated up to now, into an empty database; does nothing where they are."

    def handle(self, *, now: datetime, as_json: bool, **options: Any) -> None:
        """Exit 0 where the demo is there in the end."""
        if loading.is_loaded():
            return
        began = time.monotonic()

        def say(words: str) -> None:
            if not as_json:
                self.stdout.write(f"demo data ({time.monotonic() - began:.0f} s): {words}")

        try:
            loading.load(now=now, say=say)
        except loading.NotEmptyError as error:
            self.stderr.write(
                "The database is neither empty nor a finished demo; perhaps its loading was interrupted. "
                "`make demo-reset` empties it."
            )
            raise SystemExit(1) from error
        seconds = time.monotonic() - began
        self.answer({"loaded": True, "seconds": round(seconds, 1)}, f"the demo is loaded ({seconds:.0f} s)")
