"""States and choices of money."""

from django.db.models import TextChoices


class Purpose(TextChoices):
    """What a charge is for."""

    COURSE_FEE = "COURSE_FEE", "Course fee"
    MOVE_FEE = "MOVE_FEE", "Fee for a move"
    REBOOK_FEE = "REBOOK_FEE", "Fee for booking again"


class VatCode(TextChoices):
    """How VAT sees a fee. DEFAULT: outside the scope (DOMAIN.md section 5)."""

    OUTSIDE = "OUTSIDE", "Outside the scope"
    EXEMPT = "EXEMPT", "Exempt"
    ZERO = "ZERO", "Zero rate"
    STANDARD = "STANDARD", "Standard rate"


class ChargeStatus(TextChoices):
    """How a charge stands."""

    OPEN = "OPEN", "To be paid"
    PAID = "PAID", "Paid"
    CANCELLED = "CANCELLED", "No longer due"


CHARGE_TRANSITIONS: dict[str, frozenset[str]] = {
    # Stripe may tell us of a payment after the charge was given up: the money is real, so it is recorded as paid.
    ChargeStatus.OPEN: frozenset({ChargeStatus.PAID, ChargeStatus.CANCELLED}),
    ChargeStatus.CANCELLED: frozenset({ChargeStatus.PAID}),
    ChargeStatus.PAID: frozenset(),
}


class AttemptStatus(TextChoices):
    """How one Checkout session stands."""

    CREATING = "CREATING", "Asking Stripe for a Checkout session"
    OPEN = "OPEN", "Checkout session open"
    PAID = "PAID", "Paid"
    EXPIRED = "EXPIRED", "Expired or superseded"
    FAILED = "FAILED", "Stripe refused to open it"


ATTEMPT_TRANSITIONS: dict[str, frozenset[str]] = {
    AttemptStatus.CREATING: frozenset({AttemptStatus.OPEN, AttemptStatus.FAILED}),
    AttemptStatus.OPEN: frozenset({AttemptStatus.PAID, AttemptStatus.EXPIRED}),
    AttemptStatus.EXPIRED: frozenset({AttemptStatus.PAID}),
    AttemptStatus.PAID: frozenset(),
    AttemptStatus.FAILED: frozenset(),
}
PENDING_ATTEMPTS = (AttemptStatus.CREATING, AttemptStatus.OPEN)


class EventStatus(TextChoices):
    """What became of one of Stripe's events."""

    RECEIVED = "RECEIVED", "Waiting"
    APPLIED = "APPLIED", "Applied"
    IGNORED = "IGNORED", "Not a kind we act on"
    PARKED = "PARKED", "Parked after repeated failure"


class RefusalCause(TextChoices):
    """Why a webhook was not believed."""

    SIGNATURE = "SIGNATURE", "Not signed by Stripe"
    STALE = "STALE", "Signed too long ago"
    MODE = "MODE", "Test event in live mode, or the other way round"
    MALFORMED = "MALFORMED", "Not an event"


class RefundReason(TextChoices):
    """Why money goes back."""

    CANCELLED_IN_TIME = "CANCELLED_IN_TIME", "Cancelled by the candidate in time"
    KCC_CANCELLED = "KCC_CANCELLED", "Cancelled by KCC"
    WITHDRAWN = "WITHDRAWN", "Withdrawn by police"
    PAID_TOO_LATE = "PAID_TOO_LATE", "Paid after the place had gone"
    PAID_TWICE = "PAID_TWICE", "Paid twice"
    GOODWILL = "GOODWILL", "Goodwill, with evidence"
    AT_STRIPE = "AT_STRIPE", "Made by hand in Stripe's dashboard"


class RefundStatus(TextChoices):
    """How a refund stands."""

    WAITING = "WAITING", "Waits for a second person"
    REJECTED = "REJECTED", "Rejected by a second person"
    REQUESTED = "REQUESTED", "To be sent to Stripe"
    PENDING = "PENDING", "Stripe has it"
    SUCCEEDED = "SUCCEEDED", "Refunded"
    FAILED = "FAILED", "Failed: needs a person"
    REPLACED = "REPLACED", "Failed, and tried again"
    ELSEWHERE = "ELSEWHERE", "Failed, and paid by other means"


REFUND_TRANSITIONS: dict[str, frozenset[str]] = {
    RefundStatus.WAITING: frozenset({RefundStatus.REQUESTED, RefundStatus.REJECTED, RefundStatus.ELSEWHERE}),
    RefundStatus.REJECTED: frozenset(),
    RefundStatus.REQUESTED: frozenset({RefundStatus.PENDING, RefundStatus.SUCCEEDED, RefundStatus.FAILED}),
    RefundStatus.PENDING: frozenset({RefundStatus.SUCCEEDED, RefundStatus.FAILED}),
    RefundStatus.SUCCEEDED: frozenset({RefundStatus.FAILED}),  # a bank may send money back days later
    RefundStatus.FAILED: frozenset({RefundStatus.REPLACED, RefundStatus.ELSEWHERE}),
    RefundStatus.REPLACED: frozenset({RefundStatus.FAILED}),  # what was to follow it was rejected
    RefundStatus.ELSEWHERE: frozenset(),
}
# What was asked for and will not leave us: it no longer counts against what was paid.
REFUNDS_VOID = (RefundStatus.REJECTED, RefundStatus.FAILED, RefundStatus.REPLACED)
# These have left us, so the ledger has their journal.
REFUNDS_SENT = (RefundStatus.PENDING, RefundStatus.SUCCEEDED, RefundStatus.ELSEWHERE)


class Account(TextChoices):
    """The ledger's accounts. Debits are positive, credits negative."""

    STRIPE_CLEARING = "STRIPE_CLEARING", "Stripe clearing"
    BANK = "BANK", "Bank"
    FEES_IN_ADVANCE = "FEES_IN_ADVANCE", "Fees received in advance"
    POLICE_PAYABLE = "POLICE_PAYABLE", "Police cost recovery payable"
    LEVY_PAYABLE = "LEVY_PAYABLE", "UKROEd levy payable"
    VAT_PAYABLE = "VAT_PAYABLE", "VAT payable"
    COURSE_INCOME = "COURSE_INCOME", "KCC course income"
    MOVE_INCOME = "MOVE_INCOME", "Move and rebooking income"
    REFUNDS = "REFUNDS", "Refunds out of income"
    STRIPE_FEES = "STRIPE_FEES", "Stripe fees"
    DISPUTES = "DISPUTES", "Disputes"
    IN_TRANSIT = "IN_TRANSIT", "Payouts on their way to the bank"


class Payee(TextChoices):
    """To whom a statement is owed."""

    FORCE = "FORCE", "Police force: cost recovery"
    UKROED = "UKROED", "UKROEd: levy"


class StatementLineKind(TextChoices):
    """Why a posting is on a statement."""

    COMPLETED = "COMPLETED", "Course completed"
    CORRECTION = "CORRECTION", "Correction"


class CostKind(TextChoices):
    """What the fees pay for (Road Traffic Offenders Act 1988 s.90G)."""

    TRAINERS = "TRAINERS", "Trainers"
    VENUES = "VENUES", "Venues"
    STAFF = "STAFF", "Staff"
    OVERHEADS = "OVERHEADS", "Overheads"


class JournalKind(TextChoices):
    """What a journal records."""

    PAID = "PAID", "Paid"
    COMPLETED = "COMPLETED", "Course completed: components fall due"
    FORFEITED = "FORFEITED", "Fee kept: course not completed"
    REFUNDED = "REFUNDED", "Refunded"
    REFUND_FAILED = "REFUND_FAILED", "Refund came back"
    REFUND_BANK = "REFUND_BANK", "Refunded from the bank"
    STRIPE_FEE = "STRIPE_FEE", "Stripe's fee"
    DISPUTED = "DISPUTED", "Disputed"
    DISPUTE_WON = "DISPUTE_WON", "Disputed money came back"
    DISPUTE_LOST = "DISPUTE_LOST", "Dispute lost"
    PAID_OUT = "PAID_OUT", "Paid out by Stripe"
    ARRIVED = "ARRIVED", "Payout arrived at the bank"
    PAYOUT_FAILED = "PAYOUT_FAILED", "Payout came back"
    REVERSAL = "REVERSAL", "Reversal of a mistake"
    SETTLED = "SETTLED", "Statement paid"


class DisputeStatus(TextChoices):
    """How a dispute stands, in fewer words than Stripe's."""

    INQUIRY = "INQUIRY", "The bank asks: no money taken yet"
    NEEDS_RESPONSE = "NEEDS_RESPONSE", "Needs our answer"
    UNDER_REVIEW = "UNDER_REVIEW", "Answered: the bank decides"
    WON = "WON", "Won"
    LOST = "LOST", "Lost"
    CLOSED = "CLOSED", "Closed without money taken"


_D = DisputeStatus
DISPUTE_TRANSITIONS: dict[str, frozenset[str]] = {
    _D.INQUIRY: frozenset({_D.NEEDS_RESPONSE, _D.UNDER_REVIEW, _D.WON, _D.LOST, _D.CLOSED}),
    # An answer that says "needs response" after one that said "under review" is only older.
    _D.NEEDS_RESPONSE: frozenset({_D.UNDER_REVIEW, _D.WON, _D.LOST, _D.CLOSED}),
    _D.UNDER_REVIEW: frozenset({_D.WON, _D.LOST, _D.CLOSED}),
    # The card scheme may turn a verdict round.
    _D.WON: frozenset({_D.LOST}),
    _D.LOST: frozenset({_D.WON}),
    _D.CLOSED: frozenset({_D.NEEDS_RESPONSE, _D.UNDER_REVIEW, _D.WON, _D.LOST}),
}
# The bank has the money: for now, or for good.
DISPUTES_TAKEN = (DisputeStatus.NEEDS_RESPONSE, DisputeStatus.UNDER_REVIEW, DisputeStatus.LOST)
DISPUTES_WAITING = (DisputeStatus.INQUIRY, DisputeStatus.NEEDS_RESPONSE)


class PayoutStatus(TextChoices):
    """How a payout stands."""

    ON_ITS_WAY = "ON_ITS_WAY", "On its way to the bank"
    ARRIVED = "ARRIVED", "Arrived at the bank"
    FAILED = "FAILED", "Came back to Stripe: needs a person"


PAYOUT_TRANSITIONS: dict[str, frozenset[str]] = {
    PayoutStatus.ON_ITS_WAY: frozenset({PayoutStatus.ARRIVED, PayoutStatus.FAILED}),
    PayoutStatus.ARRIVED: frozenset({PayoutStatus.FAILED}),  # a bank may send it back days later
    PayoutStatus.FAILED: frozenset(),
}


class RunStatus(TextChoices):
    """How the comparison of a day ended."""

    RUNNING = "RUNNING", "Under way, or broken off"
    GREEN = "GREEN", "All agree"
    EXPLAINED = "EXPLAINED", "Differences, each explained"
    EXCEPTIONS = "EXCEPTIONS", "Differences to be looked at"
    FAILED = "FAILED", "Could not be compared: needs a person"


RUNS_NOT_ENDED = (RunStatus.RUNNING, RunStatus.FAILED)


class ExceptionKind(TextChoices):
    """What does not agree."""

    AT_STRIPE_ONLY = "AT_STRIPE_ONLY", "At Stripe, not with us"
    WITH_US_ONLY = "WITH_US_ONLY", "With us, not at Stripe"
    AMOUNT = "AMOUNT", "The amounts differ"
    CURRENCY = "CURRENCY", "Not in pounds"
    BOOKING_UNPAID = "BOOKING_UNPAID", "Confirmed booking that is not paid"
    PAID_UNPLACED = "PAID_UNPLACED", "Paid, but no place and no refund"
    PAYOUT_SUM = "PAYOUT_SUM", "The payout is not the sum of its transactions"
    BALANCE = "BALANCE", "Clearing account and Stripe's balance differ"


class ExportKind(TextChoices):
    """What a file for finance holds."""

    JOURNALS = "JOURNALS", "Journal lines"
    CHARGES = "CHARGES", "Charges"
    REFUNDS = "REFUNDS", "Refunds"


class ExportStatus(TextChoices):
    """How a file for finance stands."""

    WAITING = "WAITING", "Being made"
    READY = "READY", "Ready"
    FAILED = "FAILED", "Could not be made"
    EXPIRED = "EXPIRED", "Expired: the file is deleted"


EXPORT_TRANSITIONS: dict[str, frozenset[str]] = {
    ExportStatus.WAITING: frozenset({ExportStatus.READY, ExportStatus.FAILED}),
    ExportStatus.READY: frozenset({ExportStatus.EXPIRED}),
    ExportStatus.FAILED: frozenset({ExportStatus.WAITING}),
    ExportStatus.EXPIRED: frozenset(),
}
EXPORT_DAYS = 7  # how long a file is kept after it is ready
EXPORT_TRIES = 5
PURPOSE_CHARACTERS = 10  # the fewest that can say why a file is needed
