"""Let go the holds whose time is over."""

from datetime import datetime
from typing import Any

from audit.commands import ActingCommand
from bookings import services


class Command(ActingCommand):
    help = "Gives back the places of holds that have run out."

    def handle(self, *args: Any, now: datetime, **options: Any) -> None:
        """Do it once; print how many went."""
        counts = services.release_holds(now=now, by=self.actor)
        services.forget_old_tries(now=now)
        self.answer(dict(counts), f"{counts['released']} holds released")
