"""Rows of one file that speak of the same thing: the first good one stands (CONTRACT.md, batch files).

Only hashes are kept, in flat arrays, so that the largest file costs three megabytes: twelve bytes a slot. They are
Python's own, SipHash keyed anew in each process. That two of 200,000 keys have the same one happens in one file of
a thousand million, and the row is then refused as a duplicate; sent again it passes.
"""

from array import array
from typing import Literal

_SMALLEST = 1 << 10
_64_BITS = (1 << 64) - 1
_32_BITS = (1 << 32) - 1


class SeenRows:
    """The good rows of a file so far, by key and content."""

    def __init__(self, expected_rows: int = 0) -> None:
        """Make room for `expected_rows` at once; more will fit, at the price of moving house."""
        size = _SMALLEST
        while 5 * expected_rows > 4 * size:
            size *= 2
        self._make_room(size)
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def meet(self, key: tuple[str, ...], content: bytes) -> Literal["first", "same", "other"]:
        """Say whether a good row is the first with its key, or has the first one's content, or another; remember it.

        `content` is the row's digest.
        """
        hashed = hash("\x1f".join(key)) & _64_BITS or 1  # 0 is an empty slot
        keys, mask = self._keys, self._mask
        slot = hashed & mask
        while held := keys[slot]:
            if held == hashed:
                return "same" if self._contents[slot] == hash(content) & _32_BITS else "other"
            slot = (slot + 1) & mask
        keys[slot], self._contents[slot] = hashed, hash(content) & _32_BITS
        self._count += 1
        if 5 * self._count > 4 * len(keys):
            self._grow()
        return "first"

    def _grow(self) -> None:
        keys, contents = self._keys, self._contents
        self._make_room(2 * len(keys))
        for hashed, content in zip(keys, contents, strict=True):
            if hashed:
                slot = hashed & self._mask
                while self._keys[slot]:
                    slot = (slot + 1) & self._mask
                self._keys[slot], self._contents[slot] = hashed, content

    def _make_room(self, size: int) -> None:
        self._mask = size - 1
        self._keys, self._contents = array("Q", bytes(8 * size)), array("I", bytes(4 * size))
