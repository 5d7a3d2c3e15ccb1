"""Recompute the clocks of promises and record their breaches."""

from datetime import datetime
from typing import Any

from audit.commands import ActingCommand
from oversight import services
from oversight.constants import Promise


class Command(ActingCommand):
    help = "Recomputes the clocks of the processing times and records each breach once."

    def handle(self, *args: Any, now: datetime, **options: Any) -> None:
        """Print one line per promise."""
        result = services.check_processing_times(by=self.actor, now=now)
        lines = [
            f"{Promise(promise).label}: {counts['running']} running, {counts['at_risk']} at risk, "
            f"{counts['breached']} overdue, {counts['new']} newly found"
            for promise, counts in result.items()
        ]
        self.answer(dict(result), "\n".join(lines))
