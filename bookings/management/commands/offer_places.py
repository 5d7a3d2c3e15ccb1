"""Offer what is free to who waits for it, and settle what was offered."""

from datetime import datetime
from typing import Any

from audit.commands import ActingCommand
from bookings import services


class Command(ActingCommand):
    help = "Offers free places to who waits, lets offers pass on, settles payments that came too late."

    def handle(self, *args: Any, now: datetime, **options: Any) -> None:
        """Do it once; print how many of each."""
        counts = services.offer_places(now=now, by=self.actor)
        words = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in counts.items())
        self.answer(dict(counts), f"Places: {words}")
