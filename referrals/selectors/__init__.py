"""Every read of this app for a page, a report or another app. What is a force's own begins with `of_force`."""

from referrals.selectors.batches import (
    batch_of_force,
    instant,
    oldest_unprocessed_batch_at,
    problem_groups,
    progress,
    receipt,
    rejected_file,
    rows_of,
    undecided_row,
    undecided_rows,
)
from referrals.selectors.offers import (
    MOST_FOUND,
    Dashboard,
    Story,
    dashboard,
    find_offer,
    force_codes,
    referral_of_force,
    search,
    story,
)
from referrals.selectors.outcomes import outcomes_due, return_of_force, returns_of

__all__ = [
    "MOST_FOUND",
    "Dashboard",
    "Story",
    "batch_of_force",
    "dashboard",
    "find_offer",
    "force_codes",
    "instant",
    "oldest_unprocessed_batch_at",
    "outcomes_due",
    "problem_groups",
    "progress",
    "receipt",
    "referral_of_force",
    "rejected_file",
    "return_of_force",
    "returns_of",
    "rows_of",
    "search",
    "story",
    "undecided_row",
    "undecided_rows",
]
