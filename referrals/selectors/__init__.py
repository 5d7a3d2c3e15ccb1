"""Every read of this app for a page, a report or another app. What is a force's own begins with `of_force`."""

from referrals.selectors.batches import (
    batch_of_force,
    oldest_unprocessed_batch_at,
    problem_groups,
    progress,
    receipt,
    rejected_file,
    rows_of,
    undecided_row,
    undecided_rows,
)
from referrals.selectors.offers import Dashboard, Story, dashboard, find_offer, referral_of_force, search, story

__all__ = [
    "Dashboard",
    "Story",
    "batch_of_force",
    "dashboard",
    "find_offer",
    "oldest_unprocessed_batch_at",
    "problem_groups",
    "progress",
    "receipt",
    "referral_of_force",
    "rejected_file",
    "rows_of",
    "search",
    "story",
    "undecided_row",
    "undecided_rows",
]
