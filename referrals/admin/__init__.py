"""What KCC staff see of the police's side. Records are read here; what may be done is done by a service."""

from referrals.admin.batches import BatchAdmin, BatchRowAdmin
from referrals.admin.offers import OutcomeAdmin, OutcomeReturnAdmin, ReferralAdmin, WithdrawalAdmin
from referrals.admin.reference import (
    CourseBlockAdmin,
    ForceAdmin,
    ForecastMonthAdmin,
    OfferTermsAdmin,
    OfficerAdmin,
    SpeedBandAdmin,
)
from referrals.admin.tokens import ForceTokenAdmin

__all__ = [
    "BatchAdmin",
    "BatchRowAdmin",
    "CourseBlockAdmin",
    "ForceAdmin",
    "ForceTokenAdmin",
    "ForecastMonthAdmin",
    "OfferTermsAdmin",
    "OfficerAdmin",
    "OutcomeAdmin",
    "OutcomeReturnAdmin",
    "ReferralAdmin",
    "SpeedBandAdmin",
    "WithdrawalAdmin",
]
