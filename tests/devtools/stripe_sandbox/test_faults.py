"""Restarts, kills and crowds."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import stripe

from devtools.stripe_sandbox.testing import ROOT, Sandbox
from tests.devtools.stripe_sandbox.conftest import SECRET, session_params
from tests.devtools.stripe_sandbox.receiver import Receiver


@pytest.fixture
def shop() -> Iterator[Receiver]:
    """A shop of this test's own, where no other sandbox's webhook can still be on its way to."""
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def own(shop: Receiver) -> Iterator[Sandbox]:
    """A sandbox of this test's own, for it will be killed."""
    with Sandbox(webhook_url=shop.url, webhook_secret=SECRET, retry_seconds=0.05) as sandbox:
        yield sandbox


def client_of(sandbox: Sandbox, retries: int = 0) -> stripe.StripeClient:
    return stripe.StripeClient(sandbox.secret_key, base_addresses={"api": sandbox.url}, max_network_retries=retries)


def test_memory_is_whole_when_killed_and_started_again(own: Sandbox, shop: Receiver) -> None:
    client = client_of(own)
    own.control("webhooks", hold=True)
    own.control("endpoints", url=shop.url, secrets=[SECRET, "whsec_next"])
    session = client.v1.checkout.sessions.create(params=session_params(), options={"idempotency_key": "attempt-1"})
    own.pay(session.id)
    port = own.port

    own.kill()
    own.start()

    assert own.port == port
    paid = client.v1.checkout.sessions.retrieve(session.id)
    assert (paid.status, paid.payment_status) == ("complete", "paid")
    again = client.v1.checkout.sessions.create(params=session_params(), options={"idempotency_key": "attempt-1"})
    assert again.id == session.id
    own.control("webhooks/release")
    own.wait_for_webhooks()
    assert len(shop.events("whsec_next")) == 5


def test_webhooks_go_out_when_killed_before_the_shop_answered(own: Sandbox, shop: Receiver) -> None:
    client = client_of(own)
    shop.answers.extend([500] * 5)
    session = client.v1.checkout.sessions.create(params=session_params())
    own.pay(session.id)

    own.kill()
    own.start()
    own.wait_for_webhooks()

    assert len({event.id for event in shop.events(SECRET)}) == 5


def test_twenty_shops_are_served_at_once(own: Sandbox) -> None:
    def buy(number: int) -> str:
        client = client_of(own, retries=2)
        session = client.v1.checkout.sessions.create(params=session_params(client_reference_id=f"b-{number}"))
        outcome = own.pay(session.id).outcome
        intent = str(client.v1.checkout.sessions.retrieve(session.id).payment_intent)
        client.v1.refunds.create(params={"payment_intent": intent, "amount": 100})
        return outcome

    with ThreadPoolExecutor(max_workers=20) as pool:
        outcomes = list(pool.map(buy, range(40)))

    assert outcomes == ["paid"] * 40
    own.wait_for_webhooks()
    assert own.state()["deliveries"] == {"delivered": 40 * 7}
    assert client_of(own).v1.balance.retrieve().pending[0].amount == 40 * (9042 - 100)


def test_one_payment_is_taken_when_twenty_tabs_press_pay(own: Sandbox) -> None:
    client = client_of(own)
    session = client.v1.checkout.sessions.create(params=session_params())

    with ThreadPoolExecutor(max_workers=20) as pool:
        outcomes = list(pool.map(lambda _: own.pay(session.id).outcome, range(20)))

    assert outcomes == ["paid"] * 20
    assert len(client.v1.charges.list().data) == 1
    assert len(client.v1.events.list(params={"type": "checkout.session.completed"}).data) == 1


def test_start_is_refused_in_one_line_when_the_port_is_taken(own: Sandbox, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "devtools.stripe_sandbox", "--port", str(own.port), "--db", str(tmp_path / "db")]

    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False)

    assert ended.returncode == 1
    assert ended.stderr == f"The Stripe sandbox cannot listen on 127.0.0.1:{own.port}: is it in use?\n"
    assert ended.stdout == ""


def test_sandbox_knows_nothing_of_the_project() -> None:
    script = (
        "import sys, devtools.stripe_sandbox.__main__, devtools.stripe_sandbox.testing\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules}"
        " & {'django', 'ndors_portal', 'payments', 'common', 'bookings', 'stripe'}))"
    )

    ended = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=20, check=True
    )

    assert ended.stdout == "[]\n"
