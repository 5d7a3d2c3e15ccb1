import datetime as dt
from typing import Any

from audit.commands import ActingCommand
from payments import services


class Command(ActingCommand):
    help = "Mop-up: asks Stripe about every open payment and finishes it."

    def handle(self, *, now: dt.datetime, as_json: bool, **options: Any) -> None:
        counts = services.settle_payments(now=now, by=self.actor)
        words = "{asked} asked about, {paid} paid, {closed} closed, {failed} to be tried again".format(**counts)
        self.answer(counts, words)
