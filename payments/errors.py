"""What can be expected to go wrong with money, in words fit for the person who meets it."""

from common.errors import NotFoundError, PortalError, TransitionError


class NoFeeError(PortalError):
    """No fee schedule covers this course, mode and day."""

    message = "No fee is set for this course on that day."


class FeeInThePastError(PortalError):
    """A fee may only be changed from a day that has not begun, after the fee that is planned last."""

    message = "A new fee must begin on a later day than today, and than the fee that is planned last."


class FeeEndError(PortalError):
    """The fee for all forces has no last day, or courses could not be sold after it."""

    message = "Only a fee for one force may have a last day, and not one before its first."


class MonthNotOverError(PortalError):
    """A statement is issued for a month that is over, and after no later one."""

    message = "Statements are issued for a month that is over, the earlier months first."


class StatementPaidError(PortalError):
    """A statement is paid once, and only one that has something to pay."""

    message = "This statement is paid already, or there is nothing to pay."


class PaidOnError(PortalError):
    """A statement cannot be paid on a day to come, or before the month it is of was over."""

    message = "Give the day on which the bank paid: after the end of the month, and not in the future."


class ChargeNotFoundError(NotFoundError):
    """No such charge."""

    message = "We could not find that payment."


class RefundNotFoundError(NotFoundError):
    """No such refund."""

    message = "We could not find that refund."


class ChargeStateError(TransitionError):
    """A charge, an attempt or a refund cannot go from its present state to the one asked for."""


class AlreadyPaidError(PortalError):
    """There is nothing left to pay."""

    message = "This has already been paid."


class NoLongerDueError(PortalError):
    """The charge was given up: the place lapsed, or the booking was cancelled."""

    message = "This payment is no longer due. Your place may have been given back."


class WrongPartsError(PortalError):
    """The parts of a fee do not add up to its amount."""

    message = "The parts of the fee do not add up."


class OverRefundError(PortalError):
    """More would go back than was paid and is not yet refunded."""

    message = "That is more than was paid and has not yet been refunded."


class TakenBackError(OverRefundError):
    """The payer's bank holds the money in a dispute, or has won it: a refund would pay it a second time."""

    message = "The bank has taken this money back, so it cannot be refunded as well."


class SecondPersonError(PortalError):
    """Who asked for a refund may not decide on it."""

    message = "You asked for this refund, so somebody else must decide on it."


class LimitInThePastError(PortalError):
    """The limit may only be changed from a day that has not begun, after the one that is planned last."""

    message = "A new limit must begin on a later day than today, and than the limit that is planned last."


class NothingPaidError(PortalError):
    """A refund was asked of a charge nobody paid."""

    message = "Nothing has been paid that could be refunded."


class PaymentsUnavailableError(PortalError):
    """Stripe does not answer now. What was begun is kept, and trying again is safe."""

    status = 503
    message = "We cannot take payments at the moment. You have not been charged. Try again in a few minutes."


class PaymentUnknownError(PaymentsUnavailableError):
    """A payment page was opened, and Stripe does not say now whether it was paid."""

    message = "We cannot see now whether you have paid. If you have, do not pay again. Look again in a few minutes."


class CheckoutRefusedError(PortalError):
    """Stripe refused to open a Checkout session."""

    status = 502
    message = "The payment page could not be opened. You have not been charged."


class MismatchError(PortalError):
    """What Stripe says was paid is not what we asked for: nothing is confirmed, a person must look."""

    message = "What Stripe reports does not match this charge."


class WebhookRefusedError(PortalError):
    """A webhook that is not Stripe's, is stale, or is of the other mode. `cause` is a `RefusalCause`."""

    status = 400
    message = "Refused."

    def __init__(self, cause: str) -> None:
        super().__init__()
        self.cause = cause


class EventNotParkedError(PortalError):
    """Only a parked event can be tried again by hand."""

    message = "This event is not parked."


class DayNotBegunError(PortalError):
    """A day that has not begun has nothing to compare."""

    message = "That day has not begun."


class AlreadyResolvedError(PortalError):
    """Somebody else explained the difference, or it is gone by itself."""

    message = "This difference is explained already, or is gone."


class ExportPeriodError(PortalError):
    """The days of an export are the wrong way round, or are still to come."""

    message = "The last day must not be before the first, nor in the future."


class ExportPurposeError(PortalError):
    """Nobody takes a file of money's records without saying what for."""

    message = "Say what the file is for, in at least 10 characters."


class ExportNotFoundError(NotFoundError):
    """No such export."""

    message = "We could not find that export."


class ExportNotReadyError(NotFoundError):
    """The file is not made yet, could not be made, or is missing from storage."""

    message = "There is no file to download yet. If the export failed, try it again."


class ExportExpiredError(PortalError):
    """The file was kept for its days and is deleted."""

    status = 410
    message = "This export has expired and its file is deleted. Ask for a new one."


class ExportStateError(TransitionError):
    """An export cannot go from its present state to the one asked for."""
