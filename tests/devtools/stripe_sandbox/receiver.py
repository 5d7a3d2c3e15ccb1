"""A shop's webhook endpoint: records what comes and answers as told."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import stripe


@dataclass(frozen=True)
class Received:
    body: bytes
    signature: str
    status: int

    def event(self, secret: str) -> stripe.Event:
        event: stripe.Event = stripe.Webhook.construct_event(self.body, self.signature, secret)
        return event


@dataclass
class Receiver:
    received: list[Received] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with receiver.lock:
                    status = receiver.answers.pop(0) if receiver.answers else 200
                    receiver.received.append(Received(body, self.headers["Stripe-Signature"], status))
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", "6")
                self.end_headers()
                self.wfile.write(b"Thanks")

            def log_message(self, *args: Any) -> None:
                """Silence."""

        class Server(ThreadingHTTPServer):
            # Many posts may knock at once; the default of five waiting connections would turn some away.
            request_queue_size = 128

        self.lock = threading.Lock()
        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook/"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    def events(self, secret: str, *types: str) -> list[stripe.Event]:
        """What has come, each with its signature checked, of the types named or of all."""
        with self.lock:
            found = [one.event(secret) for one in self.received]
        return [event for event in found if not types or event.type in types]

    def clear(self) -> None:
        with self.lock:
            self.received.clear()
            self.answers.clear()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join(timeout=5)
