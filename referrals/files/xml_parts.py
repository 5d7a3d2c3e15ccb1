"""Parsing the XML parts of a workbook as a stream, with no document types and so no entities to blow up."""

import re
from collections.abc import Callable, Iterator
from typing import IO, Any, TypeVar
from xml.parsers import expat

from referrals.files.refusals import damaged_workbook

_CHUNK = 64 * 1024
_MOST_ELEMENTS = 200_000
_MOST_BYTES = 32 * 1024 * 1024
# Of a tag with its attributes, which the parser keeps until it is closed.
_LONGEST_TAG = 1024 * 1024
# Each character of a text may be written as an escape.
ESCAPE_LENGTH = len("_x0000_")
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")

Made = TypeVar("Made")


def new_parser() -> expat.XMLParserType:
    """Make a parser that hands text over in whole pieces and refuses a document type."""
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.buffer_size = _CHUNK
    parser.StartDoctypeDeclHandler = _refuse_document_type
    return parser


def feed(
    parser: expat.XMLParserType, part: IO[bytes], made: list[Made], *, look: Callable[[int], None] | None = None
) -> Iterator[Made]:
    """Parse a part and yield, as they come, the things that the parser's handlers put into `made`.

    `look` is called after every few thousand bytes with how many were parsed: handlers may gather no more than that
    before somebody sees whether it is too much.
    """
    parsed = 0
    try:
        while data := part.read(_CHUNK):
            parser.Parse(data, False)
            parsed += len(data)
            if parsed - parser.CurrentByteIndex > _LONGEST_TAG:
                raise damaged_workbook()
            if look:
                look(parsed)
            yield from made
            made.clear()
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise damaged_workbook() from error
    yield from made
    made.clear()


def elements(part: IO[bytes]) -> list[tuple[str, dict[str, str]]]:
    """Return the elements of a small part in their order, each as its name without prefix and its attributes.

    Attributes keep their prefix. Refuses a part that is far larger, or has far more elements, than such parts.
    """
    found: list[tuple[str, dict[str, str]]] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        found.append((local_name(name), attributes))
        if len(found) > _MOST_ELEMENTS:
            raise damaged_workbook()

    def look(parsed: int) -> None:
        if parsed > _MOST_BYTES:
            raise damaged_workbook()

    parser = new_parser()
    parser.StartElementHandler = start
    for _ in feed(parser, part, [], look=look):
        pass
    return found


def local_name(name: str) -> str:
    """Return the name of an element or attribute without its prefix."""
    return name.rpartition(":")[2]


def unescape(text: str) -> str:
    """Undo the escapes with which workbooks write characters that XML cannot hold: `_x0000_`."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text) if "_x" in text else text


def _refuse_document_type(*_: Any) -> None:
    raise damaged_workbook()
