"""Cells that a spreadsheet would take for a formula: made harmless on the way out, given back exactly on the way in.

A cell that begins as a formula would (`=`, `+`, `-`, `@`, tab or line break, their full-width twins, all of them also
after spaces) gets an apostrophe in front. So does one that begins with apostrophes before that, and so the two are
never confused: taking one apostrophe off any such cell undoes it, to the byte. All other cells, O'Neil and
's-Gravenhage among them, are left alone both ways. Only files with our `errors` column are undone on reading.
"""

import re

_LIKE_A_FORMULA = re.compile(r"'*\s*[=+\-@\t\r\n＝＋－＠]")
_PROTECTED = re.compile(r"'+\s*[=+\-@\t\r\n＝＋－＠]")


def protect(cell: str) -> str:
    """Return the cell such that no spreadsheet takes it for a formula."""
    return f"'{cell}" if _LIKE_A_FORMULA.match(cell) else cell


def unprotect(cell: str) -> str:
    """Return what `protect` was given."""
    return cell[1:] if _PROTECTED.match(cell) else cell
