"""Which encoding a text file is in: found out from its bytes, all of them, before a row is read."""

import codecs
import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from referrals.files.content import SAMPLE_BYTES
from referrals.files.refusals import FileRefusedError

_CHUNK = 1024 * 1024
# A character of two to four bytes in UTF-8: hardly ever come about by chance in Windows-1252.
_UTF_8_CHARACTER = re.compile(rb"[\xc3-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_NOT_ASCII = re.compile(rb"[\x80-\xff]+")

UNDEFINED_BYTES = "ndors.undefined_bytes"


def _keep_undefined_byte(error: UnicodeError) -> tuple[str, int]:
    """Read one of the five bytes that mean nothing in Windows-1252 as a control character, so that its row is told."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return chr(error.object[error.start]), error.start + 1


codecs.register_error(UNDEFINED_BYTES, _keep_undefined_byte)


class Encoding(NamedTuple):
    """How to decode a file: Python's codec, what to do with what it cannot decode, and where text begins."""

    name: str
    codec: str
    errors: str
    starts_at: int


# Halves of surrogate pairs are let through: the row that has one is told so, the file is not refused for it.
_UTF_8 = Encoding("UTF-8", "utf-8", "surrogatepass", 0)
_UTF_8_MARKED = Encoding("UTF-8", "utf-8", "surrogatepass", 3)
_WINDOWS_1252 = Encoding("Windows-1252", "cp1252", UNDEFINED_BYTES, 0)


def encoding_of(stream: BinaryIO) -> Encoding:
    """Find the encoding of a text file, leaving the stream anywhere.

    A byte-order mark decides, and so do the NULs of UTF-16 without one; else it is UTF-8 if all of it is, else
    Windows-1252. Raises `FileRefusedError` for what is broken in the encoding that it says it has, and for a mixture
    of UTF-8 and something else: read as either, names would be damaged.
    """
    stream.seek(0)
    sample = stream.read(SAMPLE_BYTES)
    found = _marked(sample) or _unmarked_utf_16(sample)
    if found is not None:
        if not _decodes(stream, found):
            raise FileRefusedError(
                "unreadable_encoding", f"The file says that it is {found.name} but is not. Save it again as UTF-8."
            )
        return found
    if _decodes(stream, _UTF_8):
        return _UTF_8
    _refuse_mixture(stream)
    return _WINDOWS_1252


def _marked(sample: bytes) -> Encoding | None:
    if sample.startswith((b"\xff\xfe\x00\x00", b"\x00\x00\xfe\xff")):
        raise FileRefusedError("unreadable_encoding", "The file is in UTF-32. Save it as UTF-8.")
    if sample.startswith(codecs.BOM_UTF8):
        return _UTF_8_MARKED
    if sample.startswith(codecs.BOM_UTF16_LE):
        return Encoding("UTF-16", "utf-16-le", "surrogatepass", 2)
    if sample.startswith(codecs.BOM_UTF16_BE):
        return Encoding("UTF-16", "utf-16-be", "surrogatepass", 2)
    return None


def _unmarked_utf_16(sample: bytes) -> Encoding | None:
    """Column names are ASCII, so in UTF-16 every other byte of the first ones is NUL."""
    first = sample[:16]
    if len(first) < 4:
        return None
    if not any(first[1::2]) and all(first[::2]):
        return Encoding("UTF-16", "utf-16-le", "surrogatepass", 0)
    if not any(first[::2]) and all(first[1::2]):
        return Encoding("UTF-16", "utf-16-be", "surrogatepass", 0)
    return None


def _decodes(stream: BinaryIO, encoding: Encoding) -> bool:
    decoder = codecs.getincrementaldecoder(encoding.codec)(encoding.errors)
    stream.seek(encoding.starts_at)
    try:
        for chunk in _chunks(stream):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _refuse_mixture(stream: BinaryIO) -> None:
    """A file of Windows-1252 has next to no UTF-8 characters; a UTF-8 file with a few bad bytes has mostly those."""
    stream.seek(0)
    characters = strays = 0
    for chunk in _chunks(stream):
        for run in _NOT_ASCII.findall(chunk):
            whole = _UTF_8_CHARACTER.findall(run)
            characters += len(whole)
            strays += len(run) - sum(map(len, whole))
    if characters >= strays:
        raise FileRefusedError(
            "unreadable_encoding",
            "The file mixes UTF-8 with another encoding, so names would be damaged. Save it again as UTF-8.",
        )


def _chunks(stream: BinaryIO) -> Iterator[bytes]:
    while chunk := stream.read(_CHUNK):
        yield chunk
