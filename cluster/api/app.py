"""The application of the API: routes, their documentation, and one shape for every error."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from functools import cache
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, Path, Query, Request, Response, Security
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.security import HTTPBearer
from starlette.exceptions import HTTPException
from starlette.routing import Route

from cluster.api.auth import ApiKeys
from cluster.api.body_limit import BodyLimit
from cluster.api.desk import CallDesk
from cluster.api.errors import ApiError, ErrorBody, ErrorCode, error_response
from cluster.api.key_gate import DESK, TENANT, KeyGate
from cluster.api.schemas import (
    NAME,
    AgentList,
    CallDetail,
    CallPage,
    CallQuery,
    CallView,
    ErasedView,
    MoveCall,
    PlaceCall,
)
from cluster.api.views import read_cursor
from cluster.call_services import CallServices, OutsideWorld
from records.errors import RecordsError, RowRejected

logger = logging.getLogger(__name__)

MAX_BODY_BYTES = 65_536
PREFIXES = ("/v1", "/docs", "/openapi.json")
DESCRIPTION = """\
Place calls, look at calls, end them, erase them.

**Keys.** Send `Authorization: Bearer cck_...`; `callcluster keys create` makes one. A key names a
tenant and sees the calls of that tenant only. In development mode requests without a key are those
of the default tenant.

**Placing a call** is asynchronous: the answer says that the request is kept. Calls are dialled in
order, one a second unless configured otherwise, and only while the cluster has a free line. Send an
`Idempotency-Key` so that a repeated request is the same call.

**Errors** are `{"error": {"code", "message", "field"}}`; the code is for programs.
"""
_CODES: Mapping[int, ErrorCode] = {
    400: "unreadable_body",
    404: "not_found",
    405: "method_not_allowed",
}
_ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": ErrorBody, "description": "The body cannot be read"},
    401: {"model": ErrorBody, "description": "No key, or one that opens nothing"},
    413: {"model": ErrorBody, "description": "The body is too large"},
    422: {"model": ErrorBody, "description": "A field or a parameter is wrong"},
    503: {"model": ErrorBody, "description": "The database or the carrier is away"},
}
_NOT_FOUND: dict[int | str, dict[str, Any]] = {
    404: {"model": ErrorBody, "description": "You have no such call"}
}
_PLACING: dict[int | str, dict[str, Any]] = {
    200: {"model": CallView, "description": "The call of an earlier request with this key"},
    403: {"model": ErrorBody, "description": "`from` is no number of yours"},
    409: {"model": ErrorBody, "description": "The key was used for another request"},
}
_ENDING: dict[int | str, dict[str, Any]] = {
    202: {"model": CallView, "description": "The carrier was told to end it"},
    409: {"model": ErrorBody, "description": "It is being placed just now"},
    502: {"model": ErrorBody, "description": "The carrier refused"},
}

_MOVING: dict[int | str, dict[str, Any]] = {
    409: {"model": ErrorBody, "description": "Nobody has the call now"},
}

_BEARER = HTTPBearer(auto_error=False, description="An API key, `cck_...`")

CallId = Annotated[str, Path(description="Of the call.", max_length=64, pattern=NAME)]


def build_api(services: CallServices, world: OutsideWorld) -> KeyGate:
    """The application, to be asked for paths that begin with one of ``PREFIXES``.

    Args:
        services: Of the edge.
        world: The stores, the carrier and the back office.
    """
    settings = services.edge.settings
    keys = ApiKeys(
        world.stores.keys.find,
        lambda: asyncio.get_running_loop().time(),
        settings.tenant_id if settings.development else None,
    )
    routes = BodyLimit(_routes(), MAX_BODY_BYTES)
    return KeyGate(routes, keys.tenant_of, {DESK: CallDesk(services, world)})


@cache
def _routes() -> FastAPI:
    """Every route and what is said of it: the same for all, since a request brings its desk."""
    app = FastAPI(
        title="callcluster",
        version="1",
        description=DESCRIPTION,
        docs_url="/docs",
        redoc_url=None,
        openapi_url="/openapi.json",
        responses=_ERRORS,
        redirect_slashes=False,  # to an address made of a header that anybody may send
    )
    _shape_errors(app)
    app.post("/v1/calls", status_code=201, tags=["calls"], responses=_PLACING)(place_call)
    app.get("/v1/calls", tags=["calls"])(list_calls)
    app.get("/v1/calls/{call_id}", tags=["calls"], responses=_NOT_FOUND)(get_call)
    app.get("/v1/agents", tags=["agents"])(list_agents)
    app.delete("/v1/calls/{call_id}", tags=["calls"], responses={**_NOT_FOUND, **_ENDING})(hang_up)
    moving = {**_NOT_FOUND, **_MOVING}
    app.post("/v1/calls/{call_id}/mode", status_code=202, tags=["calls"], responses=moving)(
        move_call
    )
    app.post("/v1/calls/{call_id}/erase", tags=["calls"], responses=_NOT_FOUND)(erase_call)
    return app


async def _tenant_of(request: Request, _key: Annotated[Any, Security(_BEARER)]) -> str:
    return str(getattr(request.state, TENANT))  # the gate has looked at the key


async def _desk_of(request: Request) -> CallDesk:
    desk: CallDesk = getattr(request.state, DESK)
    return desk


Tenant = Annotated[str, Depends(_tenant_of)]
Desk = Annotated[CallDesk, Depends(_desk_of)]


async def place_call(
    tenant_id: Tenant,
    desk: Desk,
    wish: PlaceCall,
    response: Response,
    idempotency_key: Annotated[
        str | None,
        Header(
            min_length=1,
            max_length=200,
            pattern=r"^[\x21-\x7e]+$",
            description="Chosen by you; the same key again is the same call.",
        ),
    ] = None,
) -> CallView:
    """Place a call.

    The request is kept; the call is dialled when its turn comes. With an `Idempotency-Key` that
    came before, the answer is the call of that time, with `Idempotent-Replayed: true`.
    """
    call, is_new = await desk.place(tenant_id, wish, idempotency_key or "")
    if not is_new:
        response.status_code = 200
        response.headers["Idempotent-Replayed"] = "true"
    response.headers["Location"] = f"/v1/calls/{call.call_id}"
    return call


async def list_calls(
    tenant_id: Tenant, desk: Desk, query: Annotated[CallQuery, Query()]
) -> CallPage:
    """List calls, the newest first, those that wait in the queue included."""
    before = read_cursor(query.cursor) if query.cursor else None
    return await desk.page(query.chosen(tenant_id), query.limit, before)


async def get_call(tenant_id: Tenant, desk: Desk, call_id: CallId) -> CallDetail:
    """Show a call: its state, what was said and heard, timings, cost, recordings."""
    return await desk.show(tenant_id, call_id)


async def list_agents(tenant_id: Tenant, desk: Desk) -> AgentList:
    """List your agents, the variables they need, and the numbers they answer."""
    return desk.agents(tenant_id)


async def hang_up(tenant_id: Tenant, desk: Desk, call_id: CallId, response: Response) -> CallView:
    """End a call, or take it out of the queue.

    200 when it is over (also when it was before), 202 while the carrier ends it.
    """
    call, is_over = await desk.hang_up(tenant_id, call_id)
    response.status_code = 200 if is_over else 202
    return call


async def move_call(tenant_id: Tenant, desk: Desk, call_id: CallId, wish: MoveCall) -> CallView:
    """Have a call in progress carried in another way.

    It goes on like that from the next pause between two turns, with all that was said; the caller
    hears nothing of it. A call that is carried like that already stays as it is.
    """
    return await desk.move(tenant_id, call_id, wish.mode)


async def erase_call(tenant_id: Tenant, desk: Desk, call_id: CallId) -> ErasedView:
    """Erase what was said and who spoke, for good.

    Counts, times and cost stay. Recordings are deleted at the carrier, answers that were learned
    from the call in the response cache. A call that waits in the queue is canceled; one that goes
    on is not ended, but nothing more of it is kept.
    """
    return await desk.erase(tenant_id, call_id)


# --- errors ---------------------------------------------------------------------------------------


def _shape_errors(app: FastAPI) -> None:
    @app.exception_handler(ApiError)
    async def refused(_request: Request, error: ApiError) -> JSONResponse:
        return error_response(error)

    @app.exception_handler(RequestValidationError)
    async def invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
        return error_response(_first_problem(error))

    @app.exception_handler(RowRejected)
    async def rejected(_request: Request, error: RowRejected) -> JSONResponse:
        return error_response(ApiError(error.message, "invalid_request"))

    @app.exception_handler(RecordsError)
    async def away(_request: Request, error: RecordsError) -> JSONResponse:
        logger.error("a request was not done: %s", error)
        return error_response(ApiError(f"the call store: {error.message}", "store_unavailable"))

    @app.exception_handler(HTTPException)
    async def other(request: Request, error: HTTPException) -> JSONResponse:
        code = _CODES.get(error.status_code, "invalid_request")
        headers = dict(error.headers or {})
        if code == "method_not_allowed":  # the framework names the methods of one route only
            headers["Allow"] = ", ".join(_methods(app, request.url.path))
        return error_response(ApiError(str(error.detail), code), headers)

    @app.exception_handler(Exception)
    async def unexpected(_request: Request, _error: Exception) -> JSONResponse:
        return error_response(ApiError("something went wrong here: see the log", "internal"))


def _methods(app: FastAPI, path: str) -> list[str]:
    """What may be asked of a path."""
    routes = [route for route in app.routes if isinstance(route, Route)]
    found = [route.methods or () for route in routes if route.path_regex.match(path)]
    return sorted(set().union(*found))


def _first_problem(error: RequestValidationError) -> ApiError:
    """The first thing that is wrong, without what was sent."""
    problem = error.errors()[0]
    place = [str(part) for part in problem["loc"]][1:]
    if problem["type"] == "json_invalid":
        return ApiError("the body is not JSON", "invalid_request", "body")
    field = ".".join(place)[:200] or "body"
    message = str(problem["msg"]).removeprefix("Value error, ")[:500]
    if problem["type"] == "extra_forbidden":
        message = "there is no such field"
    return ApiError(f"{field}: {message}", "invalid_request", field)
