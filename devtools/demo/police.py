"""What police do: send batches, withdraw, extend, note, decide rows, take back outcomes."""

import datetime as dt
import io
from dataclasses import dataclass

from audit.context import Actor, acting
from common.clock import from_london
from devtools.demo.offers import Offer, as_csv, referrals_csv
from referrals import services as referrals
from referrals.constants import RowState
from referrals.models import Batch, BatchRow, Force, Referral
from referrals.rules import FORECAST_COLUMNS, WITHDRAWAL_COLUMNS

WORKER = Actor("job", "import_batches")


@dataclass
class Police:
    """The forces of the story, each with the officer who acts for it."""

    officers: dict[str, Actor]

    def send(self, force_code: str, kind: str, content: io.BytesIO, *, now: dt.datetime) -> Batch:
        """Upload a file; a worker imports it two minutes later."""
        officer = self.officers[force_code]
        force = Force.objects.get(pk=force_code)
        day = f"{now:%Y-%m-%d}"
        name = f"{force.name.lower()}-{kind}-{day}.csv"
        with acting(officer):
            batch, _ = referrals.receive_batch(
                file=content, file_name=name, kind=kind, force=force, by=officer, now=now
            )
        return referrals.import_batch(batch_id=batch.pk, by=WORKER, now=now + dt.timedelta(minutes=2))

    def send_referrals(
        self, force_code: str, offers: list[Offer], extra: list[dict[str, str]], *, now: dt.datetime
    ) -> Batch:
        """Send offers, and rows that are no good or not ours to take, scattered among them."""
        rows = [offer.row for offer in offers]
        for number, row in enumerate(extra):
            rows.insert((number + 1) * len(rows) // (len(extra) + 1), row)
        batch = self.send(force_code, "referrals", referrals_csv(rows), now=now)
        known = Referral.objects.of_force(force_code).filter(reference__in=[offer.reference for offer in offers])
        found = dict(known.values_list("reference", "pk"))
        for offer in offers:
            offer.referral_id = found[offer.reference]
        return batch

    def send_withdrawals(self, force_code: str, offers: list[Offer], unknown: str, *, now: dt.datetime) -> Batch:
        """Withdraw these, and one whose reference nobody knows."""
        reasons = ("FIXED_PENALTY_PAID", "OTHER", "COURT", "FIXED_PENALTY_PAID", "TIME_EXPIRED")
        rows = [
            {
                "force_code": force_code,
                "reference": reference,
                "reason": reasons[number % len(reasons)],
                "effective_at": f"{now - dt.timedelta(days=1):%Y-%m-%d}T10:00",
            }
            for number, reference in enumerate([*(offer.reference for offer in offers), unknown])
        ]
        return self.send(force_code, "withdrawals", as_csv(WITHDRAWAL_COLUMNS, rows), now=now)

    def send_forecast(self, force_code: str, *, now: dt.datetime) -> Batch:
        """What police expect to offer in the next three months."""
        monthly = {"NSAC": 3900, "NMAC": 420, "WDU": 380, "NRRAC": 90, "SCD": 110}
        months = [(now.year + (now.month + ahead - 1) // 12, (now.month + ahead - 1) % 12 + 1) for ahead in (1, 2, 3)]
        rows = [
            {
                "force_code": force_code,
                "month": f"{year}-{month:02d}",
                "course_code": code,
                "expected_referrals": str(count + 13 * month),
            }
            for year, month in months
            for code, count in monthly.items()
        ]
        return self.send(force_code, "forecast", as_csv(FORECAST_COLUMNS, rows), now=now)

    def withdraw(self, offer: Offer, *, now: dt.datetime) -> None:
        """One withdrawn by hand."""
        by = self.officers[offer.force_code]
        with acting(by):
            referrals.withdraw(
                force_code=offer.force_code,
                reference=offer.reference,
                reason="COURT",
                effective_at=None,
                received_at=now,
                by=by,
                now=now,
                note="The driver asked for a hearing.",
            )

    def extend(self, offer: Offer, *, now: dt.datetime) -> None:
        """More time, with what shows that police decided it."""
        by = self.officers[offer.force_code]
        with acting(by):
            referrals.extend(
                force_code=offer.force_code,
                reference=offer.reference,
                complete_by=offer.complete_by + dt.timedelta(days=14),
                evidence="Letter from the hospital seen by the Central Ticket Office",
                by=by,
                now=now,
            )
            referrals.add_note(
                force_code=offer.force_code,
                reference=offer.reference,
                note="Two weeks more were agreed by telephone.",
                by=by,
                now=now,
            )

    def decide(self, batch: Batch, *, now: dt.datetime) -> None:
        """Look at the quarantined rows of a batch and leave them out."""
        by = self.officers[batch.force_id]
        rows = BatchRow.objects.filter(batch=batch, state=RowState.QUARANTINED)
        with acting(by):
            for row_id in rows.values_list("pk", flat=True):
                referrals.refuse_row(row_id=row_id, reason="Checked: goes to the fixed penalty.", by=by, now=now)

    def take_back_outcomes(self, force_code: str, *, now: dt.datetime) -> None:
        """Have the return written that is due, and say an hour later that it came."""
        by = self.officers[force_code]
        force = Force.objects.get(pk=force_code)
        with acting(by):
            written = referrals.write_outcome_return(force=force, by=by, now=now)
            if written:
                referrals.acknowledge(force=force, up_to=written.record.last, by=by, now=now + dt.timedelta(hours=1))


def at_hour(day: dt.date, hour: int, minute: int = 0) -> dt.datetime:
    """London time on a day as an instant."""
    return from_london(day, dt.time(hour, minute))
