import datetime as dt
from typing import Any

from audit.commands import ActingCommand
from payments import services


class Command(ActingCommand):
    help = "Deletes the files of finance's exports whose days are over; their rows stay."

    def handle(self, *, now: dt.datetime, as_json: bool, **options: Any) -> None:
        count = services.expire_exports(now=now, by=self.actor)
        self.answer({"expired": count}, f"{count} expired")
