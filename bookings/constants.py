"""States and choices of bookings."""

from django.db.models import IntegerChoices, TextChoices


class BookingStatus(TextChoices):
    """Where a booking is on its way."""

    HELD = "HELD", "Place held, not yet paid"
    CONFIRMED = "CONFIRMED", "Confirmed"
    LAPSED = "LAPSED", "Hold ran out"
    CANCELLED = "CANCELLED", "Cancelled"
    COMPLETED = "COMPLETED", "Course completed"
    NOT_COMPLETED = "NOT_COMPLETED", "Course not completed"


_B = BookingStatus
BOOKING_TRANSITIONS: dict[str, frozenset[str]] = {
    _B.HELD: frozenset({_B.CONFIRMED, _B.LAPSED, _B.CANCELLED}),
    # Paid after the hold ran out, while a place was still free.
    _B.LAPSED: frozenset({_B.CONFIRMED}),
    _B.CONFIRMED: frozenset({_B.CANCELLED, _B.COMPLETED, _B.NOT_COMPLETED}),
    _B.CANCELLED: frozenset(),
    # A register corrected after countersigning.
    _B.COMPLETED: frozenset({_B.NOT_COMPLETED}),
    _B.NOT_COMPLETED: frozenset({_B.COMPLETED}),
}
LIVE = (_B.HELD, _B.CONFIRMED)


class CancelCause(TextChoices):
    """Through whom a booking ended."""

    CANDIDATE = "CANDIDATE", "Cancelled by the candidate"
    KCC = "KCC", "Cancelled by KCC"
    POLICE = "POLICE", "Withdrawn by police"
    EXPIRED = "EXPIRED", "Complete by passed"


class ConsentKind(TextChoices):
    """What a candidate agrees to before paying."""

    DATA_SHARING = "DATA_SHARING", "Data-sharing authorisation"
    TERMS = "TERMS", "Terms and conditions"
    PRIVACY = "PRIVACY", "Privacy notice"
    MEDICAL = "MEDICAL", "Medical fitness advice read"
    DIGITAL = "DIGITAL", "Digital environment declaration"
    EXPRESS_REQUEST = "EXPRESS_REQUEST", "Express request for the service"


class NeedKind(TextChoices):
    """What a candidate may need us to arrange."""

    BSL = "BSL", "British Sign Language interpreter"
    CAPTIONS = "CAPTIONS", "Captions or a hearing loop"
    LARGE_PRINT = "LARGE_PRINT", "Large print"
    STEP_FREE = "STEP_FREE", "Step-free access"
    INTERPRETER = "INTERPRETER", "Bringing an interpreter"
    PRIVATE_ID = "PRIVATE_ID", "Private or same-sex identity check"
    NO_INTERNET = "NO_INTERNET", "No internet"
    OTHER = "OTHER", "Something else"


NEED_ACTIONS: dict[str, str] = {
    NeedKind.BSL: "Book a British Sign Language interpreter",
    NeedKind.CAPTIONS: "Have captions switched on, or the hearing loop checked",
    NeedKind.LARGE_PRINT: "Send the course papers in large print",
    NeedKind.STEP_FREE: "Check the way in, the room and the toilets for steps",
    NeedKind.INTERPRETER: "Tell the trainer to let their interpreter in",
    NeedKind.PRIVATE_ID: "Agree how identity is checked in private",
    NeedKind.NO_INTERNET: "See that the course is in a classroom, and reach them by post or telephone",
    NeedKind.OTHER: "Ring and ask what to arrange",
}


class NeedStatus(TextChoices):
    """Whose turn it is."""

    OPEN = "OPEN", "To be arranged"
    ARRANGED = "ARRANGED", "Arranged"
    UNDO = "UNDO", "No longer needed: to be undone"


NEEDS_TO_DO = (NeedStatus.OPEN, NeedStatus.UNDO)


class Rating(IntegerChoices):
    """How good a course was."""

    VERY_GOOD = 5, "Very good"
    GOOD = 4, "Good"
    FAIR = 3, "Neither good nor poor"
    POOR = 2, "Poor"
    VERY_POOR = 1, "Very poor"


class Evidence(TextChoices):
    """Why staff may give the fee back all the same: the kind of evidence seen, never the evidence."""

    MEDICAL = "MEDICAL", "Medical"
    HOSPITAL = "HOSPITAL", "Hospital"
    BEREAVEMENT = "BEREAVEMENT", "Bereavement"


class MoveStatus(TextChoices):
    """Where a move to another date is on its way."""

    HELD = "HELD", "New place held, not yet moved"
    DONE = "DONE", "Moved"
    LAPSED = "LAPSED", "Hold of the new place ran out"
    CANCELLED = "CANCELLED", "Not moved"


_M = MoveStatus
MOVE_TRANSITIONS: dict[str, frozenset[str]] = {
    _M.HELD: frozenset({_M.DONE, _M.LAPSED, _M.CANCELLED}),
    # Paid after the hold ran out, while a place was still free.
    _M.LAPSED: frozenset({_M.DONE}),
    _M.DONE: frozenset(),
    _M.CANCELLED: frozenset(),
}


class MoveRule(TextChoices):
    """Why a move costs what it costs."""

    FREE = "FREE", "First move, in time: free"
    LATE = "LATE", "Late, or a second move"
    FULL_FEE = "FULL_FEE", "So late that the full fee is due again"
    WAIVED = "WAIVED", "Waived, with evidence"
    OURS = "OURS", "Asked for, or offered, by KCC: free"


# The first move that is the candidate's own uses up the free one; one that was waived or ours does not.
COUNTED_MOVES = (MoveRule.FREE, MoveRule.LATE, MoveRule.FULL_FEE)


class WaitingStatus(TextChoices):
    """Whether somebody is on the waiting list."""

    WAITING = "WAITING", "Waiting"
    ENDED = "ENDED", "No longer waiting"


class WaitingCause(TextChoices):
    """Why somebody waits no longer."""

    LEFT = "LEFT", "Left the list"
    STAFF = "STAFF", "Taken off by staff"
    BOOKED = "BOOKED", "Has a place now"
    POLICE = "POLICE", "Withdrawn by police"
    EXPIRED = "EXPIRED", "Too late to book"


class PlaceOfferStatus(TextChoices):
    """What became of a place that we hold for somebody without being asked for it."""

    OPEN = "OPEN", "Held for them"
    ACCEPTED = "ACCEPTED", "Taken"
    DECLINED = "DECLINED", "Not wanted"
    LAPSED = "LAPSED", "Not answered in time"
    ENDED = "ENDED", "Taken back: something else happened"


class LatePaymentStatus(TextChoices):
    """Where a payment is for which there was no place any more."""

    SEEKING = "SEEKING", "Other dates are being looked for"
    OFFERED = "OFFERED", "Other dates are held"
    PLACED = "PLACED", "Another date was chosen"
    REFUNDED = "REFUNDED", "Sent back"


WAITING_TRANSITIONS: dict[str, frozenset[str]] = {
    WaitingStatus.WAITING: frozenset({WaitingStatus.ENDED}),
    WaitingStatus.ENDED: frozenset(),
}
_O = PlaceOfferStatus
PLACE_OFFER_TRANSITIONS: dict[str, frozenset[str]] = {
    _O.OPEN: frozenset({_O.ACCEPTED, _O.DECLINED, _O.LAPSED, _O.ENDED}),
    _O.ACCEPTED: frozenset(),
    _O.DECLINED: frozenset(),
    _O.LAPSED: frozenset(),
    _O.ENDED: frozenset(),
}
_L = LatePaymentStatus
LATE_PAYMENT_TRANSITIONS: dict[str, frozenset[str]] = {
    _L.SEEKING: frozenset({_L.OFFERED, _L.REFUNDED}),
    _L.OFFERED: frozenset({_L.PLACED, _L.REFUNDED}),
    _L.PLACED: frozenset(),
    _L.REFUNDED: frozenset(),
}
UNSETTLED_LATE = (LatePaymentStatus.SEEKING, LatePaymentStatus.OFFERED)
