"""Every write of this app: one public function for each thing that is done, the same for every door."""

from referrals.services.batches import receive_batch
from referrals.services.courses import decide_course
from referrals.services.decisions import accept_row, refuse_row
from referrals.services.drops import collect_drops, lay_out_return
from referrals.services.importing import import_batch, import_next_batch
from referrals.services.lifecycle import (
    add_note,
    expire_referrals,
    extend,
    mark_booked,
    mark_unbooked,
    record_outcome,
    withdraw,
    withdraw_composed,
)
from referrals.services.outcomes import (
    acknowledge,
    compose_outcome_return,
    give_out,
    read_again,
    write_outcome_return,
)
from referrals.services.reporting import tell_left, tell_unreported
from referrals.services.tokens import issue_token, replace_token, revoke_token

__all__ = [
    "accept_row",
    "acknowledge",
    "add_note",
    "collect_drops",
    "compose_outcome_return",
    "decide_course",
    "expire_referrals",
    "extend",
    "give_out",
    "import_batch",
    "import_next_batch",
    "issue_token",
    "lay_out_return",
    "mark_booked",
    "mark_unbooked",
    "read_again",
    "receive_batch",
    "record_outcome",
    "refuse_row",
    "replace_token",
    "revoke_token",
    "tell_left",
    "tell_unreported",
    "withdraw",
    "withdraw_composed",
    "write_outcome_return",
]
