"""Money in any order: at least 2,000 steps of the state machine; benchmarks/money_machine.py takes 50,000."""

import itertools
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.support.money.steps import MoneyMachine
from tests.support.money.world import MoneyWorld

if TYPE_CHECKING:
    from devtools.stripe_sandbox.testing import Sandbox

# The benchmark asks for more steps, of other seeds, and to be told what was done.
STEPS = int(os.environ.get("MONEY_STEPS", "2000"))
FIRST_SEED = int(os.environ.get("MONEY_SEED", "0"))
TOLD = os.environ.get("MONEY_TOLD", "")

_CANDIDATES = ("hold", "click_pay", "buy", "pay", "come_back", "move", "cancel")
_OTHERS = ("kcc_cancels", "cancel_session", "withdraw", "outcome", "ask_refund", "dispute")
_OURS = ("chaos", "webhooks", "sweep", "time_passes", "a_quiet_hour")
_ALWAYS = frozenset({*_CANDIDATES, *_OTHERS, *_OURS})
_IN_THE_LONG_RUN = frozenset({"answer", "decide", "verdict"})


@pytest.mark.django_db
def test_money_ends_right_in_whatever_order_things_happen(stripe_sandbox: "Sandbox") -> None:
    MoneyWorld.sandbox = stripe_sandbox
    MoneyWorld.steps, MoneyWorld.did = 0, {}
    ways = settings(
        max_examples=2,
        stateful_step_count=100,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    for number in itertools.count(FIRST_SEED):
        run_state_machine_as_test(seed(number)(MoneyMachine), settings=ways)
        if MoneyWorld.steps >= STEPS:
            break
    if TOLD:
        Path(TOLD).write_text(json.dumps({"steps": MoneyWorld.steps, "did": MoneyWorld.did}))
    # A machine that does nothing would find nothing. Here only what was done counts, not what was refused.
    assert set(MoneyWorld.did) >= (_ALWAYS | _IN_THE_LONG_RUN if STEPS >= 20_000 else _ALWAYS)
