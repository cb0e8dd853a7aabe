"""What the API answers when it does not do what it was asked: one shape, one list of codes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse

ErrorCode = Literal[
    "unreadable_body",
    "invalid_request",
    "too_large",
    "too_slow",
    "unauthorized",
    "not_found",
    "method_not_allowed",
    "unknown_agent",
    "number_not_yours",
    "no_number",
    "missing_variables",
    "idempotency_conflict",
    "call_is_being_placed",
    "call_not_in_progress",
    "tenant_full",
    "mode_not_configured",
    "carrier_not_configured",
    "carrier_refused",
    "carrier_unavailable",
    "store_unavailable",
    "internal",
]

STATUS_OF: Final[Mapping[ErrorCode, int]] = {
    "unreadable_body": 400,
    "invalid_request": 422,
    "too_large": 413,
    "too_slow": 408,
    "unauthorized": 401,
    "not_found": 404,
    "method_not_allowed": 405,
    "unknown_agent": 422,
    "number_not_yours": 403,
    "no_number": 422,
    "missing_variables": 422,
    "idempotency_conflict": 409,
    "call_is_being_placed": 409,
    "call_not_in_progress": 409,
    "tenant_full": 429,
    "mode_not_configured": 422,
    "carrier_not_configured": 503,
    "carrier_refused": 502,
    "carrier_unavailable": 503,
    "store_unavailable": 503,
    "internal": 500,
}
"""The HTTP status of each code."""


class ErrorDetail(BaseModel):
    """Why a request was not done."""

    code: str = Field(description="For programs; does not change.", examples=["unknown_agent"])
    message: str = Field(
        description="For people: what is wrong and what to change.",
        examples=["agent_id: there is no agent 'sale'; there are: reception, sales"],
    )
    field: str | None = Field(
        None, description="The field or parameter it is about.", examples=["agent_id"]
    )


class ErrorBody(BaseModel):
    """Every answer that is not 2xx."""

    model_config = ConfigDict(title="Error")

    error: ErrorDetail


class ApiError(Exception):
    """A request is not done.

    Args:
        message: What is wrong and what to change; holds no key.
        code: For programs; each has one status.
        field: What it is about; empty when it is about the whole.
    """

    def __init__(self, message: str = "", code: ErrorCode = "internal", field: str = "") -> None:
        super().__init__(message, code, field)
        self.message = message
        self.code = code
        self.field = field

    def __str__(self) -> str:
        return self.message

    @property
    def status(self) -> int:
        """The HTTP status."""
        return STATUS_OF[self.code]

    def body(self) -> dict[str, dict[str, str]]:
        """As JSON."""
        detail = {"code": str(self.code), "message": printable(self.message)}
        if self.field:
            detail["field"] = printable(self.field)
        return {"error": detail}


def error_response(error: ApiError, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """The answer of HTTP; ``headers`` are sent besides."""
    found = dict(headers or {})
    if error.status == 401:
        found["WWW-Authenticate"] = "Bearer"
    return JSONResponse(error.body(), error.status, found)


def printable(text: str) -> str:
    """Text that UTF-8 can hold."""
    return text.encode("utf-8", "replace").decode()
