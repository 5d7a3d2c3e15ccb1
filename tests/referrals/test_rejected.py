"""Sending rows back to be mended: harmless in a spreadsheet, and read in again to the byte."""

import csv
import io
from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from referrals.files import Limits, Row, open_table, protect, rejected_csv, unprotect
from referrals.rules import WITHDRAWALS, Problem

NAMES = ("Force_Code", "reference", "reason", "effective_at")
PROBLEM = Problem("reason", "invalid_reason", "Write COURT or OTHER.", "?")
FORMULA_STARTS = "=+-@\t\r\n＝＋－＠"


def read_back(content: bytes) -> list[Row]:
    return list(open_table(io.BytesIO(content), kind=WITHDRAWALS, limits=Limits()))


def written(rows: Sequence[Sequence[str]], delimiter: str = ",") -> bytes:
    return b"".join(rejected_csv(NAMES, [(row, [PROBLEM]) for row in rows], delimiter=delimiter))


@pytest.mark.parametrize(
    ("cell", "protected"),
    [
        ('=HYPERLINK("http://example.org")', '\'=HYPERLINK("http://example.org")'),
        ("+447700900123", "'+447700900123"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("  =1", "'  =1"),
        ("\t=1", "'\t=1"),
        ("＝1", "'＝1"),
        ("'=1", "''=1"),
        ("''=1", "'''=1"),
        ("O'Neil", "O'Neil"),
        ("'s-Gravenhage", "'s-Gravenhage"),
        ("'", "'"),
        ("", ""),
        ("2026-11-20", "2026-11-20"),
    ],
)
def test_protect_touches_nothing_but_what_begins_like_a_formula(cell: str, protected: str) -> None:
    assert protect(cell) == protected
    assert unprotect(protected) == cell


@given(st.text(st.characters() | st.sampled_from(list(FORMULA_STARTS + "' "))))
def test_unprotect_undoes_protect_and_no_formula_is_left(cell: str) -> None:
    protected = protect(cell)
    assert unprotect(protected) == cell
    assert not protected.startswith(tuple(FORMULA_STARTS))
    assert not protected.lstrip(" ").startswith(tuple(FORMULA_STARTS))


def test_rejected_csv_has_the_columns_and_text_of_the_file_and_the_errors() -> None:
    content = written([["46", "=1+1", "PAID", ""]])
    assert content.startswith(b"\xef\xbb\xbf")
    assert list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))) == [
        ["errors", "Force_Code", "reference", "reason", "effective_at"],
        ["reason: Write COURT or OTHER.", "46", "'=1+1", "PAID", ""],
    ]


def test_rejected_csv_tells_all_errors_of_a_row() -> None:
    other = Problem("", "row_too_short", "Too short.", "")
    content = b"".join(rejected_csv(NAMES, [(["46"], [PROBLEM, other])]))
    assert b'"reason: Write COURT or OTHER. | Too short.","46"\r\n' in content


CELL = st.text(st.characters(codec="utf-8") | st.sampled_from(list(FORMULA_STARTS + "' \",;\0")), max_size=10)


@settings(max_examples=300)
@given(
    st.lists(st.lists(CELL, min_size=1, max_size=6), min_size=1, max_size=8),
    st.sampled_from([",", ";", "\t"]),
)
@example([["46", "\ud800", "'=1", "\x00"]], ",")
def test_rejected_csv_reads_in_again_to_the_byte(rows: list[list[str]], delimiter: str) -> None:
    assert [list(row.cells) for row in read_back(written(rows, delimiter))] == rows


def test_a_row_with_too_many_or_too_few_cells_stays_so() -> None:
    found = read_back(written([["46", "x"], ["46", "x", "COURT", "", ""]]))
    assert [problem.code for row in found for problem in row.problems] == ["row_too_short", "row_too_long"]


def test_a_mended_file_is_taken_as_it_is() -> None:
    content = written([["46", "46KD00000126", "PAID", ""]]).replace(b"PAID", b"COURT")
    assert [row.values for row in read_back(content)] == [("46", "46KD00000126", "COURT", "")]


def test_the_errors_column_may_have_been_moved() -> None:
    content = b"force_code,reference,reason,effective_at,errors\r\n46,'=x,COURT,,mended\r\n"
    assert [row.cells for row in read_back(content)] == [["46", "=x", "COURT", ""]]


def test_cells_of_a_file_that_is_not_ours_keep_their_apostrophes() -> None:
    content = b"force_code,reference,reason,effective_at\r\n46,'=x,COURT,\r\n"
    assert [row.cells for row in read_back(content)] == [["46", "'=x", "COURT", ""]]
