"""What can be expected to be refused here."""

from common.errors import NotFoundError, PortalError, TransitionError


class ReferralNotFoundError(NotFoundError):
    """No such referral, or not this force's."""

    message = "We do not hold this referral."


class BatchNotFoundError(NotFoundError):
    """No such batch, or not this force's."""

    message = "We do not hold this batch."


class BatchTooLargeError(PortalError):
    """An upload of more bytes than are taken."""

    status = 413

    def __init__(self, max_bytes: int) -> None:
        super().__init__(f"The file is larger than {max_bytes // (1024 * 1024)} MB. Send it in parts.")


class BatchBusyError(PortalError):
    """Somebody else is importing this batch."""

    message = "This batch is being imported just now."


class ClaimLostError(BatchBusyError):
    """The claim ran out and somebody else went on with the batch: what this one had not committed is theirs to do."""


class ReferralMoveError(TransitionError):
    """The referral cannot come into this state from where it is."""

    def __init__(self, status_words: str) -> None:
        super().__init__(f"This cannot be done: the referral is now “{status_words.lower()}”.")


class WithdrawnOtherwiseError(PortalError):
    """A withdrawal of what was withdrawn before for another reason: it stands, as by it the money was decided."""

    def __init__(self, reason: str, reason_words: str) -> None:
        super().__init__(f"It was withdrawn before, as “{reason_words.lower()}” ({reason}), and that reason stands.")


class DateRefusedError(PortalError):
    """A new complete-by date that cannot be."""

    status = 422


class CourseRefusedError(PortalError):
    """A course that an offer cannot be of now."""


class EvidenceMissingError(PortalError):
    """An extension without what shows that police asked for it."""

    status = 422
    message = "Say on what evidence police extend the offer."


class ReasonMissingError(PortalError):
    """A decision without a reason."""

    status = 422
    message = "Give a reason for the decision."


class DecisionError(PortalError):
    """A quarantined row that cannot be decided this way now."""


class AcknowledgementError(PortalError):
    """An acknowledgement of outcomes that were never given out."""

    status = 422
    message = "Not all outcomes up to this sequence have been given out yet."


class TokenEndedError(PortalError):
    """A token that is to be replaced but has ended: a new one is issued instead."""

    message = "This token has ended. Issue a new one."


class KeyReusedError(PortalError):
    """The same Idempotency-Key came with another file."""

    status = 422
    message = "This Idempotency-Key was used before with another file or kind."
