"""A whole file judged without a database: what its rows would become in an empty one."""

from hashlib import blake2b
from typing import NamedTuple

from referrals.rules import AnyValues, Problem, SeenRows, messages, problem
from referrals.rules.checked import AnyChecked


class Judged(NamedTuple):
    """What becomes of a row: `problems` are its errors, or the reasons of its quarantine."""

    state: str
    values: AnyValues | None = None
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


def judge(checked: AnyChecked, seen: SeenRows) -> Judged:
    """Settle a checked row against the good rows of its file before it."""
    values = checked.values
    if values is None:
        return Judged("rejected", None, checked.errors)
    met = seen.meet(values.key, blake2b(repr(tuple(values)).encode(), digest_size=16).digest())
    if met == "first":
        return Judged("quarantined" if checked.quarantine else "new", values, checked.quarantine, checked.warnings)
    if met == "same":
        return Judged("unchanged", values)
    return Judged("rejected", None, (problem("reference", "duplicate_in_file", messages.DUPLICATE, values.key[1]),))
