"""Reading Excel workbooks: cells as a person sees them, rows as the sheet numbers them, and what is refused."""

import datetime as dt
import io
import struct
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from referrals.files import FileRefusedError, Limits, Row, Table, open_table
from referrals.files.number_formats import NumberFormat, understand
from referrals.rules import FORECAST, REFERRALS, WITHDRAWALS, FileKind, check_forecast, check_referral
from tests.referrals.rows import CONTEXT, GOOD
from tests.referrals.workbooks import (
    DAY,
    DURATION,
    LONG_DAY,
    MOMENT,
    THOUSANDS,
    TIME,
    ZEROS,
    archive,
    number,
    raw,
    shared,
    sheet,
    table,
    text,
    workbook,
)

HEADER = "force_code,reference,reason,effective_at"
ROW = {0: text("46"), 1: text("46KD00000126"), 2: text("COURT")}
LIMITS = Limits()
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"


def opened(content: bytes, kind: FileKind = WITHDRAWALS, limits: Limits = LIMITS) -> Table:
    return open_table(io.BytesIO(content), kind=kind, limits=limits)


def rows(content: bytes, kind: FileKind = WITHDRAWALS, limits: Limits = LIMITS) -> list[Row]:
    made = opened(content, kind, limits)
    found = list(made)
    assert made.rows == len(found)
    assert list(made) == found
    return found


def cell_text(cell: str, *, column: int = 1, is_1904: bool = False, strings: str = "") -> str:
    """The text of one cell, in the column `reference` (1) or `effective_at` (3)."""
    content = workbook(table(HEADER, {0: text("46"), column: cell}), is_1904=is_1904, strings=strings)
    return rows(content)[0].cells[column]


def refusal(content: bytes, kind: FileKind = WITHDRAWALS, limits: Limits = LIMITS) -> FileRefusedError:
    with pytest.raises(FileRefusedError) as refused:
        opened(content, kind, limits)
    return refused.value


# Cells


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (text(" O’Neil "), " O’Neil "),
        (text("000123"), "000123"),
        (text("a_x0000_b_x005F_x0041_"), "a\x00b_x0041_"),
        (text("=1+1"), "=1+1"),
        (raw("str", "from a formula"), "from a formula"),
        (raw("b", "1"), "TRUE"),
        (raw("b", "0"), "FALSE"),
        (raw("e", "#N/A"), "#N/A"),  # told, and never taken for an empty cell
        (number(30), "30"),
        (number("30.0"), "30"),
        (number("3.0000000000000001E1"), "30"),
        (number("0.1"), "0.1"),
        (number("-5"), "-5"),
        (number("7700900275"), "7700900275"),
        (number("1E+21"), "1e+21"),
        (number(1234, THOUSANDS), "1234"),
        (number(123, ZEROS), "000123"),
        (number(1234567, ZEROS), "1234567"),
        (number("12.5", ZEROS), "12.5"),
        (number("0.36527777777777776", TIME), "08:46"),
        (number("1.5", DURATION), "1.5"),
        (number(46332, 99), "46332"),  # a style that is not there
    ],
)
def test_cells_are_read_as_a_person_sees_them(cell: str, expected: str) -> None:
    assert cell_text(cell) == expected


@pytest.mark.parametrize(
    ("cell", "day_column", "instant_column"),
    [
        (number(46332, DAY), "2026-11-06", "2026-11-06"),  # no time: not enough for an instant
        (number(46332, LONG_DAY), "2026-11-06", "2026-11-06"),
        (number("46332.365277777775", MOMENT), "2026-11-06T08:46", "2026-11-06T08:46"),
        (number(46332, MOMENT), "2026-11-06", "2026-11-06T00:00"),  # midnight
        (number("46332.365277777775", DAY), "2026-11-06", "2026-11-06T08:46"),  # a time that is not shown
        (number("46332.36530092593", MOMENT), "2026-11-06T08:46:02", "2026-11-06T08:46:02"),  # nothing is rounded
        (number(61, DAY), "1900-03-01", "1900-03-01"),
        (number(59, DAY), "1900-02-28", "1900-02-28"),
        (number(60, DAY), "60", "60"),  # the 29 February 1900 that never was
        (number(99_999_999, DAY), "99999999", "99999999"),
        (raw("d", "2026-11-06T08:46:00"), "2026-11-06T08:46:00".removesuffix(":00"), "2026-11-06T08:46"),
        (raw("d", "2026-11-06T00:00:00.000Z"), "2026-11-06", "2026-11-06T00:00"),
        (raw("d", "2026-11-06"), "2026-11-06", "2026-11-06"),
        (raw("d", "2026-11-06T08:46:01"), "2026-11-06T08:46:01", "2026-11-06T08:46:01"),
    ],
)
def test_date_cells_count_as_dates(cell: str, day_column: str, instant_column: str) -> None:
    assert cell_text(cell, column=1) == day_column
    assert cell_text(cell, column=3) == instant_column


def test_date_cells_of_a_workbook_that_counts_from_1904() -> None:
    assert cell_text(number(44870, DAY), is_1904=True) == "2026-11-06"


def test_every_minute_of_a_day_comes_out_as_itself() -> None:
    minutes = [{3: number(repr(46332 + n / 1440), MOMENT)} for n in range(1440)]
    midnight = dt.datetime(2026, 11, 6)  # noqa: DTZ001 - a wall clock
    expected = [(midnight + dt.timedelta(minutes=n)).strftime("%Y-%m-%dT%H:%M") for n in range(1440)]
    assert [row.cells[3] for row in rows(workbook(table(HEADER, *minutes)))] == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("General", NumberFormat()),
        ("dd/mm/yyyy", NumberFormat(has_day=True)),
        ("mmm-yy", NumberFormat(has_day=True)),
        ("mm:ss.0", NumberFormat(has_time=True)),
        ('yyyy"年"m"月"d"日"', NumberFormat(has_day=True)),
        ("[$-F800]dddd\\,\\ mmmm\\ dd\\,\\ yyyy", NumberFormat(has_day=True)),
        ("dd/mm/yyyy\\ hh:mm;@", NumberFormat(has_day=True, has_time=True)),
        ("[h]:mm:ss", NumberFormat()),
        ("[Red]0.00", NumberFormat()),
        ('0.0"days"', NumberFormat()),
        ("#,##0;[Red]-#,##0", NumberFormat()),
        ("@", NumberFormat()),
        ("0", NumberFormat()),
        ("00000000", NumberFormat(digits=8)),
    ],
)
def test_number_formats_are_understood(code: str, expected: NumberFormat) -> None:
    assert understand(code) == expected


def test_shared_strings_may_be_in_pieces_and_have_phonetic_guides() -> None:
    strings = (
        "<si><t>Zoë</t></si><si><r><t>Mü</t></r><r><rPr/><t xml:space='preserve'>ller </t></r></si>"
        "<si><t>東京</t><rPh sb='0' eb='2'><t>トウキョウ</t></rPh></si><si/><si><t>&lt;&amp;</t></si>"
    )
    assert [cell_text(shared(n), strings=strings) for n in (0, 1, 2, 3, 4)] == ["Zoë", "Müller ", "東京", "", "<&"]


MANY_TEXTS = st.text(st.characters(exclude_categories=["Cc", "Cs"], max_codepoint=0xFFFD), max_size=8)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.dictionaries(st.integers(0, 5), MANY_TEXTS), min_size=1, max_size=8))
def test_text_is_read_as_another_library_reads_it(made: list[dict[int, str]]) -> None:
    cells = [{n: text(value.replace("_", "-")) for n, value in row.items()} for row in made]
    content = workbook(table(HEADER, {3: text("x")}, *cells))
    known = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()
    theirs = {n: row for n, row in enumerate(known, 1) if n > 1 and any(row)}
    ours = {row.number: list(row.cells) for row in rows(content)}
    width = max(map(len, known))
    assert {n: row + [""] * (width - len(row)) for n, row in ours.items()} == theirs


# Rows and columns


def test_rows_keep_the_numbers_of_the_sheet_and_blank_ones_are_left_out() -> None:
    made = table(HEADER, ROW, {0: number(46), 1: text("two\nlines")})
    made |= {7: dict.fromkeys(range(4), "s='1'>"), 9: ROW, 2000: {}}
    found = rows(workbook(made))
    assert [row.number for row in found] == [2, 3, 9]
    assert found[1].values == ("46", "two\nlines", "", "")


def test_rows_may_be_read_on_from_any_row() -> None:
    made = opened(workbook(table(HEADER, *[ROW] * 2500)))
    assert [row.number for row in made.after(2400)] == list(range(2401, 2502))


def test_columns_may_be_in_any_order_and_cells_missing() -> None:
    content = workbook(table("Reason, reference ,FORCE_CODE", {0: text("COURT"), 2: number(46)}))
    assert rows(content) == [Row(2, ["COURT", "", "46"], ("46", "", "COURT", ""), ())]


def test_rows_and_cells_may_be_without_references_and_names_with_a_prefix() -> None:
    xml = sheet(table(HEADER, ROW, ROW))
    for reference in ("A", "B", "C", "D"):
        for n in (1, 2, 3):
            xml = xml.replace(f' r="{reference}{n}"', "")
    for n in (1, 2, 3):
        xml = xml.replace(f' r="{n}"', "")
    prefixed = xml.replace("<", "<x:").replace("<x:/", "</x:").replace("<x:?", "<?").replace("xmlns=", "xmlns:x=")
    for content in (workbook(xml), workbook(prefixed)):
        assert [(row.number, row.values) for row in rows(content)] == [
            (2, ("46", "46KD00000126", "COURT", "")),
            (3, ("46", "46KD00000126", "COURT", "")),
        ]


def test_row_too_long_where_there_is_text_beyond_the_header() -> None:
    found = rows(workbook(table(HEADER, ROW | {4: text("?")}, ROW | {9: "s='1'>"})))
    assert [[problem.code for problem in row.problems] for row in found] == [["row_too_long"], []]


def test_a_good_row_of_date_and_number_cells_passes_the_checks() -> None:
    cells = [text(value) for value in GOOD.values()]
    for column, cell in {
        "force_code": number(46),
        "pin": number(97435, ZEROS),
        "offence_at": number("46329.77361111111", MOMENT),
        "speed_limit_mph": number(60),
        "recorded_speed_mph": number("68.0"),
        "date_of_birth": number(23926, DAY),
        "offer_date": number(46346, MOMENT),
        "book_by": number(46374, DAY),
        "complete_by": number(46449, LONG_DAY),
    }.items():
        cells[REFERRALS.index[column]] = cell
    (row,) = rows(workbook(table(",".join(GOOD), dict(enumerate(cells)))), REFERRALS)
    assert check_referral(row.values, context=CONTEXT) == check_referral(GOOD, context=CONTEXT)


def test_a_month_typed_into_a_spreadsheet_is_a_month() -> None:
    cells = {0: number(46), 1: number(46357, DAY), 2: text("NSAC"), 3: number(3900, THOUSANDS)}
    (row,) = rows(workbook(table("force_code,month,course_code,expected_referrals", cells)), FORECAST)
    assert check_forecast(row.values, context=CONTEXT).values == ("46", dt.date(2026, 12, 1), "NSAC", 3900)


# Whole files that are refused


def test_macro_workbook() -> None:
    made = table(HEADER, ROW)
    assert refusal(workbook(made, changes={"xl/vbaProject.bin": b"\x00"})).code == "macro_workbook"
    types = "<Types><Default ContentType='application/vnd.ms-excel.sheet.macroEnabled.main+xml'/></Types>"
    assert refusal(workbook(made, changes={"[Content_Types].xml": types})).code == "macro_workbook"


def test_password_protected() -> None:
    protected = (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2_000_000) + "EncryptedPackage".encode("utf-16-le") + bytes(9)
    )
    assert refusal(protected).code == "password_protected"
    content = bytearray(workbook(table(HEADER, ROW)))
    entry = content.rindex(b"PK\x01\x02")
    content[entry + 8] |= 1  # the flag of an encrypted part
    assert refusal(bytes(content)).code == "password_protected"


def test_old_workbook() -> None:
    assert refusal(OLE + bytes(1000)).code == "old_workbook"


@pytest.mark.parametrize("name", ["xl/workbook.bin", "content.xml"])
def test_other_workbook(name: str) -> None:
    parts: dict[str, str | bytes | None] = {"[Content_Types].xml": "<Types/>", name: "x", "mimetype": "x"}
    assert refusal(archive(parts)).code == "other_workbook"


@pytest.mark.parametrize("content", [archive({"offers.csv": f"{HEADER}\n"}), archive({}), archive({"xl/x": "x"})])
def test_zip(content: bytes) -> None:
    refused = refusal(content)
    assert (refused.code, refused.status) == ("zip", 415)


def test_zip_bomb() -> None:
    content = workbook(table(HEADER, ROW), changes={"xl/media/image.bmp": bytes(5_000_000)})
    assert len(content) < 20_000
    assert len(rows(content, limits=Limits(max_unpacked_bytes=6_000_000))) == 1
    refused = refusal(content, limits=Limits(max_unpacked_bytes=4_000_000))
    assert (refused.code, refused.status) == ("zip_bomb", 413)


def test_zip_bomb_that_lies_about_its_size() -> None:
    content = bytearray(workbook(table(HEADER, ROW), changes={"xl/bomb.bin": bytes(5_000_000)}))
    entry = content.rindex(b"PK\x01\x02")
    assert struct.unpack_from("<L", content, entry + 24) == (5_000_000,)
    struct.pack_into(
        "<LLL", content, entry + 16, zlib.crc32(b"0" * 10), *struct.unpack_from("<L", content, entry + 20), 10
    )
    with zipfile.ZipFile(io.BytesIO(bytes(content))) as archived:
        assert archived.getinfo("xl/bomb.bin").file_size == 10
    assert refusal(bytes(content), limits=Limits(max_unpacked_bytes=1_000_000)).code == "zip_bomb"


def most_memory(content: bytes, *, code: str) -> int:
    """The most bytes that were taken beside the file itself until it was refused."""
    tracemalloc.start()
    try:
        assert refusal(content).code == code
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def with_string(content: str) -> bytes:
    """A workbook with a shared string."""
    return workbook(table(HEADER, ROW, {0: shared(0)}), strings=f"<si>{content}</si>")


def with_cell(cell: str) -> bytes:
    return workbook(table(HEADER, ROW, {0: cell}))


def stored(content: bytes) -> bytes:
    """The same workbook unpacked, so that its size gives nothing away."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as packed, zipfile.ZipFile(made, "w") as written:
        for name in packed.namelist():
            written.writestr(name, packed.read(name))
    return made.getvalue()


@pytest.mark.parametrize("is_shared", [True, False])
def test_small_file_that_unpacks_to_far_more_is_refused_before_it_is_read(*, is_shared: bool) -> None:
    long = "x" * 60_000_000
    content = with_string(f"<t>{long}</t>") if is_shared else with_cell(text(long))
    assert len(content) < 62_000
    assert most_memory(content, code="zip_bomb") < 2_000_000


LONG = 5_000_000
RUN = "<r><t>xxxxxxxxx</t></r>"


@pytest.mark.parametrize(
    ("make", "code"),
    [
        (lambda: with_string(f"<t>{'x' * LONG}</t>"), "cell_too_long"),
        (lambda: with_string(RUN * (LONG // 40)), "cell_too_long"),
        (lambda: with_cell(text("x" * LONG)), "cell_too_long"),
        (lambda: with_cell(f't="inlineStr"><is>{RUN * (LONG // 10)}</is>'), "cell_too_long"),
        (lambda: with_cell(f't="{"x" * LONG}"><v>1</v>'), "damaged_workbook"),
    ],
    ids=["shared string", "runs of a shared string", "cell", "runs of a cell", "attribute"],
)
def test_text_that_no_cell_may_have_is_not_gathered(make: Callable[[], bytes], code: str) -> None:
    assert most_memory(stored(make()), code=code) < LONG


def test_long_text_outside_the_table_refuses_nothing() -> None:
    content = workbook(
        sheet(table(HEADER, ROW)).replace("</sheetData>", f"</sheetData><f>{'x' * LONG}</f>"),
        strings=f"<si><t>{'x' * LONG}</t></si>",
    )
    assert len(rows(stored(content))) == 1


def test_more_shared_text_than_any_table_holds_is_a_bomb(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("referrals.files.workbook._MOST_SHARED_BYTES", 10_000)
    assert len(rows(workbook(table(HEADER, ROW), strings="<si><t>eight by</t></si>" * 600))) == 1
    assert refusal(workbook(table(HEADER, ROW), strings="<si><t>eight by</t></si>" * 700)).code == "zip_bomb"
    assert refusal(workbook(table(HEADER, ROW), strings="<si/>" * 1_300)).code == "zip_bomb"


def test_last_row_of_a_sheet_and_one_beyond_it() -> None:
    assert [row.number for row in rows(workbook({1: table(HEADER)[1], 1_048_576: ROW}))] == [1_048_576]
    for beyond in (1_048_577, 3_000_000_000):
        assert refusal(workbook({1: table(HEADER)[1], beyond: ROW})).code == "damaged_workbook"


def test_too_many_parts_are_a_bomb_too() -> None:
    content = workbook(table(HEADER, ROW), changes={f"xl/{n}": "" for n in range(5_000)})
    assert refusal(content).code == "zip_bomb"


def _doctype(xml: str) -> str:
    return xml.replace("<worksheet", '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><worksheet', 1)


@pytest.mark.parametrize(
    "content",
    [
        workbook(table(HEADER, ROW))[:-200],
        workbook(table(HEADER, ROW), changes={"xl/worksheets/sheet1.xml": None}),
        workbook(table(HEADER, ROW), changes={"xl/workbook.xml": None}),
        workbook(table(HEADER, ROW), changes={"xl/_rels/workbook.xml.rels": "<x"}),
        workbook(sheet(table(HEADER, ROW))[:-30]),
        workbook(_doctype(sheet(table(HEADER, ROW)))),
        workbook(table(HEADER, ROW | {1: shared(7)})),
        workbook(table(HEADER, ROW | {1: shared(-1)})),
        workbook(table(HEADER, ROW | {1: number("many")})),
        workbook(table(HEADER, ROW | {1: number("1e999", DAY)})),
        workbook({1: table(HEADER)[1], 3: ROW, 2: ROW}),
        workbook(sheet(table(HEADER, ROW)).replace('r="B2"', 'r="b2"')),
    ],
)
def test_damaged_workbook(content: bytes) -> None:
    refused = refusal(content)
    assert (refused.code, refused.status) == ("damaged_workbook", 422)


def test_no_rows_and_an_empty_sheet() -> None:
    assert refusal(workbook(table(HEADER))).code == "no_rows"
    assert refusal(workbook({})).code == "empty"
    assert refusal(workbook(table(HEADER, ROW), changes={"xl/workbook.xml": "<workbook/>"})).code == "no_rows"


def test_the_header_must_be_in_the_first_row() -> None:
    made = table(HEADER, ROW)
    assert refusal(workbook({2: made[1], 3: made[2]})).code == "missing_columns"
    assert refusal(workbook(table("force_code,refrence", ROW))).code == "unknown_columns"


def test_limits_hold_for_workbooks() -> None:
    content = workbook(table(HEADER, ROW, ROW, {1: text("x" * 100)}))
    assert len(rows(content, limits=Limits(max_rows=3, max_columns=4, max_cell_characters=100))) == 3
    assert refusal(content, limits=Limits(max_rows=2)).code == "too_many_rows"
    assert refusal(content, limits=Limits(max_columns=3)).code == "too_many_columns"
    assert refusal(content, limits=Limits(max_cell_characters=99)).code == "cell_too_long"
    assert refusal(content, limits=Limits(max_bytes=len(content) - 1)).code == "too_large"


def test_text_far_beyond_the_last_column_costs_nothing_but_the_file() -> None:
    made = {1: table(HEADER)[1], 1_048_576: {16_383: text("x")}}
    refused = refusal(workbook(made))
    assert (refused.code, refused.message) == (
        "too_many_columns",
        "Row 1048576 has text beyond column 64, the last one that is taken.",
    )


WHOLE = workbook(
    table(HEADER, ROW, {0: number(46), 1: shared(0), 3: number(46332, MOMENT)}),
    strings="<si><t>x</t></si><si><r><t>y</t></r></si>",
)


def mangled(data: st.DataObject, content: bytes) -> bytes:
    """The content with a few of its bytes changed, left out or doubled."""
    changed = bytearray(content)
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(changed) - 1))
        changed[place : place + 1] = data.draw(st.binary(max_size=3) | st.sampled_from([b"<", b">", b'"', b"-", b"9"]))
    return bytes(changed)


def read_to_its_end_or_refused(content: bytes) -> None:
    try:
        made = opened(content)
    except FileRefusedError:
        return
    assert made.rows == len(list(made))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_mangled_archive_is_read_to_its_end_or_refused(data: st.DataObject) -> None:
    read_to_its_end_or_refused(mangled(data, WHOLE))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_workbook_with_a_mangled_part_is_read_to_its_end_or_refused(data: st.DataObject) -> None:
    with zipfile.ZipFile(io.BytesIO(WHOLE)) as whole:
        parts: dict[str, str | bytes | None] = {name: whole.read(name) for name in whole.namelist()}
        name = data.draw(st.sampled_from(whole.namelist()))
        parts[name] = mangled(data, whole.read(name))
    read_to_its_end_or_refused(archive(parts))
