"""What the tests of money share: a charge, a way to pay it at the sandbox, and receivers that listen."""

import datetime as dt
import json
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from django.conf import settings
from django.db import connections
from django.test import Client

from audit.context import Actor
from common import clock
from devtools.stripe_sandbox.deliveries import signature
from payments import services, signals
from payments.models import Attempt, Charge, Journal
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
def till(stripe_sandbox: "Sandbox", db: None, heard: Heard) -> Till:
    """An open charge of £92 beside an empty sandbox; committed where the test is marked `races`."""
    return Till(stripe_sandbox, ChargeFactory.create(now=clock.now()))


# --- Webhooks --------------------------------------------------------------------------------------------------
WEBHOOK = "/payments/stripe/webhook/"


def events_of(sandbox: "Sandbox") -> list[dict[str, Any]]:
    """Every event the sandbox has made, newest first."""
    request = urllib.request.Request(
        f"{sandbox.url}/v1/events?limit=100", headers={"Authorization": f"Bearer {sandbox.secret_key}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        found: list[dict[str, Any]] = json.load(answer)["data"]
    return found


def post_event(event: dict[str, Any], *, age_seconds: int = 0, secret: str = "", header: str | None = None) -> int:
    """Deliver an event to the portal as Stripe would; the status of the answer."""
    body = json.dumps(event).encode()
    if header is None:
        secrets = [secret or settings.STRIPE_WEBHOOK_SECRETS[0]]
        header = signature(body, secrets, at=int(time.time()) - age_seconds)
    answer = Client().post(WEBHOOK, body, content_type="application/json", headers={"Stripe-Signature": header})
    return answer.status_code


# --- Races -----------------------------------------------------------------------------------------------------
races = pytest.mark.django_db(transaction=True)  # threads see only what is committed


def together(*works: Callable[[], Any]) -> list[Any]:
    """Do all works at once, each in a thread with connections of its own; results and exceptions in their order."""
    gate = threading.Barrier(len(works))

    def run(work: Callable[[], Any]) -> Any:
        try:
            gate.wait(timeout=10)
            return work()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(run, works))


def meeting_instead_of_lock(count: int) -> Callable[[int], Charge]:
    """In place of `lock_charge` in a control: no lock, and `count` threads have all read before any of them writes."""
    gate, met = threading.Barrier(count), threading.local()

    def read(charge_id: int) -> Charge:
        charge = Charge.objects.get(pk=charge_id)
        if not getattr(met, "already", False):
            met.already = True
            gate.wait(timeout=10)
        return charge

    return read


class Killed(BaseException):
    """The process died here."""


def die(*args: Any, **given: Any) -> Any:
    raise Killed


def ledger() -> list[tuple[str, list[tuple[str, int]]]]:
    """Every journal with its postings, in the order they were written."""
    return [
        (journal.kind, list(journal.postings.order_by("pk").values_list("account", "amount_pence")))
        for journal in Journal.objects.order_by("pk")
    ]


PAID_LINES = [("STRIPE_CLEARING", 9200), ("FEES_IN_ADVANCE", -9200)]
REFUNDED_LINES = [("FEES_IN_ADVANCE", 9200), ("STRIPE_CLEARING", -9200)]
