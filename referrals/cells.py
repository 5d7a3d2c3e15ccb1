"""The cells of a row as they rest: encrypted, for they hold whatever the sender's file held."""

import json
from collections.abc import Iterable

from common.crypto import decrypt, encrypt


def sealed(cells: Iterable[str]) -> bytes:
    """Cells of a row, in the batch's column order, as they are stored."""
    return encrypt(json.dumps(list(cells)))


def cells_of(stored: bytes | memoryview) -> list[str]:
    """The cells of a row that somebody must mend or decide on, in the batch's column order; none of any other."""
    text = decrypt(stored)
    cells: list[str] = json.loads(text) if text else []
    return cells
