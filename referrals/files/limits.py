"""How much a file may hold. The application passes what its settings say."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The largest file that is taken: bytes sent and unpacked, rows beside the header, columns, characters a cell."""

    max_bytes: int = 50 * 1024 * 1024
    max_rows: int = 200_000
    max_columns: int = 64
    max_cell_characters: int = 4_000
    max_unpacked_bytes: int = 1024 * 1024 * 1024
