"""Making small Excel workbooks, part by part, so that tests can have any oddity in them."""

import io
import zipfile
from xml.sax.saxutils import escape

_TYPES = """<?xml version="1.0" encoding="UTF-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>
<Default Extension="xml" ContentType="application/xml"/>
<Override PartName="/xl/workbook.xml"
 ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>
<Override PartName="/xl/worksheets/sheet1.xml"
 ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/>
</Types>"""
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006/relationships"
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"

FORMATS = ("General", "yyyy-mm-dd", "dd/mm/yyyy hh:mm", "000000", "h:mm", "[h]:mm", "#,##0.00", "[$-809]d mmmm yyyy;@")
GENERAL, DAY, MOMENT, ZEROS, TIME, DURATION, THOUSANDS, LONG_DAY = range(len(FORMATS))


def text(value: str) -> str:
    """A cell with text of its own."""
    return f't="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is>'


def shared(index: int) -> str:
    """A cell with one of the shared strings."""
    return f't="s"><v>{index}</v>'


def number(value: object, style: int = GENERAL) -> str:
    """A cell with a number, shown in one of `FORMATS`."""
    return f's="{style}"><v>{value}</v>'


def raw(kind: str, value: str) -> str:
    """A cell of another kind."""
    return f't="{kind}"><v>{value}</v>'


def letters(column: int) -> str:
    """The letters of a column, counted from 0."""
    before, last = divmod(column, 26)
    return (letters(before - 1) if before else "") + chr(65 + last)


def sheet(rows: dict[int, dict[int, str]]) -> str:
    """A sheet of cells by row, counted from 1, and column, counted from 0."""
    body = "".join(
        f'<row r="{row}">' + "".join(f'<c r="{letters(n)}{row}" {cell}</c>' for n, cell in cells.items()) + "</row>"
        for row, cells in rows.items()
    )
    return f'<?xml version="1.0"?><worksheet xmlns="{_MAIN}"><sheetData>{body}</sheetData></worksheet>'


def workbook(
    rows: dict[int, dict[int, str]] | str,
    *,
    strings: str = "",
    is_1904: bool = False,
    changes: dict[str, str | bytes | None] | None = None,
) -> bytes:
    """A workbook with one sheet: its rows, or its whole XML. `changes` replaces, adds or (`None`) leaves out parts."""
    formats = "".join(f'<numFmt numFmtId="{164 + n}" formatCode="{code}"/>' for n, code in enumerate(FORMATS))
    styles = "".join(f'<xf numFmtId="{164 + n}" applyNumberFormat="1"/>' for n in range(len(FORMATS)))
    parts: dict[str, str | bytes | None] = {
        "[Content_Types].xml": _TYPES,
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}"><Relationship Id="rId1" Type="{_RELATIONS}/officeDocument"'
        ' Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_RELATIONS}"><workbookPr date1904="{int(is_1904)}"/>'
        '<sheets><sheet name="Offers" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}">'
        f'<Relationship Id="rId1" Type="{_RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/>'
        f'<Relationship Id="rId2" Type="{_RELATIONS}/styles" Target="styles.xml"/>'
        f'<Relationship Id="rId3" Type="{_RELATIONS}/sharedStrings" Target="/xl/sharedStrings.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{_MAIN}"><numFmts>{formats}</numFmts><cellStyleXfs><xf numFmtId="14"/>'
        f"</cellStyleXfs><cellXfs>{styles}</cellXfs><dxfs><dxf><numFmt numFmtId='164' formatCode='yyyy'/></dxf></dxfs>"
        "</styleSheet>",
        "xl/sharedStrings.xml": f'<sst xmlns="{_MAIN}">{strings}</sst>',
        "xl/worksheets/sheet1.xml": rows if isinstance(rows, str) else sheet(rows),
    }
    return archive(parts | (changes or {}))


def archive(parts: dict[str, str | bytes | None]) -> bytes:
    """A zip archive of the parts that are not `None`."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as written:
        for name, content in parts.items():
            if content is not None:
                written.writestr(name, content)
    return made.getvalue()


def table(header: str, *rows: dict[int, str]) -> dict[int, dict[int, str]]:
    """Rows of a sheet beneath a header of column names, separated by commas."""
    names = {n: text(name) for n, name in enumerate(header.split(","))}
    return {1: names} | dict(enumerate(rows, 2))
