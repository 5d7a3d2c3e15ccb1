"""What an officer is told of how files are made, and the empty workbooks."""

import io
import zipfile
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from django.test import Client

from referrals import rules
from referrals.files import FileRefusedError, Limits, blank_workbook, open_table
from tests.factories import referrals as factories
from tests.referrals.rows import GOOD
from tests.referrals.workbooks import archive

KINDS = list(rules.KINDS.values())


def filled_in(content: bytes, cells: list[str]) -> bytes:
    """The workbook with a second row, as a program writes it."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        parts: dict[str, Any] = {name: book.read(name).decode() for name in book.namelist()}
    row = "".join(f'<c s="1" t="inlineStr"><is><t>{cell}</t></is></c>' for cell in cells)
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet] = parts[sheet].replace("</sheetData>", f'<row r="2">{row}</row></sheetData>')
    return archive(parts)


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_every_column_is_told(kind: rules.FileKind) -> None:
    assert tuple(rules.GUIDE[kind.name]) == kind.columns
    assert all(rules.GUIDE[kind.name].values())


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_empty_workbook_has_the_columns_and_is_told_to_have_no_rows(kind: rules.FileKind) -> None:
    content = blank_workbook(kind)
    assert content == blank_workbook(kind)
    with pytest.raises(FileRefusedError) as refused:
        open_table(io.BytesIO(content), kind=kind, limits=Limits())
    assert refused.value.code == "no_rows"
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        assert book.testzip() is None
        for name in book.namelist():
            ET.fromstring(book.read(name))


def test_empty_workbook_filled_in_is_read_as_it_was_typed() -> None:
    content = filled_in(blank_workbook(rules.REFERRALS), list(GOOD.values()))
    (row,) = open_table(io.BytesIO(content), kind=rules.REFERRALS, limits=Limits())
    assert dict(zip(rules.REFERRALS.columns, row.values, strict=True)) == GOOD


@pytest.mark.django_db
def test_page_leads_to_the_workbooks(client: Client) -> None:
    client.force_login(factories.OfficerFactory.create().user)
    assert 'href="/police/upload/columns/"' in client.get("/police/upload/").content.decode()
    page = client.get("/police/upload/columns/").content.decode()
    for kind in KINDS:
        address = f"/police/upload/empty.xlsx?kind={kind.name}"
        assert f'href="{address}"' in page
        response = client.get(address)
        assert response["Content-Disposition"] == f'attachment; filename="{kind.name}.xlsx"'
        assert response.content == blank_workbook(kind)
    assert client.get("/police/upload/empty.xlsx?kind=other").status_code == 404
