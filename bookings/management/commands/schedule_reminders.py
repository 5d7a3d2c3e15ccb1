"""Put the reminders that are due into the outbox."""

from datetime import datetime
from typing import Any

from audit.commands import ActingCommand
from bookings import services


class Command(ActingCommand):
    help = "Schedules the reminders that are due: 7 days, 48 hours and 2 hours before a course."

    def handle(self, *args: Any, now: datetime, **options: Any) -> None:
        """Do it once; print how many of each kind."""
        counts = services.schedule_reminders(now=now, by=self.actor)
        words = ", ".join(f"{count} of {kind}" for kind, count in counts.items())
        self.answer(dict(counts), f"Reminders put into the outbox: {words}")
