"""What the API takes and gives, as models; the OpenAPI document is made of these."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)

from cluster.stream_parameters import MAX_VALUE_CHARS
from records.call_overview import OverviewFilter
from telephony import twiml
from telephony.errors import InvalidPhoneNumber, InvalidTwiml
from telephony.phone_number import MAX_DIGITS, MIN_DIGITS, check_e164
from telephony.rest import MAX_INLINE_TWIML_CHARS

MAX_VARIABLES = 50
MAX_VARIABLE_CHARS = 4_000
NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]")
_NOT_WORDS = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

CallStateName = Literal[
    "queued",
    "dialing",
    "placed",
    "answered",
    "completed",
    "busy",
    "no-answer",
    "failed",
    "canceled",
]
Direction = Literal["inbound", "outbound"]
# For readers of the document; what is wrong with a number is said by ``check_e164``.
_E164 = rf"^\+[1-9][0-9]{{{MIN_DIGITS - 1},{MAX_DIGITS - 1}}}$"
Number = Annotated[
    str,
    Field(examples=["+14155550123"], max_length=32, json_schema_extra={"pattern": _E164}),
]
NumberText = Annotated[str, StringConstraints(pattern=r"^\+[0-9]{1,15}$")]
VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=64)]
VariableText = Annotated[str, StringConstraints(max_length=MAX_VALUE_CHARS)]


def _written_out(moment: object) -> object:
    """A date and a time, not a count of seconds since 1970."""
    if isinstance(moment, str) and not _DATE.match(moment):
        raise ValueError("write it as 2026-01-31T23:59:59Z")
    return moment


Moment = Annotated[datetime, BeforeValidator(_written_out)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class MachineDetectionBody(_Strict):
    """Find out whether a person or a machine answers, and what to do about a machine."""

    mode: Literal["off", "hang_up", "leave_message", "continue"] = Field(
        "off",
        description="`hang_up` ends the call when a machine or a fax answers. `leave_message` "
        "waits for the end of the machine's greeting, says `message` and hangs up. `continue` "
        "only records who answered.",
    )
    message: str = Field(
        "",
        max_length=1_000,
        description="What is left on the machine; with `leave_message` only.",
        examples=["This is Northwind. Please call us back."],
    )

    @model_validator(mode="after")
    def _message_where_it_is_used(self) -> Self:
        if self.mode != "leave_message":
            if self.message:
                raise ValueError("message goes with mode leave_message only")
            return self
        try:
            document = twiml.say_and_hang_up(self.message)
        except InvalidTwiml as error:
            raise ValueError(f"message: {error.message}") from None
        if len(document) > MAX_INLINE_TWIML_CHARS - 100:
            raise ValueError("message is too long for the carrier once it is written as XML")
        return self


class PlaceCall(_Strict):
    """A call to be placed."""

    to: Number = Field(description="Whom to call, E.164.")
    agent_id: str | None = Field(
        None,
        max_length=128,
        description="Who speaks; the tenant's default agent when absent.",
        examples=["reception"],
    )
    from_: Number | None = Field(
        None,
        alias="from",
        description="A number of yours, E.164, which the phone shows; your first one when absent.",
        examples=["+14155550199"],
    )
    variables: dict[VariableName, VariableText] = Field(
        default_factory=dict,
        max_length=MAX_VARIABLES,
        description="Put in the place of `{name}` in the agent's prompt and greeting. Every "
        "placeholder needs one. 4,000 characters in all.",
        examples=[{"name": "Ann", "day": "Monday"}],
    )
    machine_detection: MachineDetectionBody = Field(
        default_factory=lambda: MachineDetectionBody.model_validate({})
    )
    record: bool | None = Field(
        None, description="Record both sides; as the agent's file says when absent."
    )
    timeout_s: int = Field(60, ge=1, le=600, description="How long it rings, in seconds.")

    @field_validator("to", "from_")
    @classmethod
    def _e164(cls, number: str | None) -> str | None:
        try:
            return number if number is None else check_e164(number)
        except InvalidPhoneNumber as error:
            raise ValueError(error.message) from None

    @field_validator("variables")
    @classmethod
    def _words(cls, variables: dict[str, str]) -> dict[str, str]:
        if sum(map(len, variables.values())) > MAX_VARIABLE_CHARS:
            raise ValueError(f"{MAX_VARIABLE_CHARS} characters in all at most")
        for name, text in variables.items():
            if _NOT_WORDS.search(text):
                raise ValueError(f"{name} holds a control character")
        return variables


class MoveCall(_Strict):
    """How a call in progress is to be carried."""

    mode: Literal["pipeline", "relay", "realtime"] = Field(
        description="One of those that `mode` in the agent's file names."
    )


class CallQuery(_Strict):
    """Which calls to list."""

    state: CallStateName | None = None
    direction: Direction | None = None
    agent_id: Annotated[str, StringConstraints(max_length=128, pattern=NAME)] | None = None
    from_: NumberText | None = Field(None, alias="from", description="E.164.")
    to: NumberText | None = Field(None, description="E.164; write the plus sign as %2B.")
    since: Moment | None = Field(
        None, description="Created at or after; RFC 3339, UTC if nothing else is said."
    )
    until: Moment | None = Field(None, description="Created before.")
    limit: int = Field(50, ge=1, le=200)
    cursor: str | None = Field(
        None, max_length=400, description="`next_cursor` of the page before."
    )

    def chosen(self, tenant_id: str) -> OverviewFilter:
        """As the store takes it."""
        return OverviewFilter(
            tenant_id,
            state=self.state or "",
            direction=self.direction or "",
            agent_id=self.agent_id or "",
            from_number=self.from_ or "",
            to_number=self.to or "",
            from_us=_microseconds(self.since),
            before_us=_microseconds(self.until),
        )


def _microseconds(moment: datetime | None) -> int:
    if moment is None:
        return 0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(1, (moment - _EPOCH) // timedelta(microseconds=1))


class CallErrorView(BaseModel):
    """What went wrong with a call."""

    code: int = Field(description="The carrier's error code; 0 when it gave none.")
    message: str


class CallView(BaseModel):
    """A call in a list."""

    call_id: str
    state: CallStateName
    direction: Direction
    agent_id: str
    agent_version: str = Field(description="Which version of its file; empty before the answer.")
    from_: str = Field(alias="from", description="Empty once the call was erased.")
    to: str = Field(description="Empty once the call was erased.")
    call_sid: str = Field(description="The carrier's id; empty until it has one.")
    language: str
    mode: str = Field(
        description="How it is carried: pipeline, relay, realtime; several with commas. Empty: not "
        "known yet."
    )
    answered_by: str = Field(description="What machine detection said; empty when it said nothing.")
    created_at: str = Field(description="When it was asked for, or came in. RFC 3339, UTC.")
    started_at: str | None = Field(description="When the conversation began.")
    ended_at: str | None
    duration_s: float | None = Field(description="Of the conversation.")
    end_reason: str
    waiting_for: str = Field(description="Why a queued call waits, as far as it is known.")
    error: CallErrorView | None
    cost_usd: float
    erased_at: str | None

    model_config = ConfigDict(populate_by_name=True)


class TurnView(BaseModel):
    """One turn of the conversation."""

    turn_id: int
    kind: str
    caller_text: str
    agent_text: str = Field(description="What the agent wanted to say.")
    heard_text: str = Field(description="What the caller has heard of it.")
    outcome: str
    reason: str
    at: str | None
    timeline_s: dict[str, float] = Field(description="Stage to seconds after the caller's words.")
    usage: dict[str, float]
    speculative_calls: int = Field(description="Replies asked for before the turn was taken.")
    wasted_calls: int = Field(description="Replies asked for that were never spoken.")
    wasted_cost_usd: float = Field(description="What these cost.")
    cache: dict[str, Any] = Field(
        description="What the response cache said: `outcome` (`hit`, `miss`, `refusal`), `reason`, "
        "`tier`, `entry_id` of the entry that answered or was refused, `similarity`, `lookup_s`, "
        "`expected` (whether it was one of the answers prepared after the turn before); "
        "empty when it was not asked."
    )


class RecordingView(BaseModel):
    """A recording at the carrier."""

    recording_sid: str
    status: str
    url: str = Field(description="Where the carrier serves it; needs the account's credentials.")
    duration_s: float
    channels: int


class EventView(BaseModel):
    """Something that happened, such as a status of the carrier."""

    kind: str
    at: str | None
    data: dict[str, Any]


class CallDetail(CallView):
    """A call with all that is known of it."""

    turns: list[TurnView]
    usage: dict[str, float]
    cost: dict[str, float] = Field(description="Component to US dollars.")
    wasted_cost_usd: float = Field(description="The part that went into replies never spoken.")
    recordings: list[RecordingView]
    events: list[EventView]
    variables: dict[str, Any]
    attempts: int = Field(description="How often the carrier was asked to place it.")


class CallPage(BaseModel):
    """A page of calls, the newest first."""

    calls: list[CallView]
    next_cursor: str | None = Field(description="For the next page; null on the last one.")


class ErasedView(BaseModel):
    """What an erasure did."""

    call_id: str
    erased_at: str
    turns: int
    journal_entries: int
    recordings: int = Field(description="That the carrier was told, or will be told, to delete.")


class AgentView(BaseModel):
    """An agent of yours."""

    agent_id: str
    agent_version: str
    language: str
    records_calls: bool
    variables: list[str] = Field(description="That a call placed for it must bring.")
    numbers: list[str] = Field(description="That it answers.")
    modes: list[str] = Field(
        description="How its calls may be carried: as the first one, unless something happens."
    )


class AgentList(BaseModel):
    """Your agents."""

    agents: list[AgentView]
