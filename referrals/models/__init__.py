"""Forces, what they send (batches and their rows), the referrals themselves, and what goes back."""

from referrals.models.batches import COUNTS, Batch, BatchRow, ForecastMonth, IdempotentUpload
from referrals.models.forces import Force, ForceQuerySet, ForceToken, Officer
from referrals.models.offers import Referral, Withdrawal
from referrals.models.outcomes import Outcome, OutcomeReturn, OutcomeSequence
from referrals.models.scheme import CourseBlock, OfferTerms, SpeedBand

__all__ = [
    "COUNTS",
    "Batch",
    "BatchRow",
    "CourseBlock",
    "Force",
    "ForceQuerySet",
    "ForceToken",
    "ForecastMonth",
    "IdempotentUpload",
    "OfferTerms",
    "Officer",
    "Outcome",
    "OutcomeReturn",
    "OutcomeSequence",
    "Referral",
    "SpeedBand",
    "Withdrawal",
]
