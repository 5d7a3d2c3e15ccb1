"""Empty the outbox of what is due."""

from datetime import datetime
from typing import Any

from audit.commands import ActingCommand
from notifications import services


class Command(ActingCommand):
    help = "Sends the messages that are due."

    def handle(self, *args: Any, now: datetime, **options: Any) -> None:
        """Send until nothing is due; print what became of them."""
        total = {"sent": 0, "dropped": 0, "put_off": 0, "dead": 0}
        while any((counts := services.send_messages(now=now)).values()):
            total = {name: total[name] + counts[name] for name in total}
        self.answer(
            dict(total),
            f"{total['sent']} sent, {total['put_off']} to be tried again, {total['dropped']} dropped, "
            f"{total['dead']} given up",
        )
