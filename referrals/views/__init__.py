"""The pages of police officers."""

from referrals.views.batches import batch, batch_progress, batch_rows, batches, rejected, upload
from referrals.views.decisions import decide, decisions
from referrals.views.home import dashboard, forecasts
from referrals.views.offers import extend, note, referral, search, withdraw
from referrals.views.returns import return_file, return_manifest, returns

__all__ = [
    "batch",
    "batch_progress",
    "batch_rows",
    "batches",
    "dashboard",
    "decide",
    "decisions",
    "extend",
    "forecasts",
    "note",
    "referral",
    "rejected",
    "return_file",
    "return_manifest",
    "returns",
    "search",
    "upload",
    "withdraw",
]
