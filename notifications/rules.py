"""When to try again, and when to stop (pure)."""

from datetime import datetime, timedelta

# A mail server that is down may stay down for hours, so the last step repeats until the message is useless or old.
RETRY_AFTER_SECONDS = (60, 120, 300, 600, 900)
GIVE_UP_AFTER_ATTEMPTS = 300  # about three days


def next_try_at(*, attempts: int, now: datetime) -> datetime:
    """When to try again after the `attempts`-th failure (1 is the first): a minute, growing to a quarter-hour."""
    step = RETRY_AFTER_SECONDS[min(attempts, len(RETRY_AFTER_SECONDS)) - 1]
    return now + timedelta(seconds=step)


def is_given_up(*, attempts: int) -> bool:
    """Whether a message has failed for so long that a person must look at it."""
    return attempts >= GIVE_UP_AFTER_ATTEMPTS


def is_useless(*, useless_at: datetime | None, now: datetime) -> bool:
    """Whether the message would tell its reader nothing any more, such as a reminder of a course that is over."""
    return useless_at is not None and now >= useless_at
