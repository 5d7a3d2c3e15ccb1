"""Starts the sandbox."""

from __future__ import annotations

import argparse
import signal
import socket
import sys
import threading
from pathlib import Path

from werkzeug.serving import WSGIRequestHandler, make_server

from . import params
from .app import App
from .deliveries import Courier
from .events import first_endpoints
from .store import Store
from .ticking import Clock

BACKLOG = 128
POLL_SECONDS = 0.1


class QuietHandler(WSGIRequestHandler):
    """Logs refusals and errors only."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """One line for an answer of 500 or more."""
        if str(code).startswith("5"):
            super().log_request(code, size)


def main(arguments: list[str] | None = None) -> int:
    """Serves until SIGTERM or SIGINT; gives the exit code."""
    parser = argparse.ArgumentParser(prog="python -m devtools.stripe_sandbox", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="0 picks a free one")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--db", type=Path, required=True, help="the SQLite file that holds everything")
    parser.add_argument("--webhook-url", default="", help="where events go; empty for nowhere")
    parser.add_argument(
        "--webhook-secret", default="whsec_sandbox", help="signs them; several, by commas, while rolling"
    )
    parser.add_argument("--secret-key", default="sk_test_sandbox", help="the key the API asks for")
    parser.add_argument("--public-url", default=None, help="the address browsers know the sandbox by")
    parser.add_argument("--retry-seconds", type=float, default=0.5, help="first pause before a webhook is tried again")
    options = parser.parse_args(arguments)
    try:
        # Before the file is opened, so that a second start by mistake leaves the first one's deliveries alone.
        listener = socket.create_server((options.host, options.port), backlog=BACKLOG)
    except OSError:
        print(f"The Stripe sandbox cannot listen on {options.host}:{options.port}: is it in use?", file=sys.stderr)
        return 1
    options.db.parent.mkdir(parents=True, exist_ok=True)
    store = Store(options.db)
    _remember(store, url=options.webhook_url, secrets=[one for one in options.webhook_secret.split(",") if one])
    app = App(store, secret_key=options.secret_key, public_url=options.public_url)
    with listener:
        port = listener.getsockname()[1]
        server = make_server(
            options.host, port, app, threaded=True, request_handler=QuietHandler, fd=listener.fileno()
        )
    courier, clock = Courier(store, retry_seconds=options.retry_seconds), Clock(store)
    stopping = threading.Event()

    def stop(*_: object) -> None:
        if not stopping.is_set():
            stopping.set()
            threading.Thread(target=server.shutdown, daemon=True).start()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    courier.start()
    clock.start()
    print(f"Stripe sandbox ready on http://{options.host}:{port}", flush=True)
    server.serve_forever(poll_interval=POLL_SECONDS)
    courier.stop()
    clock.stop()
    server.server_close()
    store.close()
    return 0


def _remember(store: Store, *, url: str, secrets: list[str]) -> None:
    """The endpoint of the command line; what the controls changed since stays unless the command line changed."""
    with store.write() as tx:
        tx.remember("api_version", params.api_version())
        given = {"url": url, "secrets": secrets}
        if tx.setting("command_line") != given:
            tx.remember("command_line", given)
            tx.remember("endpoints", first_endpoints(given))


if __name__ == "__main__":
    sys.exit(main())
