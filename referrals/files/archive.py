"""What is in a zip archive: a workbook without macros and of reasonable size, or something that is refused."""

import struct
import zipfile
import zlib
from typing import BinaryIO

from referrals.files.limits import Limits
from referrals.files.refusals import FileRefusedError, damaged_workbook

_CHUNK = 256 * 1024
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_MOST_PARTS = 5_000
# Workbooks pack to a twentieth or a fiftieth of their size, and no part that is large to less than this.
_MOST_TIMES = 200
_LARGE_BYTES = 16 * 1024 * 1024
_ENCRYPTED_FLAG = 0x1

# What zipfile raises for archives that are broken, or made in ways that it does not know (a RuntimeError).
UNREADABLE = (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError)


def check_workbook(stream: BinaryIO, limits: Limits) -> None:
    """Raise `FileRefusedError` unless the archive is an Excel workbook that is safe to unpack."""
    stream.seek(0)
    try:
        with zipfile.ZipFile(stream) as archive:
            parts = archive.infolist()
            _check_kind({part.filename for part in parts}, _content_types(archive))
    except (*UNREADABLE, OSError, ValueError) as error:
        raise damaged_workbook() from error
    _check_size(stream, parts, limits)


def _content_types(archive: zipfile.ZipFile) -> bytes:
    try:
        with archive.open("[Content_Types].xml") as part:
            return part.read(_CHUNK)
    except (KeyError, *UNREADABLE):
        return b""


def _check_kind(names: set[str], content_types: bytes) -> None:
    lower = {name.lower() for name in names}
    if any(name.endswith("vbaproject.bin") for name in lower) or b"macroEnabled" in content_types:
        raise FileRefusedError(
            "macro_workbook", "The workbook holds macros. Save it as an Excel workbook without macros (.xlsx)."
        )
    if "xl/workbook.bin" in lower:
        raise FileRefusedError("other_workbook", "The file is a binary workbook (.xlsb). Save it as .xlsx or CSV.")
    if "mimetype" in lower and "content.xml" in lower:
        raise FileRefusedError("other_workbook", "The file is an OpenDocument file. Save it as .xlsx or CSV.")
    if "[content_types].xml" not in lower or not any(name.startswith("xl/") for name in lower):
        raise FileRefusedError("zip", "Zip archives are not taken. Unpack it and send the file that is in it.")


def _check_size(stream: BinaryIO, parts: list[zipfile.ZipInfo], limits: Limits) -> None:
    """Unpack everything once, keeping nothing, and count: what an archive says of its own sizes may be a lie."""
    if len(parts) > _MOST_PARTS:
        raise bomb()
    if len({part.filename for part in parts}) != len(parts):
        raise damaged_workbook()
    left = limits.max_unpacked_bytes
    for part in parts:
        if part.flag_bits & _ENCRYPTED_FLAG:
            raise FileRefusedError(
                "password_protected", "The workbook is protected by a password. Save it without one and send it again."
            )
        left -= _unpacked_size(stream, part, left)


def _unpacked_size(stream: BinaryIO, part: zipfile.ZipInfo, most: int) -> int:
    """Count the bytes of a part. Raises `FileRefusedError` for more than `most`, or far more than it is packed."""
    _go_to_content(stream, part)
    if part.compress_type == zipfile.ZIP_STORED:
        if part.compress_size > most:
            raise bomb()
        return part.compress_size
    unpacker, packed, size, taken = zlib.decompressobj(-zlib.MAX_WBITS), part.compress_size, 0, 0
    try:
        while packed > 0 and not unpacker.eof:
            data = stream.read(min(_CHUNK, packed))
            if not data:
                raise damaged_workbook()
            packed, taken = packed - len(data), taken + len(data)
            while data and not unpacker.eof:
                size += len(unpacker.decompress(data, _CHUNK))
                data = unpacker.unconsumed_tail
                if size > most or (size > _LARGE_BYTES and size > _MOST_TIMES * (taken - len(data))):
                    raise bomb()
    except zlib.error as error:
        raise damaged_workbook() from error
    return size


def bomb() -> FileRefusedError:
    """Make the refusal of an archive that is far larger than it looks."""
    return FileRefusedError("zip_bomb", "The workbook unpacks to far more than it should. It was not read.")


def _go_to_content(stream: BinaryIO, part: zipfile.ZipInfo) -> None:
    """Put the stream where the packed bytes of a part begin."""
    if part.header_offset < 0 or part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise damaged_workbook()
    stream.seek(part.header_offset)
    head = stream.read(_LOCAL_HEADER.size)
    if len(head) < _LOCAL_HEADER.size:
        raise damaged_workbook()
    magic, name_length, extra_length = _LOCAL_HEADER.unpack(head)
    if magic != b"PK\x03\x04":
        raise damaged_workbook()
    stream.seek(name_length + extra_length, 1)
