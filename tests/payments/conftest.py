"""What the tests of money share: a charge, a way to pay it at the sandbox, and receivers that listen."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from audit.context import Actor
from common import clock
from payments import services, signals
from payments.models import Attempt, Charge
from tests.factories.payments import ChargeFactory

if TYPE_CHECKING:
    from devtools.stripe_sandbox.testing import Sandbox

CANDIDATE = Actor("candidate", "46/46TEST0001")
CLERK = Actor("staff", "7")


@dataclass
class Heard:
    """What a receiver was told, in order."""

    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.calls]


@pytest.fixture
def heard() -> Iterator[Heard]:
    """Listens to the three signals; the receivers of the apps above are away meanwhile."""
    heard = Heard()
    names = ("charge_locking", "charge_settled", "charge_refunded")
    kept = {name: getattr(signals, name).receivers for name in names}

    def listener(name: str) -> Any:
        def listen(sender: Any, **told: Any) -> None:
            heard.calls.append((name, told))

        return listen

    listeners = [listener(name) for name in names]
    for name, listen in zip(names, listeners, strict=True):
        signal = getattr(signals, name)
        signal.receivers = []
        signal.sender_receivers_cache.clear()
        signal.connect(listen, weak=False)
    yield heard
    for name in names:
        signal = getattr(signals, name)
        signal.receivers = kept[name]
        signal.sender_receivers_cache.clear()


@dataclass(frozen=True)
class Till:
    """A charge and what can be done with it at the sandbox, at the real time (Stripe's clock is the real one)."""

    sandbox: "Sandbox"
    charge: Charge

    def start(self, *, now: dt.datetime | None = None) -> Attempt:
        return start(self.charge, now=now)

    def reload(self) -> Charge:
        return Charge.objects.get(pk=self.charge.pk)


def start(charge: Charge, *, now: dt.datetime | None = None) -> Attempt:
    """Click Pay."""
    now = now or clock.now()
    return services.start_checkout(
        charge_id=charge.pk,
        success_url="http://testserver/paid/?session={CHECKOUT_SESSION_ID}",
        cancel_url="http://testserver/pay/",
        expires_at=now + dt.timedelta(minutes=45),
        by=CANDIDATE,
        now=now,
    )


@pytest.fixture
def till(stripe_sandbox: "Sandbox", transactional_db: None, heard: Heard) -> Till:
    """A committed open charge of £92 beside an empty sandbox."""
    return Till(stripe_sandbox, ChargeFactory.create(now=clock.now()))
