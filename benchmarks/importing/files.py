"""Files of many rows, each with a key, a person and a vehicle of its own: CSV, and the same as a workbook."""

import csv
import io
import random
import string
import zipfile
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import IO
from xml.sax.saxutils import escape

from tests.referrals.workbooks import letters, workbook

ROOT = Path(__file__).resolve().parent.parent.parent
GOOD = ROOT / "tests" / "data" / "referrals-good.csv"
_LETTERS = string.ascii_uppercase
_SHEET = "xl/worksheets/sheet1.xml"


def write_csv(path: Path, count: int) -> None:
    """So many rows of the good file, made different."""
    rows = _rows(count)
    first = next(rows)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(first))
        writer.writeheader()
        writer.writerow(first)
        writer.writerows(rows)


def write_xlsx(path: Path, count: int) -> None:
    """The same as a workbook whose cells are text, as programs write it."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=4) as made:
        with zipfile.ZipFile(io.BytesIO(workbook({}))) as pattern:
            for name in pattern.namelist():
                if name != _SHEET:
                    made.writestr(name, pattern.read(name))
            begin, end = pattern.read(_SHEET).decode().split("<sheetData></sheetData>")
        with made.open(_SHEET, "w", force_zip64=True) as sheet:
            _write_sheet(sheet, begin, end, count)


def _write_sheet(sheet: IO[bytes], begin: str, end: str, count: int) -> None:
    sheet.write(f"{begin}<sheetData>".encode())
    rows = _rows(count)
    first = next(rows)
    columns = [letters(n) for n in range(len(first))]
    sheet.write(_row(1, columns, list(first)))
    for number, row in enumerate(chain([first], rows), 2):
        sheet.write(_row(number, columns, list(row.values())))
    sheet.write(f"</sheetData>{end}".encode())


def _row(number: int, columns: list[str], cells: list[str]) -> bytes:
    told = [
        f'<c r="{column}{number}" t="inlineStr"><is><t>{escape(cell)}</t></is></c>'
        for column, cell in zip(columns, cells, strict=True)
        if cell
    ]
    return f'<row r="{number}">{"".join(told)}</row>'.encode()


def _rows(count: int) -> Iterator[dict[str, str]]:
    with GOOD.open(encoding="utf-8", newline="") as file:
        pattern = list(csv.DictReader(file))
    rnd = random.Random(count)
    for n in range(count):
        row = dict(pattern[n % len(pattern)])
        row["reference"] = f"46B{count}{n:08d}"
        row["pin"] = f"{rnd.randrange(10**6):06d}"
        if len(row["driver_number"]) == 16:
            row["driver_number"] = row["driver_number"][:13] + "".join(rnd.choices(_LETTERS, k=3))
        row["vehicle_registration"] = f"G{rnd.choice(_LETTERS)}{rnd.randrange(70):02d}" + "".join(
            rnd.choices(_LETTERS, k=3)
        )
        row["address_1"] = f"{rnd.randrange(400)} {row['address_1'].split(' ', 1)[1]}"
        yield row
