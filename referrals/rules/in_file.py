"""Rows of one file that speak of the same thing: the first good one stands (CONTRACT.md, batch files).

Only digests are kept, in flat arrays, so that the largest file costs a few megabytes: 24 bytes a slot.
"""

from array import array
from struct import Struct
from typing import Literal

_one = Struct("<Q").unpack_from
_SMALLEST = 1 << 10
_ALL_BITS = (1 << 64) - 1


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

        `content` is 8 bytes or more of its digest, of which the first 8 count.
        """
        # Python's own hashes of text are SipHash, keyed anew in each process.
        joined = "\x1f".join(key)
        high, low = hash(f"\x1f{joined}") & _ALL_BITS, hash(joined) & _ALL_BITS or 1  # 0 is an empty slot
        (what,) = _one(content)
        lows, mask = self._lows, self._mask
        slot = low & mask
        while held := lows[slot]:
            if held == low and self._highs[slot] == high:
                return "same" if self._contents[slot] == what else "other"
            slot = (slot + 1) & mask
        self._highs[slot], lows[slot], self._contents[slot] = high, low, what
        self._count += 1
        if 5 * self._count > 4 * len(lows):
            self._grow()
        return "first"

    def _grow(self) -> None:
        highs, lows, contents = self._highs, self._lows, self._contents
        self._make_room(2 * len(lows))
        for high, low, content in zip(highs, lows, contents, strict=True):
            if low:
                slot = low & self._mask
                while self._lows[slot]:
                    slot = (slot + 1) & self._mask
                self._highs[slot], self._lows[slot], self._contents[slot] = high, low, content

    def _make_room(self, size: int) -> None:
        self._mask = size - 1
        self._highs, self._lows, self._contents = (array("Q", bytes(8 * size)) for _ in range(3))
