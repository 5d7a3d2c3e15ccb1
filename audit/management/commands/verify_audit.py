"""Is the record as it was sealed? Exit 0 if it is, 1 if not."""

from typing import Any

from audit.commands import ActingCommand
from audit.verification import verify


class Command(ActingCommand):
    help = "Computes every seal over the record again and lists what does not agree. Exit 1 if anything does not."

    def handle(self, **options: Any) -> None:
        verdict = verify()
        found = [f"{problem.kind}: {problem.words}{_ids(problem.ids)}" for problem in verdict.problems]
        state = "is whole" if verdict.is_whole else f"is broken in {len(found)} places"
        summary = (
            f"The record {state}: {verdict.seals} seals, {verdict.rows} sealed rows, head {verdict.head or 'none'}."
        )
        self.answer(verdict.as_dict(), "\n".join([summary, *found]))
        if not verdict.is_whole:
            raise SystemExit(1)


def _ids(ids: list[int]) -> str:
    return f" (ids {', '.join(map(str, ids))})" if ids else ""
