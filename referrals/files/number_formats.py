"""How a workbook shows its numbers: as dates, with times, with leading zeros, or plainly."""

import datetime as dt
import re
from typing import NamedTuple

_QUOTED = re.compile(r'"[^"]*"|\\.|_.|\*.')
_BRACKETED = re.compile(r"\[[^\]]*\]")
_DURATION = re.compile(r"\[(?:h+|m+|s+)\]", re.IGNORECASE)
_LEADING_ZEROS = re.compile(r"0{2,}")
_WHOLE = re.compile(r"-?[0-9]{1,15}")

_MILLISECONDS_A_DAY = 86_400_000
_EXACT = 10**15


class NumberFormat(NamedTuple):
    """What of a number is shown: a day, a time of day, at least so many digits."""

    has_day: bool = False
    has_time: bool = False
    digits: int = 0


PLAIN = NumberFormat()
_DAY, _TIME, _BOTH = NumberFormat(has_day=True), NumberFormat(has_time=True), NumberFormat(has_day=True, has_time=True)

# The formats that workbooks know by number alone (ECMA-376, 18.8.30), those of East Asian versions among them.
_BUILT_IN = (
    dict.fromkeys((14, 15, 16, 17, *range(27, 37), *range(50, 59)), _DAY)
    | dict.fromkeys((18, 19, 20, 21, 45, 47), _TIME)
    | {22: _BOTH}
)


def built_in(number: int) -> NumberFormat:
    """Return the format that has this number in every workbook."""
    return _BUILT_IN.get(number, PLAIN)


def understand(code: str) -> NumberFormat:
    """Understand a format as it is written in a workbook: `dd/mm/yyyy hh:mm`, `000000`, `#,##0.00`."""
    if _DURATION.search(code):
        return PLAIN
    shown = _BRACKETED.sub("", _QUOTED.sub("", code)).split(";")[0].strip().lower()
    if _LEADING_ZEROS.fullmatch(shown):
        return NumberFormat(digits=len(shown))
    if shown == "general" or "#" in shown or "0.0" in shown:
        return PLAIN
    has_time = "h" in shown or "s" in shown
    has_day = "y" in shown or "d" in shown or ("m" in shown and not has_time)
    return NumberFormat(has_day, has_time)


def number_text(raw: str) -> str:
    """Write a number in full as a person would: no exponent where it is whole, no decimals where there are none."""
    if _WHOLE.fullmatch(raw):
        return raw
    value = float(raw)
    return str(int(value)) if value.is_integer() and abs(value) < _EXACT else repr(value)


def with_zeros(text: str, digits: int) -> str:
    """Write a whole number with the leading zeros that its format gives it."""
    return text.zfill(digits) if text.isdecimal() else text


def moment(raw: str, *, is_1904: bool) -> dt.datetime | None:
    """Return the wall-clock date and time that a number stands for, or `None` where it stands for none.

    Days are counted from 1900 with a 29 February that never was, or from 1904. Milliseconds are kept: a time typed as
    whole minutes comes out as such.
    """
    days, milliseconds = divmod(round(float(raw) * _MILLISECONDS_A_DAY), _MILLISECONDS_A_DAY)
    if is_1904:
        epoch = dt.datetime(1904, 1, 1)  # noqa: DTZ001 - a wall clock; what zone it hangs in, the column says
    elif days == 60 or days < 1:
        return None
    else:
        epoch = dt.datetime(1899, 12, 30 if days > 60 else 31)  # noqa: DTZ001 - likewise
    try:
        return epoch + dt.timedelta(days=days, milliseconds=milliseconds)
    except OverflowError:
        return None


def time_text(raw: str) -> str | None:
    """Write a fraction of a day as the time of day that it stands for, or return `None` where it is no fraction."""
    milliseconds = round(float(raw) * _MILLISECONDS_A_DAY)
    if not 0 <= milliseconds < _MILLISECONDS_A_DAY:
        return None
    seconds, milliseconds = divmod(milliseconds, 1000)
    return iso(dt.time(seconds // 3600, seconds // 60 % 60, seconds % 60, milliseconds * 1000))


def iso(value: dt.datetime | dt.time) -> str:
    """Write a moment in ISO 8601, with no more than minutes where it has no more."""
    return value.isoformat(timespec="auto" if value.second or value.microsecond else "minutes")
