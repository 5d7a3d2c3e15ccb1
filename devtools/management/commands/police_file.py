"""A file of fresh referrals to send on the police's pages."""

import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from audit.commands import ActingCommand
from common.clock import london_day
from devtools.demo.offers import Offers, referrals_csv


class Command(ActingCommand):
    help = "Writes a referrals file as a force would send it today: invented people, references never used before."

    def add_arguments(self, parser: CommandParser) -> None:
        """The file, how many, and of which force."""
        super().add_arguments(parser)
        parser.add_argument("file", type=Path)
        parser.add_argument("--rows", type=int, default=100)
        parser.add_argument("--force", default="46")

    def handle(self, *, now: datetime, as_json: bool, file: Path, rows: int, force: str, **options: Any) -> None:
        """Write the file; every row of it is good."""
        rng = random.Random()  # nothing secret: a PIN of an invented person
        # Far above the numbers of the demo's story, and at another place each time.
        offers = Offers(rng, london_day(now), last_number=rng.randrange(30_000_000, 90_000_000))
        offered_on = london_day(now) - timedelta(days=1)
        made = offers.make(force_code=force, offered_on=offered_on, fates={}, size=rows)
        file.write_bytes(referrals_csv(offer.row for offer in made).getvalue())
        self.answer({"file": str(file), "rows": len(made)}, f"{len(made)} referrals in {file}")
