"""When a trainer may see what, and what a need asks of them (pure)."""

from datetime import datetime, timedelta

# A trainer sees names from 48 hours before until 48 hours after; registration opens 15 minutes before.
ROSTER_WINDOW = timedelta(hours=48)
REGISTRATION_OPENS = timedelta(minutes=15)

# A need is special-category data: a trainer is told what to do, never why.
ACTIONS = {
    "BSL": "A British Sign Language interpreter will join this client.",
    "CAPTIONS": "Turn captions on, or seat by the hearing loop.",
    "LARGE_PRINT": "Give large-print material.",
    "STEP_FREE": "Keep a step-free way and seat.",
    "INTERPRETER": "The client brings an interpreter: let both in.",
    "PRIVATE_ID": "Check identity in private. Ask KCC who should do it.",
    "NO_INTERNET": "",
    "OTHER": "KCC has arranged something for this client: ask the office.",
}


def is_roster_visible(*, starts_at: datetime, ends_at: datetime, now: datetime) -> bool:
    """Whether the clients' names may be shown to the trainer."""
    return starts_at - ROSTER_WINDOW <= now <= ends_at + ROSTER_WINDOW


def is_register_open(*, starts_at: datetime, ends_at: datetime, now: datetime) -> bool:
    """Whether clients can be marked."""
    return starts_at - REGISTRATION_OPENS <= now <= ends_at + ROSTER_WINDOW


def actions(need_kinds: list[str]) -> list[str]:
    """What the trainer does about a client's needs, in a fixed order."""
    return [ACTIONS[kind] for kind in ACTIONS if kind in need_kinds and ACTIONS[kind]]
