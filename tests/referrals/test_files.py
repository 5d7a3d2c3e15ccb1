"""Reading CSV files: every encoding, delimiter and line end; row numbers; what is wrong with a row or a file."""

import codecs
import csv
import io
from typing import Literal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from referrals.files import REFUSAL_CODES, FileRefusedError, Limits, Row, Table, open_table
from referrals.files.csv_table import CsvTable
from referrals.rules import (
    FORECAST,
    REFERRALS,
    WITHDRAWALS,
    FileKind,
    Problem,
    SeenRows,
    check_forecast,
    check_referral,
    check_withdrawal,
)
from tests.referrals.judging import judge
from tests.referrals.rows import CONTEXT, DATA, GOOD_FILE, UGLY_EXPECTED, UGLY_FILE

LIMITS = Limits()
HEADER = "force_code,reference,reason,effective_at"
ROW = "46,46KD00000126,COURT,"


def table(content: bytes | str, kind: FileKind = WITHDRAWALS, limits: Limits = LIMITS) -> Table:
    data = content.encode() if isinstance(content, str) else content
    return open_table(io.BytesIO(data), kind=kind, limits=limits)


def rows(content: bytes | str, kind: FileKind = WITHDRAWALS, limits: Limits = LIMITS) -> list[Row]:
    opened = table(content, kind, limits)
    found = list(opened)
    assert opened.rows == len(found)
    return found


def refusal(content: bytes | str, kind: FileKind = WITHDRAWALS, limits: Limits = LIMITS) -> FileRefusedError:
    with pytest.raises(FileRefusedError) as refused:
        table(content, kind, limits)
    assert refused.value.code in REFUSAL_CODES
    assert refused.value.message == str(refused.value)
    return refused.value


def cells(*values: str) -> Row:
    return Row(2, list(values), values, ())


# The files that were given


def test_s17_the_ugly_file_gives_exactly_what_is_expected() -> None:
    with UGLY_FILE.open("rb") as stream:
        opened = open_table(stream, kind=REFERRALS, limits=LIMITS)
        assert opened.description == "CSV, Windows-1252, semicolons"
        seen = SeenRows(opened.rows)
        judged = {row.number: judge(check_referral(row.values, context=CONTEXT), seen) for row in opened}
    assert {
        str(number): {
            "state": row.state,
            "errors": [[problem.column, problem.code] for problem in row.problems],
            "warnings": [warning.code for warning in row.warnings],
        }
        for number, row in judged.items()
    } == UGLY_EXPECTED["rows"]
    counts = dict.fromkeys(("new", "unchanged", "changed", "rejected", "quarantined"), 0)
    for row in judged.values():
        counts[row.state] += 1
    assert counts | {"rows": opened.rows} == UGLY_EXPECTED["counts"]


def test_s17_names_of_the_ugly_file_are_right_to_the_byte() -> None:
    with UGLY_FILE.open("rb") as stream:
        names = {
            row.number: (row.values[REFERRALS.index["forenames"]], row.values[REFERRALS.index["surname"]])
            for row in open_table(stream, kind=REFERRALS, limits=LIMITS)
        }
    assert names[3] == ("Se\u00e1n", "O\u2019Neil")
    assert names[4] == ("Zo\u00eb", "M\u00fcller")
    assert names[20] == ("Susan Aisha", "O'Neil")
    assert names[21] == ("Ivy", "M\u00fcller")


def test_the_good_file_is_all_new() -> None:
    with GOOD_FILE.open("rb") as stream:
        opened = open_table(stream, kind=REFERRALS, limits=LIMITS)
        seen = SeenRows(opened.rows)
        judged = [judge(check_referral(row.values, context=CONTEXT), seen) for row in opened]
    assert [(row.state, row.problems) for row in judged] == [("new", ())] * 300


def test_the_withdrawals_and_the_forecast_file_are_good() -> None:
    with (DATA / "withdrawals.csv").open("rb") as stream:
        withdrawals = [
            check_withdrawal(row.values, context=CONTEXT)
            for row in open_table(stream, kind=WITHDRAWALS, limits=LIMITS)
        ]
    assert [checked.errors for checked in withdrawals] == [()] * 12
    with (DATA / "forecast.csv").open("rb") as stream:
        forecast = [
            check_forecast(row.values, context=CONTEXT) for row in open_table(stream, kind=FORECAST, limits=LIMITS)
        ]
    assert [checked.errors for checked in forecast] == [()] * 15


# Encodings, delimiters, line ends

ENCODINGS = {
    "utf-8": lambda text: text.encode(),
    "utf-8 with mark": lambda text: codecs.BOM_UTF8 + text.encode(),
    "utf-16-le with mark": lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
    "utf-16-be with mark": lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
    "utf-16-le": lambda text: text.encode("utf-16-le"),
    "utf-16-be": lambda text: text.encode("utf-16-be"),
    "windows-1252": lambda text: text.encode("cp1252"),
}


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", list(ENCODINGS))
def test_every_encoding_delimiter_and_line_end(encoding: str, delimiter: str, line_end: str) -> None:
    lines = [HEADER, "46,Zoë,Müller,O’Neil", "46,£,€,naïve", ""]
    text = line_end.join(line.replace(",", delimiter) for line in lines)
    assert [row.values for row in rows(ENCODINGS[encoding](text))] == [
        ("46", "Zoë", "Müller", "O’Neil"),
        ("46", "£", "€", "naïve"),
    ]


@pytest.mark.parametrize(
    ("content", "description"),
    [
        (f"{HEADER}\n{ROW}\n".encode(), "CSV, UTF-8, commas"),
        (f"{HEADER}\n46,\xe9,\x92,\n".encode("latin-1"), "CSV, Windows-1252, commas"),
        (f"{HEADER}\n{ROW}\n".replace(",", ";").encode("utf-16"), "CSV, UTF-16, semicolons"),
        (f"{HEADER}\n{ROW}\n".replace(",", "\t").encode(), "CSV, UTF-8, tabs"),
    ],
)
def test_the_form_of_the_file_is_described(content: bytes, description: str) -> None:
    assert table(content).description == description


def test_bytes_that_mean_nothing_in_windows_1252_reach_their_row_as_control_characters() -> None:
    assert rows(f"{HEADER}\n46,é\x81,,\n".encode("latin-1")) == [cells("46", "é\x81", "", "")]


def test_halves_of_surrogate_pairs_reach_their_row() -> None:
    text = f"{HEADER}\n46,\ud800,,\n"
    assert rows(text.encode("utf-8", "surrogatepass")) == [cells("46", "\ud800", "", "")]
    assert rows(codecs.BOM_UTF16_LE + text.encode("utf-16-le", "surrogatepass")) == [cells("46", "\ud800", "", "")]


def test_a_character_cut_by_the_readers_chunks_is_whole() -> None:
    padding = "x" * 200
    lines = [f"46,{padding}é€😀{n},," for n in range(12_000)]
    found = rows("\n".join([HEADER, *lines]))
    assert [row.values[1] for row in found] == [f"{padding}é€😀{n}" for n in range(12_000)]


# Columns


def test_columns_may_be_in_any_order_case_and_have_spaces_around() -> None:
    opened = table(" Reason ;EFFECTIVE_AT;Force_Code;reference\nCOURT;;46;46KD00000126\n")
    assert opened.names == (" Reason ", "EFFECTIVE_AT", "Force_Code", "reference")
    assert list(opened) == [Row(2, ["COURT", "", "46", "46KD00000126"], ("46", "46KD00000126", "COURT", ""), ())]


def test_an_optional_column_may_be_missing() -> None:
    assert rows("reason,force_code,reference\nCOURT,46,46KD00000126\n") == [
        Row(2, ["COURT", "46", "46KD00000126"], ("46", "46KD00000126", "COURT", ""), ())
    ]


def test_empty_columns_after_the_last_are_none() -> None:
    content = f"{HEADER},,\n{ROW},,\n{ROW}\n{ROW},x,\n{ROW},,,\n"
    found = rows(content)
    assert [row.values for row in found[:2]] == [("46", "46KD00000126", "COURT", "")] * 2
    assert [problem.code for row in found[2:] for problem in row.problems] == ["row_too_long", "row_too_long"]


# Rows


def test_row_numbers_are_those_of_a_spreadsheet() -> None:
    content = f'{HEADER}\n{ROW}\n\n46,"two\r\nlines",,\n,,,\n   \n{ROW}\n\n'
    found = rows(content)
    assert [row.number for row in found] == [2, 4, 7]
    assert found[1].values == ("46", "two\r\nlines", "", "")


@pytest.mark.parametrize("number", [1, 2, 3, 5, 6, 9])
def test_rows_may_be_read_on_from_any_row(number: int) -> None:
    opened = table(f"{HEADER}\n{ROW}\n{ROW}\n\n{ROW}\n{ROW}\n")
    assert [row.number for row in opened.after(number)] == [n for n in (2, 3, 5, 6) if n > number]
    assert [row.number for row in opened] == [2, 3, 5, 6]


def test_an_iteration_that_is_left_alone_does_not_spoil_the_next() -> None:
    opened = table(f"{HEADER}\n{ROW}\n{ROW}\n")
    next(iter(opened))
    assert [row.number for row in opened] == [2, 3]


def test_quoted_cells_may_hold_delimiters_quotes_and_line_ends() -> None:
    content = f'{HEADER}\n46,"a,b","say ""x""","1\n2\r3"\n'
    assert rows(content) == [cells("46", "a,b", 'say "x"', "1\n2\r3")]


def test_leading_zeros_and_spaces_stay() -> None:
    assert rows(f"{HEADER}\n01, 000123 ,,\n") == [cells("01", " 000123 ", "", "")]


@pytest.mark.parametrize(
    ("line", "code"),
    [("46,46KD00000126,COURT", "row_too_short"), (f"{ROW},", "row_too_long"), ("46", "row_too_short")],
)
def test_row_too_short_and_row_too_long(line: str, code: str) -> None:
    first, second = rows(f"{HEADER}\n{line}\n{ROW}\n")
    assert (first.number, first.values) == (2, ())
    assert first.cells == line.split(",")
    mend = {
        "row_too_short": "Add the missing ones, empty if need be.",
        "row_too_long": "Put text with separators in quotation marks.",
    }
    message = f"The row has {len(line.split(','))} cells, the first row has 4. {mend[code]}"
    assert first.problems == (Problem("", code, message, ""),)
    assert second.values == ("46", "46KD00000126", "COURT", "")


def test_a_stray_quotation_mark_spoils_one_row_and_keeps_its_text() -> None:
    first, second = rows(f'{HEADER}\n46,"Smith" Jr,COURT,\n{ROW}\n')
    assert first.cells == ["46", '"Smith" Jr', "COURT", ""]
    assert [(problem.column, problem.code) for problem in first.problems] == [("", "invalid_character")]
    assert first.problems[0].value == '46,"Smith" Jr,COURT,'
    assert (second.number, second.problems) == (3, ())


def test_an_open_quotation_mark_in_the_last_row_spoils_that_row() -> None:
    first, second = rows(f'{HEADER}\n{ROW}\n46,"46KD,COURT,')
    assert first.problems == ()
    assert (second.number, [problem.code for problem in second.problems]) == (3, ["invalid_character"])


def test_quotation_marks_inside_a_cell_that_is_not_quoted_are_text() -> None:
    assert rows(f'{HEADER}\n46,12" ruler,COURT,\n') == [cells("46", '12" ruler', "COURT", "")]


# Whole files that are refused


@pytest.mark.parametrize(
    "content",
    [
        f'{HEADER}\n46,"46KD,COURT,\n' + f"{ROW}\n" * 50,  # never closed
        f'{HEADER}\n46,"46KD,COURT,\n{ROW}\n46,"x",,\n{ROW}\n',  # closed by the next quoted cell's opening mark
        f'{HEADER}\n46,"46KD,COURT,\n{ROW}\n{ROW}\n46,x,y,"\n',  # closed as if it were meant
        f'{HEADER}\n46,"46KD,COURT,\n' + f"{ROW}\n" * 20_000,  # beyond what the parser takes
    ],
)
def test_broken_quotes_that_swallow_rows(content: str) -> None:
    refused = refusal(content)
    assert (refused.code, refused.status) == ("broken_quotes", 422)
    assert refused.message.startswith("Row 2 has a quotation mark that is not closed")


@pytest.mark.parametrize("content", ["", b"", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_empty(content: bytes | str) -> None:
    assert refusal(content).code in {"empty", "missing_columns"}
    assert refusal("").code == "empty"


def test_no_rows() -> None:
    assert refusal(f"{HEADER}\r\n\r\n,,,\r\n").code == "no_rows"


def test_missing_columns() -> None:
    refused = refusal("force_code,effective_at\n46,\n")
    assert (refused.code, refused.message) == ("missing_columns", "These columns are missing: reference, reason.")
    assert refusal(f"\n{HEADER}\n{ROW}\n").code == "missing_columns"
    assert refusal(f"{ROW}\n{ROW}\n").code == "missing_columns"


def test_unknown_columns_with_did_you_mean() -> None:
    refused = refusal("force_code,refrence,Reason,colour\n46,x,COURT,red\n")
    assert refused.code == "unknown_columns"
    assert refused.message == "These columns are not known: “refrence” (did you mean reference?), “colour”."


def test_unknown_columns_because_it_is_another_kind_of_file() -> None:
    refused = refusal(f"{HEADER}\n{ROW}\n", kind=FORECAST)
    assert (refused.code, refused.message) == (
        "unknown_columns",
        "This is a withdrawals file, but it was sent as forecast.",
    )


def test_unnamed_column() -> None:
    refused = refusal("force_code,,reference,reason\n46,x,y,COURT\n")
    assert (refused.code, refused.message) == ("unnamed_column", "Column 2 has no name in the first row.")


def test_duplicate_columns() -> None:
    refused = refusal(f"{HEADER}, Reason\n{ROW},x\n")
    assert (refused.code, refused.message) == ("duplicate_columns", "These columns are there more than once: reason.")


def test_too_large() -> None:
    content = f"{HEADER}\n{ROW}\n".encode()
    assert len(rows(content, limits=Limits(max_bytes=len(content)))) == 1
    refused = refusal(content, limits=Limits(max_bytes=len(content) - 1))
    assert (refused.code, refused.status) == ("too_large", 413)


def test_too_many_rows() -> None:
    limits = Limits(max_rows=2)
    assert len(rows(f"{HEADER}\n{ROW}\n\n{ROW}\n", limits=limits)) == 2
    assert refusal(f"{HEADER}\n{ROW}\n{ROW}\n{ROW}\n", limits=limits).code == "too_many_rows"


def test_too_many_columns() -> None:
    assert len(rows(f"{HEADER}\n{ROW}\n", limits=Limits(max_columns=4))) == 1
    refused = refusal(f"{HEADER}\n{ROW}\n", limits=Limits(max_columns=3))
    assert (refused.code, refused.status) == ("too_many_columns", 413)


def test_cell_too_long() -> None:
    limits = Limits(max_cell_characters=100)
    assert len(rows(f"{HEADER}\n46,{'x' * 100},,\n", limits=limits)) == 1
    refused = refusal(f"{HEADER}\n{ROW}\n46,{'x' * 101},,\n", limits=limits)
    assert (refused.code, refused.message) == (
        "cell_too_long",
        "Row 3 has a cell of more than 100 characters. Is a quotation mark open?",
    )
    assert refusal(f"{HEADER}\n46,{'x' * 200_000},,\n").code == "cell_too_long"
    assert refusal(f'{HEADER}\n46,"{"x" * 200_000}",,\n').code == "cell_too_long"


@pytest.mark.parametrize(
    "content",
    [
        codecs.BOM_UTF8 + f"{HEADER}\n46,".encode() + b"\xe9,,\n",  # says UTF-8, is not
        f"{HEADER}\n46,Zoë Müller,,\n".encode() + b"46,Zo\xeb,,\n",  # mostly UTF-8
        codecs.BOM_UTF16_LE + f"{HEADER}\n{ROW}\n".encode("utf-16-le")[:-1],  # half a character at the end
        f"{HEADER}\n{ROW}\n".encode("utf-32"),
    ],
)
def test_unreadable_encoding(content: bytes) -> None:
    assert refusal(content).code == "unreadable_encoding"


@pytest.mark.parametrize(
    "content",
    [
        b"<html><table><tr><td>force_code</td></tr></table></html>",
        b"\r\n  <!DOCTYPE html>",
        b"\xef\xbb\xbf<TABLE border=1>",
        b'<?xml version="1.0"?><Workbook/>',
    ],
)
def test_html_saved_as_a_spreadsheet(content: bytes) -> None:
    refused = refusal(content)
    assert (refused.code, refused.status) == ("html", 415)


@pytest.mark.parametrize(
    "content",
    [
        b"%PDF-1.7\n",
        b"\x89PNG\r\n\x1a\n",
        b"\x1f\x8b\x08\x00",
        b"{\\rtf1 }",
        b"force_code,reference,reason\x00\x01\x02\x03\n1,2,3",
        b"force_code\x07,reference,reason\n46,x,COURT\n",
    ],
)
def test_not_a_table(content: bytes) -> None:
    assert refusal(content).code in {"not_a_table", "unknown_columns"}


def test_binary_rubbish_is_refused_in_one_way_or_another() -> None:
    assert refusal(bytes(range(256)) * 40).code == "not_a_table"
    assert refusal(b"\x00" * 1000).code in REFUSAL_CODES


# No row is ever lost

# Letters alone, no signs beyond ASCII: no two of them in Windows-1252 are by chance one character of UTF-8.
CELL = st.text(
    st.characters(max_codepoint=0x7E, exclude_categories=["Cc"])
    | st.characters(min_codepoint=0xC0, max_codepoint=0xFF)
    | st.sampled_from(list('",;\t\n\r= ')),
    max_size=12,
)
KNOWN = ("force_code", "reference", "reason", "effective_at")


@st.composite
def files(draw: st.DrawFn) -> tuple[bytes, list[list[str]]]:
    """A file of any form, some of its rows too short or too long, and the cells of its rows."""
    header = draw(st.permutations(KNOWN))
    made = draw(st.lists(st.lists(CELL, min_size=1, max_size=6), min_size=1, max_size=20))
    # A row of nothing is none, and one with half a file inside a cell is taken for an open quotation mark.
    made = [row for row in made if any(cell.strip() for cell in row)] or [["46", "x", "y", "z"]]
    delimiter = draw(st.sampled_from(",;\t"))
    made = [[cell.replace(delimiter, "") if "\n" in cell or "\r" in cell else cell for cell in row] for row in made]
    line_end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    # Python's writer leaves a line end unquoted that is not its own.
    has_lines = any("\n" in cell or "\r" in cell for row in made for cell in row)
    quoting: Literal[0, 1] = csv.QUOTE_ALL if has_lines or draw(st.booleans()) else csv.QUOTE_MINIMAL
    text = io.StringIO(newline="")
    csv.writer(text, delimiter=delimiter, lineterminator=line_end, quoting=quoting).writerows([header, *made])
    written = text.getvalue()
    if draw(st.booleans()):
        written = written.removesuffix(line_end)
    return ENCODINGS[draw(st.sampled_from(list(ENCODINGS)))](written), made


@settings(max_examples=400)
@given(files())
@example((f"{HEADER}\r{ROW}\r".encode(), [["46", "46KD00000126", "COURT", ""]]))
def test_no_row_is_lost_and_every_cell_is_as_it_was(made: tuple[bytes, list[list[str]]]) -> None:
    content, expected = made
    opened = table(content)
    found = list(opened)
    assert opened.rows == len(found) == len(expected)
    assert [list(row.cells) for row in found] == expected
    for row in found:
        if len(row.cells) == len(KNOWN):
            assert sorted(row.values) == sorted(row.cells)
            assert row.problems == ()
        else:
            code = "row_too_short" if len(row.cells) < len(KNOWN) else "row_too_long"
            assert ([problem.code for problem in row.problems], row.values) == ([code], ())
    numbers = [row.number for row in found]
    assert numbers == sorted(set(numbers))


@settings(max_examples=400)
@given(
    st.binary(max_size=400) | st.text(max_size=200).map(lambda text: f"{HEADER}\n{text}".encode("utf-8", "replace"))
)
def test_anything_at_all_is_read_to_its_end_or_refused(content: bytes) -> None:
    try:
        opened = table(content)
    except FileRefusedError:
        return
    seen = SeenRows()
    states = [
        "rejected" if row.problems else judge(check_withdrawal(row.values, context=CONTEXT), seen).state
        for row in opened
    ]
    assert len(states) == opened.rows


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize(
    ("lines", "count"),
    [
        ([ROW, ROW], 2),
        ([ROW, "", ",,,", ROW, "   ", "\t"], 2),
        ([ROW, " , , , "], 2),
        ([ROW, "46"], 2),
    ],
)
def test_rows_counted_by_their_lines_are_those_that_are_read(lines: list[str], count: int, end: str) -> None:
    opened = table(end.join([HEADER, *lines]))
    assert isinstance(opened, CsvTable)
    assert opened._count_plain() == opened.rows == len(list(opened)) == count


@pytest.mark.parametrize("cell", ['"COURT"', "x" * LIMITS.max_cell_characters])
def test_rows_with_quotes_or_long_lines_are_counted_as_they_are_read(cell: str) -> None:
    opened = table("\n".join([HEADER, ROW, f"46,46KD00000126,{cell},"]))
    assert isinstance(opened, CsvTable)
    assert opened._count_plain() is None
    assert opened.rows == len(list(opened)) == 2
