"""What the API answers when it does not do what it was asked: one shape, one list of codes."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

ErrorCode = Literal[
    "invalid_request",
    "too_large",
    "unauthorized",
    "not_found",
    "method_not_allowed",
    "unknown_agent",
    "number_not_yours",
    "no_number",
    "missing_variables",
    "idempotency_conflict",
    "call_is_being_placed",
    "carrier_not_configured",
    "carrier_refused",
    "carrier_unavailable",
    "store_unavailable",
    "internal",
]


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
        status: The HTTP status.
        code: One of ``ErrorCode``.
        message: What is wrong and what to change; holds no key.
        field: What it is about; empty when it is about the whole.
    """

    def __init__(self, status: int, code: ErrorCode, message: str, field: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.field = field

    def body(self) -> dict[str, dict[str, str]]:
        """As JSON."""
        detail = {"code": str(self.code), "message": printable(self.message)}
        if self.field:
            detail["field"] = printable(self.field)
        return {"error": detail}


def printable(text: str) -> str:
    """Text that UTF-8 can hold."""
    return text.encode("utf-8", "replace").decode()
