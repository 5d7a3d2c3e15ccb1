"""What Stripe's books know and ours do not, written down by the ordinary services: a lost webhook is no exception."""

import datetime as dt
import logging
from collections.abc import Callable
from functools import partial

from audit.context import Actor
from common.errors import PortalError
from payments import gateway
from payments.constants import AttemptStatus, DisputeStatus, PayoutStatus
from payments.models import Attempt, Dispute, Payout
from payments.services import disputes, matching, payouts, refunds, settlement

logger = logging.getLogger(__name__)
_UNDECIDED = (DisputeStatus.INQUIRY, DisputeStatus.NEEDS_RESPONSE, DisputeStatus.UNDER_REVIEW)


def repair(lines: matching.Lines, *, by: Actor, now: dt.datetime) -> int:
    """Fetch what each unmatched line is about and write it down; returns how many that could be done for.

    Calls Stripe; repeatable. What cannot be written down (a payment that is not ours, an amount that is not what we
    asked for) is left for the exceptions. Raises StripeUnavailableError.
    """
    # What went back or is disputed can only be written down of a payment that is.
    return sum(_repair(lines, are_payments=first, by=by, now=now) for first in (True, False))


def _repair(lines: matching.Lines, *, are_payments: bool, by: Actor, now: dt.datetime) -> int:
    done, after = 0, 0
    while found := matching.unmatched(lines, are_payments=are_payments, after=after):
        for line in found:
            after = line.line_id
            try:
                done += _write_down(line, by=by, now=now)
            except gateway.StripeUnavailableError:
                raise
            except (gateway.StripeRefusedError, PortalError) as error:
                logger.warning("line %s cannot be written down: %s", line.line_id, error)
    return done


def find_disputes(*, since: dt.datetime, by: Actor, now: dt.datetime) -> int:
    """Write down each dispute opened at Stripe since an instant that we know not at all, or not as it stands.

    No line tells of an inquiry of the payer's bank, for it moves no money, yet it has a deadline. Returns how many
    were written down. Calls Stripe; repeatable. Raises StripeUnavailableError.
    """
    done = 0
    for fact in gateway.disputes_since(since):
        if not disputes.is_as_told(fact):
            done += bool(_try(partial(_write_dispute, fact, by=by, now=now)))
    return done


def catch_up(*, by: Actor, now: dt.datetime) -> None:
    """Ask Stripe how every payout under way and every undecided dispute stands: a verdict moves no money.

    Calls Stripe; repeatable. Raises StripeUnavailableError.
    """
    for payout_id in Payout.objects.filter(status=PayoutStatus.ON_ITS_WAY).values_list("stripe_payout_id", flat=True):
        _try(partial(_follow_payout, payout_id, by=by, now=now))
    for dispute_id in Dispute.objects.filter(status__in=_UNDECIDED).values_list("stripe_dispute_id", flat=True):
        _try(partial(_follow_dispute, dispute_id, by=by, now=now))


def _follow_payout(payout_id: str, *, by: Actor, now: dt.datetime) -> None:
    payouts.record_payout(gateway.retrieve_payout(payout_id), by=by, now=now)


def _follow_dispute(dispute_id: str, *, by: Actor, now: dt.datetime) -> None:
    disputes.record_dispute(gateway.retrieve_dispute(dispute_id), by=by, now=now)


def _try(work: Callable[[], object]) -> object:
    """What the work gives, or None where it cannot be done."""
    try:
        return work()
    except gateway.StripeUnavailableError:
        raise
    except (gateway.StripeRefusedError, PortalError) as error:
        logger.warning("cannot be brought up to date: %s", error)
        return None


def _write_down(line: matching.Unmatched, *, by: Actor, now: dt.datetime) -> bool:
    if line.kind == "CHARGE":
        return _payment(line.source, by=by, now=now)
    if line.kind in ("REFUND", "REFUND_IN"):
        refund = gateway.retrieve_refund(line.source)
        settlement.settle_first(refund.intent_id, by=by, now=now)  # it may be of a day that was not compared
        return refunds.record_refund(refund, by=by, now=now) is not None
    if line.kind == "DISPUTE":
        return _write_dispute(gateway.retrieve_dispute(line.source), by=by, now=now)
    if line.kind in ("PAYOUT", "PAYOUT_IN"):
        payouts.record_payout(gateway.retrieve_payout(line.source), by=by, now=now)
        return True
    return False


def _write_dispute(fact: gateway.DisputeFact, *, by: Actor, now: dt.datetime) -> bool:
    settlement.settle_first(fact.intent_id, by=by, now=now)  # it may be of a day that was not compared
    return disputes.record_dispute(fact, by=by, now=now) is not None


def _payment(charge_id: str, *, by: Actor, now: dt.datetime) -> bool:
    """Find the attempt a charge at Stripe belongs to; settle it where we have not heard of the payment."""
    fact = gateway.retrieve_charge(charge_id)
    key = fact.metadata.get("attempt", "")
    attempt = Attempt.objects.select_related("charge").filter(payment_intent_id=fact.intent_id).first()
    if attempt is None and key:
        ours = Attempt.objects.select_related("charge").filter(idempotency_key=key)
        attempt = ours.first()
    if attempt is None:
        return False
    if attempt.status != AttemptStatus.PAID:
        return settlement.refresh_attempt(attempt, by=by, now=now).status == AttemptStatus.PAID
    # Paid before we kept the name that Stripe's balance transactions use.
    return bool(Attempt.objects.filter(pk=attempt.pk, stripe_charge_id="").update(stripe_charge_id=charge_id))
