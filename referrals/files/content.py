"""What a file is by its content, never by its name."""

import re
from typing import BinaryIO, Literal

from referrals.files.limits import Limits
from referrals.files.refusals import SEND_A_TABLE, FileRefusedError

SAMPLE_BYTES = 8_192

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED_PACKAGE = "EncryptedPackage".encode("utf-16-le")
_ZIP = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_MARKUP = re.compile(rb"\s*<(?:!doctype|html|head|body|table|meta|style|\?xml|!--)", re.IGNORECASE)
_OTHER = (
    (b"%PDF-", "PDF document"),
    (b"\x89PNG", "picture"),
    (b"\xff\xd8\xff", "picture"),
    (b"GIF8", "picture"),
    (b"\x1f\x8b", "packed file"),
    (b"BZh", "packed file"),
    (b"7z\xbc\xaf\x27\x1c", "packed file"),
    (b"Rar!", "packed file"),
    (b"\xfd7zXZ", "packed file"),
    (b"{\\rtf", "text document"),
)


def size_of(stream: BinaryIO) -> int:
    """Return the number of bytes in the stream, leaving it at its beginning."""
    size = stream.seek(0, 2)
    stream.seek(0)
    return size


def content_of(stream: BinaryIO, limits: Limits) -> Literal["text", "zip"]:
    """Say whether the file is text or a zip archive (which a workbook is).

    Raises `FileRefusedError` for what is neither, is empty or too large.
    """
    size = size_of(stream)
    if size == 0:
        raise FileRefusedError("empty", "The file is empty.")
    if size > limits.max_bytes:
        most = limits.max_bytes // (1024 * 1024)
        raise FileRefusedError("too_large", f"The file is larger than {most} MB. Send it in parts.")
    sample = stream.read(SAMPLE_BYTES)
    if sample.startswith(_ZIP):
        return "zip"
    if sample.startswith(_OLE):
        _refuse_ole(stream)
    if _MARKUP.match(sample.removeprefix(b"\xef\xbb\xbf")):
        raise FileRefusedError(
            "html", "The file is a web page, whatever its name. Open it in Excel and save it as .xlsx or CSV."
        )
    for magic, what in _OTHER:
        if sample.startswith(magic):
            raise FileRefusedError("not_a_table", f"The file is a {what}. {SEND_A_TABLE}")
    stream.seek(0)
    return "text"


def _refuse_ole(stream: BinaryIO) -> None:
    """Excel wraps a workbook with a password in the container that was its own format before 2007."""
    stream.seek(0)
    before = b""
    while chunk := stream.read(1024 * 1024):
        if _ENCRYPTED_PACKAGE in before + chunk:
            raise FileRefusedError(
                "password_protected", "The workbook is protected by a password. Save it without one and send it again."
            )
        before = chunk[-len(_ENCRYPTED_PACKAGE) :]
    raise FileRefusedError(
        "old_workbook", "The file is in Excel's old .xls format. Save it as .xlsx or CSV and send it again."
    )
