import datetime as dt
from typing import Any

from audit.commands import ActingCommand
from payments import services


class Command(ActingCommand):
    help = "Makes the files that finance asked for."

    def handle(self, *, now: dt.datetime, as_json: bool, **options: Any) -> None:
        counts = services.make_exports(now=now, by=self.actor)
        self.answer(counts, "{ready} ready, {failed} failed, {put_off} to be tried again".format(**counts))
