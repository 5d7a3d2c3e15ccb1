"""Rows of a withdrawals file: each acts at once."""

from datetime import datetime
from typing import cast

from audit.context import Actor
from referrals import rules
from referrals.constants import RowState
from referrals.errors import ReferralMoveError, ReferralNotFoundError, WithdrawnOtherwiseError
from referrals.models import Batch
from referrals.rules import WithdrawalValues
from referrals.services.checking import Prepared
from referrals.services.lifecycle import id_of, withdraw_composed
from referrals.services.lines import Settled, as_found


def settle_withdrawal(row: Prepared, *, batch: Batch, by: Actor, now: datetime) -> Settled:
    """Withdraw what a checked row names and return what became of it. Composed; takes the locks of `withdraw`."""
    if row.state != RowState.NEW:
        return as_found(row)
    values = cast(WithdrawalValues, row.values)
    try:
        _, is_new = withdraw_composed(
            referral_id=id_of(force_code=batch.force_id, reference=values.reference),
            reason=values.reason,
            effective_at=values.effective_at,
            received_at=batch.received_at,
            by=by,
            now=now,
            batch=batch,
        )
    except ReferralNotFoundError:
        return _waits(row, "unknown_reference", "We do not hold this reference. Someone must decide.")
    except (ReferralMoveError, WithdrawnOtherwiseError) as error:
        return _waits(row, "changed_while_booked", f"{error.message} Someone must decide.")
    return Settled(row, RowState.NEW if is_new else RowState.UNCHANGED)


def _waits(row: Prepared, code: str, message: str) -> Settled:
    return Settled(row, RowState.QUARANTINED, (rules.problem("reference", code, message, row.key[1]),))
