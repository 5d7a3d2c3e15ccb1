"""A stand-in for GOV.UK Notify over real HTTP: it keeps what it is sent and answers as it is told."""

import json
import threading
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

API_KEY = "tests-11111111-1111-4111-8111-111111111111-22222222-2222-4222-8222-222222222222"


class FakeNotify:
    """`sent` holds the bodies taken in, each with its `id` and `status`; `answer` refuses with that status and words.

    `is_deaf` takes a message in and then breaks the connection, as a time-out looks to the caller.
    """

    def __init__(self) -> None:
        """Listens at once, on a port of its own."""
        self.sent: list[dict[str, Any]] = []
        self.answer: tuple[int, str] | None = None
        self.is_deaf = False
        notify = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: Any) -> None:
                """Nothing to standard error."""

            def do_POST(self) -> None:
                """A message to be sent."""
                notify.take(self)

            def do_GET(self) -> None:
                """What is known of a reference."""
                notify.look(self)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """For NOTIFY_API_BASE."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def stop(self) -> None:
        """Listen no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def take(self, request: BaseHTTPRequestHandler) -> None:
        """Take a message in, or refuse it."""
        body = json.loads(request.rfile.read(int(request.headers["Content-Length"])))
        assert request.headers["Authorization"].startswith("Bearer ")
        if self.answer:
            status, words = self.answer
            _say(request, status, {"status_code": status, "errors": [{"error": "Refused", "message": words}]})
            return
        kind = urlsplit(request.path).path.rsplit("/", 1)[-1]
        made = {**body, "kind": kind, "id": str(uuid.uuid4()), "status": "sending"}
        self.sent.append(made)
        if self.is_deaf:
            request.connection.close()
            return
        _say(request, 201, {"id": made["id"], "reference": body.get("reference"), "content": {}})

    def look(self, request: BaseHTTPRequestHandler) -> None:
        """All that came under one reference."""
        (reference,) = parse_qs(urlsplit(request.path).query)["reference"]
        found = [{"id": each["id"], "status": each["status"]} for each in self.sent if each["reference"] == reference]
        _say(request, 200, {"notifications": found, "links": {}})


def _say(request: BaseHTTPRequestHandler, status: int, answer: dict[str, Any]) -> None:
    text = json.dumps(answer).encode()
    request.send_response(status)
    request.send_header("Content-Type", "application/json")
    request.send_header("Content-Length", str(len(text)))
    request.end_headers()
    request.wfile.write(text)
