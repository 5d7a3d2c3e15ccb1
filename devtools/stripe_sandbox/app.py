"""The WSGI application: who asks, which key, what the switches spoil, and who answers."""

from __future__ import annotations

import base64
import binascii
import json
import socket
import time
from collections.abc import Iterable
from fnmatch import fnmatchcase
from typing import Any

from werkzeug.wrappers import Request, Response

from . import api, idempotency, params, reading
from .control import API_SWITCHES, Control
from .errors import ApiError
from .events import Call
from .pages import HostedPages
from .store import Json, Store, new_id
from .ticking import tick


class App:
    """Answers for Stripe's API under ``/v1``, the hosted pages under ``/c`` and the controls under ``/_control``."""

    def __init__(self, store: Store, *, secret_key: str, public_url: str | None = None) -> None:
        self.store = store
        self.secret_key = secret_key
        self.public_url = public_url
        self.pages = HostedPages(store)
        self.control = Control(store)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """One WSGI request."""
        request = Request(environ)
        base_url = self.public_url or request.host_url.rstrip("/")
        tick(self.store)
        if request.path.startswith("/v1"):
            return self._api(request, base_url)(environ, start_response)
        if request.path.startswith("/c/"):
            response = self.pages.respond(request, base_url)
        elif request.path.startswith("/_control"):
            response = self.control.respond(request, base_url)
        else:
            response = Response("Nothing is here. The switches are at /_control/.\n", status=404)
        return response(environ, start_response)

    def _api(self, request: Request, base_url: str) -> Response:
        request_id = new_id("req_", 14)
        spoil = self._spoil(request)
        try:
            response = self._answer(request, base_url, request_id, spoil)
        except ApiError as error:
            response = _json(error.body(request_id=request_id), error.status)
        response.headers["Request-Id"] = request_id
        response.headers["Stripe-Version"] = request.headers.get("Stripe-Version") or params.api_version()
        response.headers["Cache-Control"] = "no-cache, no-store"
        if request.method == "POST" and request.headers.get("Idempotency-Key"):
            response.headers["Idempotency-Key"] = request.headers["Idempotency-Key"]
        if spoil.get("hang") is not None:
            time.sleep(spoil["hang"])
            _hang_up(request)
        return response

    def _answer(self, request: Request, base_url: str, request_id: str, spoil: Json) -> Response:
        self._authenticate(request)
        route, identifier = api.resolve(request.method, request.path)
        body = request.get_data(as_text=True) if request.method == "POST" else request.query_string.decode()
        form = params.decode_form(body)
        key = request.headers.get("Idempotency-Key") if request.method == "POST" else None
        if key:
            kept = idempotency.begin(self.store, key=key, path=request.path, body=body, request_id=request_id)
            if kept is not None:
                response = Response(kept.body, status=kept.status, mimetype="application/json")
                response.headers["Idempotent-Replayed"] = "true"
                response.headers["Original-Request"] = kept.request_id
                return response
        try:
            checked = params.check(form, against=route.params)
            if spoil.get("error"):
                return self._fail(key, request_id, keep=spoil["keep"])
            if spoil.get("slow"):
                time.sleep(spoil["slow"])
            if request.method == "GET":
                with self.store.read() as tx:
                    call = Call(tx, base_url=base_url, params=checked)
                    answer = route.handler(call, identifier)
                    return _json(reading.expand(tx, answer, checked.get("expand", [])), 200)
            return self._execute(route, identifier, checked, base_url, request_id, key)
        except BaseException as error:
            if key and (not isinstance(error, ApiError) or error.before_execution):
                idempotency.free(self.store, key=key)
            raise

    def _execute(
        self, route: api.Route, identifier: str, checked: Json, base_url: str, request_id: str, key: str | None
    ) -> Response:
        """Does the work and keeps its answer in one transaction; a refusal undoes the work and is kept alone."""
        try:
            with self.store.write() as tx:
                call = Call(tx, base_url=base_url, request_id=request_id, idempotency_key=key, params=checked)
                answer = route.handler(call, identifier)
                response = _json(reading.expand(tx, answer, checked.get("expand", [])), 200)
                if key:
                    idempotency.keep(tx, key=key, status=200, body=response.get_data(as_text=True))
                return response
        except ApiError as error:
            if key and not error.before_execution:
                body = json.dumps(error.body(request_id=request_id))
                with self.store.write() as tx:
                    idempotency.keep(tx, key=key, status=error.status, body=body)
            raise

    def _fail(self, key: str | None, request_id: str, *, keep: bool) -> Response:
        """The switch's 500: before anything was done; kept under the key only if so asked."""
        error = ApiError("An unknown error occurred", status=500, kind="api_error")
        response = _json(error.body(request_id=request_id), 500)
        if key and keep:
            with self.store.write() as tx:
                idempotency.keep(tx, key=key, status=500, body=response.get_data(as_text=True))
            response.headers["Stripe-Should-Retry"] = "false"
        elif key:
            idempotency.free(self.store, key=key)
        return response

    def _spoil(self, request: Request) -> Json:
        """What the switches do to this call; counts them down."""
        with self.store.read() as tx:
            rules = tx.setting("api")
        if rules is None or not fnmatchcase(f"{request.method} {request.path}", rules["match"]):
            return {}
        spoil: Json = {"slow": rules["delay_seconds"]}
        if rules["error_next"] <= 0 and rules["time_out_next"] <= 0:
            return spoil
        with self.store.write() as tx:
            rules = tx.setting("api", API_SWITCHES)
            if rules["error_next"] > 0:
                rules["error_next"] -= 1
                spoil |= {"error": True, "keep": rules["keep_error"]}
            elif rules["time_out_next"] > 0:
                rules["time_out_next"] -= 1
                spoil["hang"] = rules["hang_seconds"]
            tx.remember("api", rules)
            return spoil

    def _authenticate(self, request: Request) -> None:
        scheme, _, value = request.headers.get("Authorization", "").partition(" ")
        given = value.strip()
        if scheme.lower() == "basic":
            try:
                given = base64.b64decode(given, validate=True).decode().partition(":")[0]
            except (binascii.Error, UnicodeDecodeError):
                given = ""
        if scheme.lower() not in ("bearer", "basic") or not given:
            raise ApiError(
                "You did not provide an API key. You need to provide your API key in the Authorization header, using "
                "Bearer auth (e.g. 'Authorization: Bearer YOUR_SECRET_KEY').",
                status=401,
                before_execution=True,
            )
        if given != self.secret_key:
            hidden = f"{given[:8]}{'*' * max(4, len(given) - 12)}{given[-4:]}"
            raise ApiError(f"Invalid API Key provided: {hidden}", status=401, before_execution=True)


def _json(body: Json, status: int) -> Response:
    return Response(json.dumps(body), status=status, mimetype="application/json")


def _hang_up(request: Request) -> None:
    """Cuts the connection without an answer, after the work was done."""
    connection: socket.socket | None = request.environ.get("werkzeug.socket")
    if connection is not None:
        connection.shutdown(socket.SHUT_RDWR)
