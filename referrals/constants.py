"""States and choices of referrals, batches and their rows (CONTRACT.md, batch files)."""

from django.db.models import TextChoices


class ReferralStatus(TextChoices):
    """Where an offer is."""

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
    # Live again only by police extending complete by; the others by a register that was closed late.
    _S.EXPIRED: frozenset({_S.LIVE, _S.COMPLETED, _S.NOT_COMPLETED, _S.WITHDRAWN}),
}
BOOKABLE = (_S.LIVE, _S.NOT_COMPLETED)
FINAL = (_S.COMPLETED, _S.WITHDRAWN)


class LicenceType(TextChoices):
    """Whose licence, which decides what a driver number looks like."""

    GB = "GB", "Great Britain"
    NI = "NI", "Northern Ireland"
    EU = "EU", "European Union"
    OTHER = "OTHER", "Other country"
    NONE = "NONE", "None held"


class BatchKind(TextChoices):
    """What a file holds."""

    REFERRALS = "referrals", "Referrals"
    WITHDRAWALS = "withdrawals", "Withdrawals"
    FORECAST = "forecast", "Forecast"


class BatchStatus(TextChoices):
    """How far a batch is."""

    RECEIVED = "RECEIVED", "Received, waiting"
    RUNNING = "RUNNING", "Being read and settled"
    SETTLED = "SETTLED", "Settled"
    REFUSED = "REFUSED", "Refused"


UNFINISHED = (BatchStatus.RECEIVED, BatchStatus.RUNNING)
# A batch whose worker died this often is left for a person to look at.
MOST_ATTEMPTS = 20


class RowState(TextChoices):
    """What became of a row."""

    NEW = "new", "New"
    UNCHANGED = "unchanged", "Unchanged"
    CHANGED = "changed", "Changed"
    REJECTED = "rejected", "Rejected"
    QUARANTINED = "quarantined", "Quarantined"


class RowDecision(TextChoices):
    """What a person decided of a quarantined row."""

    ACCEPTED = "accepted", "Accepted"
    REFUSED = "refused", "Refused"


class WithdrawalReason(TextChoices):
    """Why police withdraw an offer."""

    FIXED_PENALTY_PAID = "FIXED_PENALTY_PAID", "Fixed penalty paid"
    TIME_EXPIRED = "TIME_EXPIRED", "Time expired"
    FAILED_TO_COMPLETE = "FAILED_TO_COMPLETE", "Failed to attend or complete"
    COURT = "COURT", "Goes to court"
    OTHER = "OTHER", "Other"


class OutcomeCode(TextChoices):
    """How an offer ended, as told to the force."""

    COMPLETED = "COMPLETED", "Completed"
    NOT_COMPLETED = "NOT_COMPLETED", "Not completed"
    EXPIRED_UNBOOKED = "EXPIRED_UNBOOKED", "Expired, never booked"
    EXPIRED_BOOKED = "EXPIRED_BOOKED", "Expired, booked but not completed"


class TokenScope(TextChoices):
    """What a force's system may do."""

    BATCHES = "batches", "Send batches and read their receipts"
    REFERRALS = "referrals", "Read, withdraw and extend referrals"
    OUTCOMES = "outcomes", "Read and acknowledge outcomes"
