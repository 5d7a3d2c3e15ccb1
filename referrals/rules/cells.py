"""What every kind of row has in common: its cells in order, bad characters, the force and the reference."""

from collections.abc import Mapping, Sequence

from common.identifiers import is_force_code, normalise_reference
from referrals.rules import messages
from referrals.rules.checked import Checked, Values
from referrals.rules.columns import FileKind
from referrals.rules.context import Context
from referrals.rules.problems import BAD_CHARACTER, Problem, problem

Row = Mapping[str, str] | Sequence[str]


def in_order(row: Row, kind: FileKind) -> Sequence[str]:
    """Return the row's cells in canonical order. Raises `ValueError` for a sequence of another length."""
    if type(row) is not tuple and isinstance(row, Mapping):  # the question of a tuple is asked for every row
        return [row.get(name, "") for name in kind.columns]
    if len(row) != len(kind.columns):
        raise ValueError(f"a row of {kind.name} has {len(kind.columns)} cells in canonical order")
    return row


def screen(cells: Sequence[str], kind: FileKind) -> tuple[Sequence[str], list[Problem]]:
    """Find bad characters. Returns the cells with those emptied that have one, and an error for each.

    Emptied, they make no further check see them; what that emptiness itself brings about is taken back by `conclude`.
    """
    # isprintable() is far faster than a search; it lets one bad character pass, and is false of some good ones.
    whole = "".join(cells)
    if whole.isprintable() and "\ufffd" not in whole:
        return cells, []
    errors = []
    screened = list(cells)
    for n, cell in enumerate(cells):
        if found := BAD_CHARACTER.search(cell):
            errors.append(messages.bad_character(kind.columns[n], cell, found[0]))
            screened[n] = ""
    return screened, errors


def check_force(force_code: str, context: Context, errors: list[Problem]) -> str:
    """Check the force's code and return it; whether it is the sender's own is for `conclude`."""
    force_code = force_code.strip()
    if force_code != context.force and not (is_force_code(force_code) and force_code in context.forces):
        wrong(errors, "force_code", "unknown_force", messages.FORCE, force_code)
    return force_code


def check_reference(reference: str, errors: list[Problem]) -> str:
    """Check an offer's reference and return it upper-cased."""
    clean = normalise_reference(reference)
    if clean is None:
        wrong(errors, "reference", "invalid_reference", messages.REFERENCE, reference)
        return ""
    return clean


def wrong(errors: list[Problem], column: str, code: str, message: str, value: str) -> None:
    """Add the error of a needed cell: that it is empty, if it is, else what is wrong with it."""
    if not value or value.isspace():
        errors.append(messages.required(column))
    else:
        errors.append(problem(column, code, message, value))


def rejected(errors: list[Problem], bad_characters: list[Problem], kind: FileKind) -> Checked[Values]:
    """Put the errors of a row together, in the order of its columns.

    A cell emptied for a bad character is not also missing, and no check stands that took its emptiness for its value.
    """
    emptied = {error.column for error in bad_characters}
    if emptied:
        errors = [error for error in errors if not _rests_on(error, emptied)] + bad_characters
    if len(errors) > 1:
        errors.sort(key=lambda error: kind.index[error.column])
    return Checked(None, tuple(errors))


def _rests_on(error: Problem, emptied: set[str]) -> bool:
    return (error.code == "required" and error.column in emptied) or (
        error.column == "postcode" and "country" in emptied
    )


def accepted(
    values: Values, force_code: str, context: Context, warnings: list[Problem] | None = None
) -> Checked[Values]:
    """Put a good row together: quarantined where it is another force's, its warnings in the order of their codes."""
    if warnings and len(warnings) > 1:
        warnings.sort(key=lambda warning: warning.code)
    quarantine: tuple[Problem, ...] = ()
    if force_code != context.force:
        quarantine = (problem("force_code", "other_force", messages.OTHER_FORCE, force_code),)
    return Checked(values, (), quarantine, tuple(warnings) if warnings else ())
