"""States and choices of referrals, batches and their rows (CONTRACT.md, batch files)."""

from django.db.models import TextChoices


class ReferralStatus(TextChoices):
    LIVE = "LIVE", "Offered, nothing booked"
    BOOKED = "BOOKED", "Booked"
    COMPLETED = "COMPLETED", "Completed"
    NOT_COMPLETED = "NOT_COMPLETED", "Not completed"
    WITHDRAWN = "WITHDRAWN", "Withdrawn by police"
    EXPIRED = "EXPIRED", "Expired"


_S = ReferralStatus
REFERRAL_TRANSITIONS: dict[str, frozenset[str]] = {
    _S.LIVE: frozenset({_S.BOOKED, _S.WITHDRAWN, _S.EXPIRED}),
    _S.BOOKED: frozenset({_S.LIVE, _S.COMPLETED, _S.NOT_COMPLETED, _S.WITHDRAWN, _S.EXPIRED}),
    # A client who did not complete may book again, at the full fee, while complete by has not passed.
    _S.NOT_COMPLETED: frozenset({_S.BOOKED, _S.COMPLETED, _S.WITHDRAWN, _S.EXPIRED}),
    # A register corrected after countersigning turns one outcome into the other.
    _S.COMPLETED: frozenset({_S.NOT_COMPLETED}),
    _S.WITHDRAWN: frozenset(),
    _S.EXPIRED: frozenset({_S.LIVE}),  # only by police extending complete by
}
BOOKABLE = (_S.LIVE, _S.NOT_COMPLETED)
FINAL = (_S.COMPLETED, _S.WITHDRAWN)


class LicenceType(TextChoices):
    GB = "GB", "Great Britain"
    NI = "NI", "Northern Ireland"
    EU = "EU", "European Union"
    OTHER = "OTHER", "Other country"
    NONE = "NONE", "None held"


class BatchKind(TextChoices):
    REFERRALS = "referrals", "Referrals"
    WITHDRAWALS = "withdrawals", "Withdrawals"
    FORECAST = "forecast", "Forecast"


class BatchStatus(TextChoices):
    RECEIVED = "RECEIVED", "Received, waiting"
    READING = "READING", "Reading and checking"
    SETTLING = "SETTLING", "Settling"
    SETTLED = "SETTLED", "Settled"
    REFUSED = "REFUSED", "Refused"


UNFINISHED = (BatchStatus.RECEIVED, BatchStatus.READING, BatchStatus.SETTLING)


class RowState(TextChoices):
    PENDING = "pending", "Checked, not yet settled"
    NEW = "new", "New"
    UNCHANGED = "unchanged", "Unchanged"
    CHANGED = "changed", "Changed"
    REJECTED = "rejected", "Rejected"
    QUARANTINED = "quarantined", "Quarantined"


class WithdrawalReason(TextChoices):
    FIXED_PENALTY_PAID = "FIXED_PENALTY_PAID", "Fixed penalty paid"
    TIME_EXPIRED = "TIME_EXPIRED", "Time expired"
    FAILED_TO_COMPLETE = "FAILED_TO_COMPLETE", "Failed to attend or complete"
    COURT = "COURT", "Goes to court"
    OTHER = "OTHER", "Other"


class OutcomeCode(TextChoices):
    COMPLETED = "COMPLETED", "Completed"
    NOT_COMPLETED = "NOT_COMPLETED", "Not completed"
    EXPIRED_UNBOOKED = "EXPIRED_UNBOOKED", "Expired, never booked"
    EXPIRED_BOOKED = "EXPIRED_BOOKED", "Expired, booked but not completed"
