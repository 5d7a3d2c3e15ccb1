"""Take a batch from a file as an upload would."""

import time
from argparse import ArgumentParser
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from audit.commands import ActingCommand
from common.errors import PortalError
from referrals import selectors, services
from referrals.constants import UNFINISHED, BatchKind, BatchStatus
from referrals.errors import BatchBusyError
from referrals.models import Batch, Force

# How long a worker is given to take the batch up before the command does it itself.
_FOR_A_WORKER = 1.0
_LOOK_AGAIN = 0.05

REFUSED, NOT_ALL = 1, 3


class Command(ActingCommand):
    help = "Takes a batch as an upload would, waits for it and prints its receipt."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The file, its force and its kind."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--force", required=True, help="two digits, 46 for Kent")
        parser.add_argument("--kind", required=True, choices=BatchKind.values)

    def handle(self, *args: Any, file: Path, force: str, kind: str, now: datetime, **options: Any) -> None:
        """Exit with 0 where all rows are settled, 3 where some are rejected or quarantined, 1 where it is refused."""
        sender = Force.objects.filter(pk=force, is_active=True).first()
        if sender is None:
            raise CommandError(f"there is no force {force}")
        try:
            with file.open("rb") as stream:
                batch, is_new = services.receive_batch(
                    file=stream, file_name=file.name, kind=kind, force=sender, by=self.actor, now=now
                )
        except OSError as error:
            raise CommandError(f"{file}: {error.strerror}") from error
        except PortalError as error:
            words = f"The file was refused: {error.message}"
            if self.as_json:
                self.answer({"refused": error.message}, words)
            else:
                self.stderr.write(words)
            raise SystemExit(REFUSED) from error
        batch = self._wait(batch, now)
        if batch.status == BatchStatus.REFUSED:
            answer = {**selectors.receipt(batch), "refused": batch.refusal}
            self.answer(answer, f"The file was refused: {batch.refusal}")
            raise SystemExit(REFUSED)
        words = self._words(batch)
        self.answer(selectors.receipt(batch), words if is_new else f"{words}\nThe same bytes came before.")
        if batch.rejected or batch.quarantined:
            raise SystemExit(NOT_ALL)

    def _wait(self, batch: Batch, now: datetime) -> Batch:
        """Wait for a worker; where none takes the batch up, import it here."""
        patience = time.monotonic() + _FOR_A_WORKER
        while batch.status in UNFINISHED:
            if time.monotonic() >= patience:
                try:
                    batch = services.import_batch(batch_id=batch.pk, by=self.actor, now=now)
                except BatchBusyError:
                    patience = time.monotonic() + _FOR_A_WORKER
            else:
                time.sleep(_LOOK_AGAIN)
                batch.refresh_from_db()
        return batch

    def _words(self, batch: Batch) -> str:
        told = selectors.receipt(batch)
        lines = [f"{name.replace('_', ' '):12} {'' if value is None else value}" for name, value in told.items()]
        for group in selectors.problem_groups(batch, state="rejected"):
            where = f" in {group.column}" if group.column else ""
            rows = ", ".join(str(row.number) for row in group.rows)
            more = " and others" if group.count > len(group.rows) else ""
            lines.append(f"rejected: {group.code}{where}, {group.count} row(s): {rows}{more}")
        for group in selectors.problem_groups(batch, state="quarantined"):
            rows = ", ".join(str(row.number) for row in group.rows)
            lines.append(f"quarantined: {group.code}, {group.count} row(s): {rows}")
        return "\n".join(lines)
