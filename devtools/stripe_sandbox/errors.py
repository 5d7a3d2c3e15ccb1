"""Stripe's error envelope."""

from __future__ import annotations

from typing import Any

DOCS = "https://stripe.com/docs/error-codes/"


class ApiError(Exception):
    """An answer that is an error, in Stripe's shape.

    ``before_execution`` marks a refusal made before the endpoint began (wrong key, unknown parameter): such an answer
    is not kept under the idempotency key, exactly as Stripe documents.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        code: str | None = None,
        param: str | None = None,
        before_execution: bool = False,
        **more: Any,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.kind = kind
        self.code = code
        self.param = param
        self.before_execution = before_execution
        self.more = more

    def body(self, *, request_id: str) -> dict[str, Any]:
        """The JSON body Stripe would send."""
        error: dict[str, Any] = {"message": self.message, "type": self.kind}
        if self.code:
            error["code"] = self.code
            error["doc_url"] = DOCS + self.code.replace("_", "-")
        if self.param:
            error["param"] = self.param
        error["request_log_url"] = f"https://dashboard.stripe.com/test/logs/{request_id}"
        error.update(self.more)
        return {"error": error}


def resource_missing(kind: str, identifier: str, *, param: str = "id", status: int = 404) -> ApiError:
    """The answer for an object that does not exist; a parameter naming one gives 400, a path 404."""
    return ApiError(f"No such {kind}: '{identifier}'", status=status, code="resource_missing", param=param)


def not_offered(param: str) -> ApiError:
    """The answer for something Stripe has and this sandbox has not: loud, so that nothing is ignored in silence."""
    return ApiError(
        f"The sandbox knows the parameter '{param}' but does not act on it.",
        status=400,
        code="sandbox_not_offered",
        param=param,
        before_execution=True,
    )
