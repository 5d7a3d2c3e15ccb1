"""Pure rules of telling people: when a message goes, and what its words may be."""

from notifications.rules.timing import after_quiet_hours, due_at, is_given_up, is_useless, next_try_at
from notifications.rules.wording import (
    Parsed,
    Words,
    WordsError,
    check,
    fill,
    long_sentences,
    names_in,
    offence_word,
    parse,
    tidy,
)

__all__ = [
    "Parsed",
    "Words",
    "WordsError",
    "after_quiet_hours",
    "check",
    "due_at",
    "fill",
    "is_given_up",
    "is_useless",
    "long_sentences",
    "names_in",
    "next_try_at",
    "offence_word",
    "parse",
    "tidy",
]
