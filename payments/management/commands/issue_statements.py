import argparse
import datetime as dt
from typing import Any

from django.core.management.base import CommandParser

from audit.commands import ActingCommand
from payments import services


class Command(ActingCommand):
    help = "Issues the settlement statements of a month, or of every month that is over and has none."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--month", type=_month, metavar="YYYY-MM", help="only this month")

    def handle(self, *, now: dt.datetime, as_json: bool, month: dt.date | None, **options: Any) -> None:
        if month is None:
            issued = services.issue_due_statements(by=self.actor, now=now)
        else:
            issued = services.issue_statements(month=month, by=self.actor, now=now)
        numbers = [statement.number for statement in issued]
        self.answer({"issued": numbers}, f"{len(numbers)} issued: {', '.join(numbers) or 'none'}")


def _month(text: str) -> dt.date:
    try:
        return dt.datetime.strptime(text, "%Y-%m").replace(tzinfo=dt.UTC).date()
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not a month such as 2027-04") from error
