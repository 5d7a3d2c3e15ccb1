"""The pages of police officers."""

from referrals.views.batches import batch, batch_progress, batch_rows, batches, rejected, upload
from referrals.views.decisions import decide, decisions
from referrals.views.guide import blank, columns
from referrals.views.home import dashboard, forecasts
from referrals.views.offers import course, extend, note, open_offers, referral, search, to_decide, withdraw
from referrals.views.returns import return_file, return_manifest, returns

__all__ = [
    "batch",
    "batch_progress",
    "batch_rows",
    "batches",
    "blank",
    "columns",
    "course",
    "dashboard",
    "decide",
    "decisions",
    "extend",
    "forecasts",
    "note",
    "open_offers",
    "referral",
    "rejected",
    "return_file",
    "return_manifest",
    "returns",
    "search",
    "to_decide",
    "upload",
    "withdraw",
]
