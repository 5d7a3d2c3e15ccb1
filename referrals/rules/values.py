"""Reading dates, times, numbers and countries from the text of a cell. Only the agreed forms; nothing is guessed.

Batches repeat themselves (a file holds few days beside dates of birth), so days once read are remembered, up to a
number that keeps a worker's memory small.
"""

import datetime as dt
import re
from functools import lru_cache

from common.clock import LONDON, UTC, NonexistentTimeError, from_london

EARLIEST_YEAR = 1900
LATEST_YEAR = 2100

_ISO_DAY = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_BRITISH_DAY = re.compile(r"([0-9]{2})/([0-9]{2})/([0-9]{4})")
_DATETIME = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})T([01][0-9]|2[0-3]):([0-5][0-9])")
_MONTH = re.compile(r"[0-9]{4}-(?:0[1-9]|1[0-2])")

# ISO 3166-1 alpha-2, and XK, under which Kosovo's licences and letters go.
_COUNTRY_CODES = """
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY
BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK
FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR
IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK
ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM
PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF
TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW
"""
COUNTRIES = frozenset(_COUNTRY_CODES.split())


@lru_cache(maxsize=16_384)
def read_date(text: str) -> dt.date | None:
    """Read `YYYY-MM-DD` or `DD/MM/YYYY`, or return `None`: for other forms, days that are not, years out of reason."""
    text = text.strip()
    if match := _ISO_DAY.fullmatch(text):
        year, month, day = match.groups()
    elif match := _BRITISH_DAY.fullmatch(text):
        day, month, year = match.groups()
    else:
        return None
    try:
        read = dt.date(int(year), int(month), int(day))
    except ValueError:
        return None
    return read if EARLIEST_YEAR <= read.year <= LATEST_YEAR else None


def read_datetime(text: str) -> tuple[dt.datetime, dt.date] | None:
    """Read `YYYY-MM-DDTHH:MM` in London time as the UTC instant and its London day, or return `None`.

    The hour that the clocks skip in March is no time. The hour that comes twice in October is taken as the first one:
    both are on the same day, and no rule looks closer.
    """
    match = _DATETIME.fullmatch(text.strip())
    if match is None:
        return None
    day_text, hour, minute = match.groups()
    day = read_date(day_text)
    if day is None:
        return None
    offset = offset_all_day(day)
    if offset is not None:
        wall = dt.datetime(day.year, day.month, day.day, int(hour), int(minute), tzinfo=UTC)
        return wall - offset, day
    try:
        return from_london(day, dt.time(int(hour), int(minute))), day
    except NonexistentTimeError:
        return None


@lru_cache(maxsize=4_096)
def offset_all_day(day: dt.date) -> dt.timedelta | None:
    """Return London's offset where it is one and the same all day, else `None`."""
    first = dt.datetime(day.year, day.month, day.day, tzinfo=LONDON).utcoffset()
    last = dt.datetime(day.year, day.month, day.day, 23, 59, tzinfo=LONDON).utcoffset()
    return first if first == last else None


def read_month(text: str) -> dt.date | None:
    """Read `YYYY-MM` as the first day of that month, or return `None`.

    The first day itself is taken too: a spreadsheet makes that of a month typed into it.
    """
    text = text.strip()
    day = read_date(f"{text}-01" if _MONTH.fullmatch(text) else text)
    return day if day is not None and day.day == 1 else None


@lru_cache(maxsize=4_096)
def read_number(text: str, longest: int) -> int | None:
    """Read a whole number of at most `longest` digits, or return `None`. No signs, decimals, exponents, commas."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= longest else None
