"""How admin writes days and times, which is Django's own machinery in our words."""

import datetime as dt

from django.utils import formats, timezone


def test_days_are_written_as_the_pages_write_them() -> None:
    assert formats.date_format(dt.date(2027, 5, 14), "DATE_FORMAT") == "14 May 2027"
    assert formats.localize(dt.date(2027, 9, 4)) == "4 September 2027"


def test_hours_are_figures_of_londons_clock() -> None:
    moment = timezone.localtime(dt.datetime(2027, 9, 4, 8, 5, tzinfo=dt.UTC))
    assert formats.localize(moment) == "4 Sep 2027, 09:05"
    assert formats.localize(dt.time(17, 45)) == "17:45"
