"""Days that are the same distance from today whatever day of the week today is."""

import datetime as dt

from common import clock


def monday(*, weeks: int) -> dt.date:
    """London's Monday in so many weeks: 1 is next week's, which is one to seven days off."""
    today = clock.london_day(clock.now())
    return today + dt.timedelta(days=7 * weeks - today.weekday())


def at(day: dt.date, hour: int = 9) -> dt.datetime:
    """That hour of London's clocks on a day."""
    return clock.from_london(day, dt.time(hour))
