import datetime as dt
from typing import Any

from django.core.management.base import CommandError, CommandParser

from audit.commands import ActingCommand
from bookings import services
from common.clock import london_day
from common.errors import PortalError
from common.money import pounds_and_pence
from payments.constants import RunStatus
from payments.selectors import open_exceptions


class Command(ActingCommand):
    help = "Compares a day at Stripe, in the ledger and in the bookings. Ends with 3 where something does not agree."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--day", type=dt.date.fromisoformat, help="a London day, YYYY-MM-DD; yesterday by default")

    def handle(self, *, day: dt.date | None, now: dt.datetime, as_json: bool, **options: Any) -> None:
        day = day or london_day(now) - dt.timedelta(days=1)
        try:
            run = services.reconcile_payments(day=day, by=self.actor, now=now)
        except PortalError as error:
            raise CommandError(error.message) from error
        found = open_exceptions(run)
        lines = [f"{run.day}: {run.get_status_display()}, {run.transactions} transactions, {run.repaired} repaired"]
        for one in found:
            sides = (
                "nothing" if pence is None else pounds_and_pence(pence) for pence in (one.ours_pence, one.theirs_pence)
            )
            lines.append(f"{one.get_kind_display()}: {one.subject}, {' against '.join(sides)} ({one.note})")
        answer = {
            "day": run.day,
            "status": run.status,
            "transactions": run.transactions,
            "repaired": run.repaired,
            "payments_pence": run.payments_pence,
            "refunds_pence": run.refunds_pence,
            "disputes_pence": run.disputes_pence,
            "fees_pence": run.fees_pence,
            "payouts_pence": run.payouts_pence,
            "other_pence": run.other_pence,
            "stripe_balance_pence": run.stripe_balance_pence,
            "ledger_balance_pence": run.ledger_balance_pence,
            "exceptions": [
                {
                    "kind": one.kind,
                    "subject": one.subject,
                    "booking": one.booking_reference,
                    "ours_pence": one.ours_pence,
                    "theirs_pence": one.theirs_pence,
                    "note": one.note,
                }
                for one in found
            ],
        }
        self.answer(answer, "\n".join(lines))
        if run.status == RunStatus.EXCEPTIONS:
            raise SystemExit(3)
