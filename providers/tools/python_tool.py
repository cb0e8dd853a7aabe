"""A tool that is a Python function of a module that the deployment allows.

Rules
1. It runs in a thread of its own, an asynchronous one on a loop of its own: whatever it does, calls
   go on. A thread cannot be ended: one that hangs is left behind, and ``MAX_THREADS`` of those make
   every further use fail at once.
2. It is called with its arguments by name, and with ``idempotency_key`` if it takes that.
3. What it returns is JSON; it is written in the thread too, and no further than it may be long. A
   ``ToolFailed`` that it raises is told to the model in its own words;
   of any other exception the model learns that it broke, and the log where.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import inspect
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from providers.tools.answer import done
from providers.tools.bindings import PythonBinding
from providers.tools.errors import ToolFailed, ToolSaid, ToolTimeout, ToolUnusable

MAX_THREADS: Final = 16
KEY_ARGUMENT: Final = "idempotency_key"
_MOST_SAID: Final = 500


class _Unusable(ToolFailed):
    """What it returned, in our words and not in its own."""


def function_at(entry: str, allowed: Sequence[str]) -> Callable[..., Any]:
    """The function ``module:function``.

    Raises:
        ToolUnusable: The module is not allowed, or there is no such function in it.
    """
    module_name, _, name = entry.partition(":")
    if not any(module_name == one or module_name.startswith(f"{one}.") for one in allowed):
        known = ", ".join(allowed) or "none"
        raise ToolUnusable(f"module {module_name} is not among CALLCLUSTER_TOOL_MODULES ({known})")
    try:
        found = getattr(importlib.import_module(module_name), name, None)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a module does then
        raise ToolUnusable(
            f"module {module_name} cannot be imported: {type(error).__name__}"
        ) from None
    if not callable(found):
        raise ToolUnusable(f"there is no function {name} in module {module_name}")
    function: Callable[..., Any] = found
    return function


def check_signature(function: Callable[..., Any], parameters: Mapping[str, Any]) -> None:
    """See that ``function`` takes the arguments of a schema. Raises ``ToolUnusable``."""
    properties, required = parameters.get("properties") or {}, parameters.get("required") or ()
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return  # written in C: nobody knows
    key = {KEY_ARGUMENT: ""} if KEY_ARGUMENT in signature.parameters else {}
    for names in (properties, required):
        try:
            signature.bind(**dict.fromkeys(names), **key)
        except TypeError as error:
            raise ToolUnusable(f"the function does not fit parameters: {error}") from None


class PythonTools:
    """Calls the functions of one process.

    Args:
        allowed: Modules, each with what is in it.
    """

    def __init__(self, allowed: Sequence[str]) -> None:
        self._allowed = tuple(allowed)
        self._functions: dict[str, Callable[..., Any]] = {}
        self._threads = 0

    async def run(self, python: PythonBinding, arguments: Mapping[str, Any], key: str) -> str:
        """Call it; the result as JSON for the model.

        Raises:
            ToolFailed: It said so, returned what is no JSON or too much, or did not end in time.
            ToolUnusable: It is not there, or not allowed.
        """
        function = self._function(python.entry)
        if self._threads >= MAX_THREADS:
            raise ToolFailed("too many tools hang here")
        takes_key = KEY_ARGUMENT in _parameters(function)
        given = {**arguments, **({KEY_ARGUMENT: key} if takes_key else {})}
        try:
            async with asyncio.timeout(python.timeout_s):
                text = await self._in_thread(function, given, python)
        except _Unusable as error:
            raise ToolFailed(error.message) from None
        except ToolFailed as error:
            raise ToolSaid(str(error.message)[:_MOST_SAID]) from None
        except TimeoutError:
            raise ToolTimeout(f"no result in {python.timeout_s:g} s") from None
        return done(json.loads(text), python.shown)

    def _function(self, entry: str) -> Callable[..., Any]:
        if entry not in self._functions:
            self._functions[entry] = function_at(entry, self._allowed)
        return self._functions[entry]

    async def _in_thread(
        self, function: Callable[..., Any], given: Mapping[str, Any], python: PythonBinding
    ) -> str:
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[str] = loop.create_future()

        def settle(text: str, error: BaseException | None) -> None:
            self._threads -= 1
            if ended.done():
                return
            if error is None:
                ended.set_result(text)
            else:
                ended.set_exception(error)

        def work() -> None:
            text = ""
            error: BaseException | None = None
            try:
                value = function(**given)
                if inspect.isawaitable(value):
                    value = asyncio.run(_awaited(value, python.timeout_s))
                text = _json(value, python.max_bytes)
            except Exception as raised:  # noqa: BLE001 - told to whoever waits
                error = raised
            except BaseException as raised:  # noqa: BLE001 - SystemExit and its like end nothing here
                error = ToolFailed(f"it ended with {type(raised).__name__}")
            if isinstance(error, StopIteration):  # which no future can hold
                error = ToolFailed("it ended with StopIteration")
            with contextlib.suppress(RuntimeError):  # the process is ending
                loop.call_soon_threadsafe(settle, text, error)

        self._threads += 1
        threading.Thread(target=work, name="tool", daemon=True).start()
        return await ended


def _parameters(function: Callable[..., Any]) -> Mapping[str, Any]:
    try:
        return inspect.signature(function).parameters
    except (TypeError, ValueError):
        return {}


def _json(value: object, most: int) -> str:
    """``value`` as JSON; nothing is written of it beyond ``most`` characters."""
    parts, size = [], 0
    try:
        for part in json.JSONEncoder(ensure_ascii=False, allow_nan=False).iterencode(value):
            parts.append(part)
            size += len(part)
            if size > most:
                raise _Unusable(f"its result is longer than {most} bytes")
    except (TypeError, ValueError, RecursionError):
        raise _Unusable("its result is not JSON") from None
    return "".join(parts)


async def _awaited(value: Any, timeout_s: float) -> Any:
    async with asyncio.timeout(timeout_s):
        return await value
