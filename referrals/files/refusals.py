"""Why a file is refused as a whole: nothing of it is taken, and one clear reason is told."""

from common.errors import PortalError

REFUSAL_CODES = frozenset(
    {
        "broken_quotes",
        "cell_too_long",
        "damaged_workbook",
        "duplicate_columns",
        "empty",
        "html",
        "macro_workbook",
        "missing_columns",
        "no_rows",
        "not_a_table",
        "old_workbook",
        "other_workbook",
        "password_protected",
        "too_large",
        "too_many_columns",
        "too_many_rows",
        "unknown_columns",
        "unnamed_column",
        "unreadable_encoding",
        "zip",
        "zip_bomb",
    }
)
_TOO_LARGE = frozenset({"too_large", "too_many_rows", "too_many_columns", "cell_too_long", "zip_bomb"})
_OTHER_TYPES = frozenset(
    {"html", "macro_workbook", "not_a_table", "old_workbook", "other_workbook", "password_protected", "zip"}
)


SAVE_AGAIN = "Open it in Excel, save it and send it again."
SEND_A_TABLE = "Send a CSV file or an Excel workbook (.xlsx)."


class FileRefusedError(PortalError):
    """The file cannot be taken. `code` is one of `REFUSAL_CODES`; the message is for who sent it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.status = 413 if code in _TOO_LARGE else 415 if code in _OTHER_TYPES else 422


def damaged_workbook() -> FileRefusedError:
    """Make the refusal of a workbook that cannot be read."""
    return FileRefusedError("damaged_workbook", f"The workbook is damaged. {SAVE_AGAIN}")
