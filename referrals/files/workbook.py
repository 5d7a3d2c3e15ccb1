"""A workbook taken apart: which part is the first sheet, its shared strings, and how it shows numbers."""

import posixpath
import zipfile
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, BinaryIO

from referrals.files.archive import UNREADABLE, bomb
from referrals.files.limits import Limits
from referrals.files.number_formats import PLAIN, NumberFormat, built_in, understand
from referrals.files.refusals import FileRefusedError, damaged_workbook
from referrals.files.xml_parts import ESCAPE_LENGTH, elements, feed, local_name, new_parser, unescape

_WORKBOOK = "xl/workbook.xml"
_MOST_SHARED_BYTES = 128 * 1024 * 1024


class SharedStrings:
    """The strings that a workbook keeps once for all its cells: packed, for there may be millions of short ones.

    Of one that is longer than a cell may be only so much is kept that whoever has it in a cell finds it too long.
    """

    def __init__(self) -> None:
        self._text = bytearray()
        self._ends = array("Q", [0])

    def append(self, text: str) -> None:
        """Add the next string. Raises `FileRefusedError` where all of them are more than any table holds."""
        self._text += text.encode("utf-8", "surrogatepass")
        self._ends.append(len(self._text))
        if len(self._text) + self._ends.itemsize * len(self._ends) > _MOST_SHARED_BYTES:
            raise bomb()

    def __getitem__(self, index: int) -> str:
        if index < 0:
            raise IndexError(index)
        return self._text[self._ends[index] : self._ends[index + 1]].decode("utf-8", "surrogatepass")

    def __len__(self) -> int:
        return len(self._ends) - 1


class Workbook:
    """What is needed of a workbook to read its first sheet."""

    def __init__(self, stream: BinaryIO, limits: Limits) -> None:
        """Read everything but the sheet itself. Raises `FileRefusedError` where there is none, or it is damaged."""
        self._stream = stream
        self._limits = limits
        with self._archive() as archive:
            self._names = {name.lower(): name for name in archive.namelist()}
            related = self._relations(archive)
            workbook = self._elements(archive, _WORKBOOK)
            self.is_1904 = any(
                name == "workbookPr" and attributes.get("date1904") in ("1", "true") for name, attributes in workbook
            )
            self._sheet = _first_sheet(workbook, related)
            self.formats = self._formats(archive, related)
            self.strings = self._strings(archive, related)

    @contextmanager
    def sheet(self) -> Iterator[IO[bytes]]:
        """Open the first sheet's part."""
        with self._archive() as archive, self._part(archive, self._sheet) as part:
            yield part

    @contextmanager
    def _archive(self) -> Iterator[zipfile.ZipFile]:
        self._stream.seek(0)
        try:
            with zipfile.ZipFile(self._stream) as archive:
                yield archive
        except (KeyError, *UNREADABLE) as error:
            raise damaged_workbook() from error

    def _part(self, archive: zipfile.ZipFile, name: str) -> IO[bytes]:
        """Open a part. Some programs are not careful with the case of its name."""
        return archive.open(self._names[name.lower()])

    def _elements(self, archive: zipfile.ZipFile, name: str) -> list[tuple[str, dict[str, str]]]:
        with self._part(archive, name) as part:
            return elements(part)

    def _relations(self, archive: zipfile.ZipFile) -> dict[str, tuple[str, str]]:
        """Return what the workbook relates to: by id, the kind of part and its name."""
        found = {}
        for name, attributes in self._elements(archive, "xl/_rels/workbook.xml.rels"):
            if name == "Relationship" and attributes.get("TargetMode") != "External":
                target = attributes["Target"].replace("\\", "/")
                path = posixpath.normpath(posixpath.join("/xl", target)).lstrip("/")
                found[attributes["Id"]] = (posixpath.basename(attributes["Type"]), path)
        return found

    def _formats(self, archive: zipfile.ZipFile, related: dict[str, tuple[str, str]]) -> list[NumberFormat]:
        """Return how numbers are shown in each style of cells."""
        path = _of_kind(related, "styles")
        if path is None:
            return []
        custom: dict[str, NumberFormat] = {}
        formats: list[NumberFormat] = []
        section = ""
        for name, attributes in self._elements(archive, path):
            if name in ("numFmts", "cellStyleXfs", "cellXfs", "cellStyles", "dxfs"):
                section = name
            elif name == "numFmt" and section == "numFmts":
                custom[attributes["numFmtId"]] = understand(attributes["formatCode"])
            elif name == "xf" and section == "cellXfs":
                number = attributes.get("numFmtId", "0")
                formats.append(custom.get(number) or (built_in(int(number)) if number.isdecimal() else PLAIN))
        return formats

    def _strings(self, archive: zipfile.ZipFile, related: dict[str, tuple[str, str]]) -> SharedStrings:
        strings = SharedStrings()
        path = _of_kind(related, "sharedStrings")
        if path is None:
            return strings
        with self._part(archive, path) as part:
            reader = _StringsReader(strings, longest=self._limits.max_cell_characters + 1)
            for _ in feed(reader.parser, part, []):
                pass
        return strings


class _StringsReader:
    """Puts each shared string together from its pieces, without the phonetic guides that some have."""

    def __init__(self, strings: SharedStrings, *, longest: int) -> None:
        self._strings = strings
        self._longest = longest
        self._pieces: list[str] = []
        self._left = longest * ESCAPE_LENGTH
        self._is_text = self._is_phonetic = False
        self.parser = new_parser()
        self.parser.StartElementHandler, self.parser.EndElementHandler = self._start, self._end
        self.parser.CharacterDataHandler = self._text

    def _start(self, name: str, _: dict[str, str]) -> None:
        name = local_name(name)
        if name == "rPh":
            self._is_phonetic = True
        self._is_text = name == "t" and not self._is_phonetic

    def _text(self, data: str) -> None:
        if self._is_text and self._left > 0:
            self._pieces.append(data)
            self._left -= len(data)

    def _end(self, name: str) -> None:
        self._is_text = False
        name = local_name(name)
        if name == "rPh":
            self._is_phonetic = False
        elif name == "si":
            self._strings.append(unescape("".join(self._pieces))[: self._longest])
            self._pieces.clear()
            self._left = self._longest * ESCAPE_LENGTH


def _of_kind(related: dict[str, tuple[str, str]], kind: str) -> str | None:
    return next((path for its_kind, path in related.values() if its_kind == kind), None)


def _first_sheet(workbook: list[tuple[str, dict[str, str]]], related: dict[str, tuple[str, str]]) -> str:
    """Return the first sheet that is a table of cells: neither a chart nor a dialogue."""
    for name, attributes in workbook:
        if name == "sheet":
            ids = [value for key, value in attributes.items() if local_name(key) == "id"]
            kind, path = related.get(ids[0], ("", "")) if ids else ("", "")
            if kind == "worksheet":
                return path
    raise FileRefusedError("no_rows", "The workbook has no sheet with rows.")
