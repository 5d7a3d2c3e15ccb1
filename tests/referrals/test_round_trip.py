"""`rejected.csv` of a file in any form goes in again: unchanged with the same errors, mended as the rows it holds."""

import csv
import io

import pytest

from referrals import selectors
from referrals.cells import cells_of
from referrals.models import Batch, BatchRow, Referral
from tests.referrals.files import as_csv, import_bytes, many, table
from tests.referrals.workbooks import ZEROS, number, text, workbook

pytestmark = pytest.mark.django_db
# Two rows with a wrong PIN that look dangerous or odd to a spreadsheet, and a good one between them.
_ODD = [
    {"surname": "=cmd|'/C calc'!A0", "address_1": "+44 High Street", "town": "'@Dover", "offence_location": "-1"},
    {"surname": "Ó'Brien-Müller", "address_1": '2 "The Mews"; rear, N', "town": "O’Neil", "offence_location": " x "},
]
_WRONG, _RIGHT = "12", "001234"


def rows() -> list[dict[str, str]]:
    """The three rows of each source."""
    first, good, second = many(3)
    return [first | _ODD[0] | {"pin": _WRONG}, good, second | _ODD[1] | {"pin": _WRONG}]


def as_text(delimiter: str = ",", end: str = "\r\n", encoding: str = "utf-8") -> bytes:
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, list(table()[0]), delimiter=delimiter, lineterminator=end)
    writer.writeheader()
    writer.writerows(rows())
    return file.getvalue().encode(encoding)


def as_workbook() -> bytes:
    """With a number in a cell of leading zeros, as a spreadsheet keeps a force's code."""
    names = list(table()[0])
    cells = {1: {n: text(name) for n, name in enumerate(names)}}
    for at, row in enumerate(rows(), start=2):
        cells[at] = {n: text(row[name]) for n, name in enumerate(names) if row[name]}
        cells[at][names.index("pin")] = number(int(row["pin"]), ZEROS) if row["pin"] != _WRONG else text(_WRONG)
    return workbook(cells)


SOURCES = {
    "UTF-8, commas": as_text(),
    "UTF-8 with a mark, tabs": as_text("\t", "\r", "utf-8-sig"),
    "UTF-16, semicolons": as_text(";", "\n", "utf-16"),
    "Windows-1252, semicolons": as_text(";", "\r\n", "cp1252"),
    "workbook": as_workbook(),
}


def told(batch: Batch) -> list[tuple[str, list[str], object]]:
    """The rejected rows: reference, cells by name, and what is the matter."""
    found = BatchRow.objects.filter(batch=batch, state="rejected").order_by("number")
    return [(row.reference, cells_of(row.cells_encrypted), row.errors) for row in found]


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
def test_rejected_csv_of_any_source_goes_in_again(source: bytes) -> None:
    first = import_bytes(source)
    assert (first.new, first.rejected) == (1, 2)
    sent_back = b"".join(selectors.rejected_file(first))
    for row in csv.reader(io.StringIO(sent_back.decode("utf-8-sig"), newline="")):
        assert not any(cell.lstrip().startswith(("=", "+", "-", "@", "\t", "\r")) for cell in row)

    again = import_bytes(sent_back)
    assert (again.rows, again.rejected) == (2, 2)
    assert told(again) == told(first)
    assert b"".join(selectors.rejected_file(again)) == sent_back

    mended = import_bytes(sent_back.replace(f'"{_WRONG}"'.encode(), f'"{_RIGHT}"'.encode()))
    assert (mended.rows, mended.new) == (2, 2)
    kept = Referral.objects.filter(batch=mended).order_by("reference")
    assert [
        {name: getattr(each, name) for name in ("surname", "address_1", "town", "offence_location")} for each in kept
    ] == _ODD


def test_a_second_row_of_a_key_sent_back_as_it_is_changes_nothing() -> None:
    first, other = many(2)
    as_sent = import_bytes(as_csv([first, first | {"town": "Elsewhere"}, other]))
    assert (as_sent.new, as_sent.rejected) == (2, 1)
    sent_back = b"".join(selectors.rejected_file(as_sent))
    before = list(Referral.objects.order_by("reference").values())

    again = import_bytes(sent_back)
    assert (again.rows, again.rejected, again.changed) == (1, 1, 0)
    assert told(again) == told(as_sent)
    assert list(Referral.objects.order_by("reference").values()) == before


@pytest.mark.parametrize(
    ("mend", "became"),
    [
        ({"errors": ""}, "changed"),
        ({"reference": "46KD00000999"}, "new"),
        ({"town": "Another"}, "rejected"),
    ],
    ids=["the errors cell emptied", "another reference", "other content, the errors cell kept"],
)
def test_a_second_row_of_a_key_is_taken_once_its_sender_has_decided(mend: dict[str, str], became: str) -> None:
    first = many(1)[0]
    as_sent = import_bytes(as_csv([first, first | {"town": "Elsewhere"}]))
    text_sent = b"".join(selectors.rejected_file(as_sent)).decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(text_sent, newline=""))
    assert "If this row is the right one, empty this cell" in row["errors"]
    mended = import_bytes(as_csv([row | mend]))
    assert [each.state for each in BatchRow.objects.filter(batch=mended)] == [became]
