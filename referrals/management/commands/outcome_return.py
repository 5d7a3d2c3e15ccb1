"""Write the outcome return that is due."""

import json
import os
from argparse import ArgumentParser
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from django.db import transaction

from audit.commands import ActingCommand
from referrals import services
from referrals.models import Force


class Command(ActingCommand):
    help = "Writes the outcome return due: a CSV file and its manifest."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """The force and the folder."""
        parser.add_argument("--force", required=True, help="two digits, 46 for Kent")
        parser.add_argument("--out", required=True, type=Path, help="an existing folder")

    def handle(self, *args: Any, force: str, out: Path, now: datetime, **options: Any) -> None:
        """Write both files, then commit: a run that dies between leaves files that the next one writes again."""
        receiver = Force.objects.filter(pk=force).first()
        if receiver is None:
            raise CommandError(f"there is no force {force}")
        if not out.is_dir():
            raise CommandError(f"{out} is not a folder")
        with transaction.atomic():
            written = services.compose_outcome_return(force=receiver, by=self.actor, now=now)
            if written is not None:
                _write(out / f"{written.name}.csv", written.content)
                _write(out / f"{written.name}.json", json.dumps(written.manifest, indent=1).encode())
        if written is None:
            self.answer({"rows": 0}, "No outcome is due.")
            return
        name = f"{written.name}.csv"
        self.answer({"file": name, **written.manifest}, f"{name}: {written.record.rows} outcomes")


def _write(path: Path, content: bytes) -> None:
    """Write a file whole: who watches the folder never sees half of it."""
    unfinished = path.with_name(f".{path.name}.part")
    with unfinished.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
