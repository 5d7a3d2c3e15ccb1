"""What the clock brings: sessions expire, refunds settle, money becomes available, payouts arrive."""

from __future__ import annotations

import threading

from . import balance, checkout, refunds
from .events import Call, update
from .store import Json, Store

BEAT_SECONDS = 1.0


def tick(store: Store) -> int:
    """Does everything whose moment has come; gives how many things that was."""
    done = 0
    while True:
        with store.read() as tx:
            if not tx.due(tx.now()):
                return done
        with store.write() as tx:
            call = Call(tx)
            for identifier in tx.due(call.now):
                subject = tx.find(identifier)
                if subject is not None:
                    _bring(call, subject)
                    done += 1


def _bring(call: Call, subject: Json) -> None:
    kind = subject["object"]
    if kind == "checkout.session" and subject["status"] == "open":
        checkout.expire(call, subject)
    elif kind == "refund":
        outcome = str(call.tx.hidden(subject["id"]).get("outcome", "succeeded"))
        refunds.settle(call, subject, outcome=outcome)
    elif kind == "balance_transaction":
        balance.become_available(call, subject)
    elif kind == "payout" and subject["status"] == "in_transit":
        balance.arrived(call, subject)
    else:
        update(call, subject, {})


class Clock:
    """A thread that ticks, so that things happen also while nobody asks."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="clock", daemon=True)

    def start(self) -> None:
        """Begins ticking."""
        self._thread.start()

    def stop(self) -> None:
        """Stops after the tick under way."""
        self._stopping.set()
        self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stopping.wait(BEAT_SECONDS):
            tick(self.store)
