"""Expire offers whose complete by has passed."""

from datetime import datetime
from typing import Any

from audit.commands import ActingCommand
from referrals import services


class Command(ActingCommand):
    help = "Expires offers whose complete by has passed and writes their outcomes."

    def handle(self, *args: Any, now: datetime, **options: Any) -> None:
        """Go on until none is left."""
        expired = 0
        while some := services.expire_referrals(by=self.actor, now=now):
            expired += some
        self.answer({"expired": expired}, f"{expired} expired")
