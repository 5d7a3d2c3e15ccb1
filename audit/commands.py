"""The base of every management command: it acts under its name, takes `--now`, and answers in words or in JSON."""

import argparse
import datetime as dt
import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder

from audit.context import Actor, acting
from common import clock


class ActingCommand(BaseCommand):
    """A command whose writes are recorded as done by "command:<its name>".

    `handle()` is given `now` (an instant in UTC: `--now`, else the clock read once) and `as_json`; it answers through
    `answer()` and ends with another code than 0 by raising `SystemExit(code)`. A CommandError is an answer in JSON too
    where JSON was asked for: {"error": why}.
    """

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """Add `--now` and `--json`, whatever `add_arguments` adds."""
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.add_argument("--now", type=_instant, metavar="ISO8601", help="act as if it were this instant")
        parser.add_argument("--json", action="store_true", dest="as_json", help="answer with one JSON object")
        return parser

    @property
    def actor(self) -> Actor:
        """Who the record names: "command:verify_audit"."""
        return Actor("command", type(self).__module__.rsplit(".", 1)[-1])

    def execute(self, *args: Any, **options: Any) -> str | None:
        """Run the command under its name."""
        now = options.get("now")
        options["now"] = clock.now() if now is None else clock.require_aware(now)
        options.setdefault("as_json", False)
        self.as_json: bool = options["as_json"]
        try:
            with acting(self.actor):
                return super().execute(*args, **options)
        except CommandError as error:
            if not self.as_json:
                raise
            self.answer({"error": str(error)}, "")
            raise SystemExit(error.returncode) from error

    def answer(self, result: dict[str, Any], words: str) -> None:
        """Print `result` as one JSON object where JSON was asked for, else `words`."""
        self.stdout.write(json.dumps(result, cls=DjangoJSONEncoder) if self.as_json else words)


def _instant(text: str) -> dt.datetime:
    try:
        return clock.parse_instant(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is not an instant in ISO 8601") from error
