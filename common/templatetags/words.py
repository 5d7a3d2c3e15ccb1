"""Times, days and money in a page's words: `{% load words %}`."""

import datetime as dt
import re

from django import template

from common import clock, money

register = template.Library()
_CODE = re.compile(r"[A-Z_]{4,}")

register.filter("day_words", clock.day_words)
register.filter("date_words", clock.date_words)
register.filter("moment_words", clock.moment_words)
register.filter("pounds", money.pounds)
register.filter("pounds_and_pence", money.pounds_and_pence)
register.simple_tag(clock.span_words, name="times_words")


@register.filter
def count_words(count: int) -> str:
    """A count with its thousands apart: "30,000"."""
    return f"{count:,}"


@register.filter
def london_day_words(moment: dt.datetime) -> str:
    """The London day of an instant: "Friday 14 May 2027"."""
    return clock.day_words(clock.london_day(moment))


@register.filter
def code_words(text: str) -> str:
    """A code of ours as words ("FIXED_PENALTY_PAID": "Fixed penalty paid"); what a person wrote stays as it is."""
    return text.replace("_", " ").capitalize() if _CODE.fullmatch(text) else text


@register.simple_tag
def when_words(starts_at: dt.datetime, ends_at: dt.datetime) -> str:
    """Day and times in London: "Friday 14 May 2027, 9am to 11:45am"."""
    return f"{clock.day_words(clock.london_day(starts_at))}, {clock.span_words(starts_at, ends_at)}"
