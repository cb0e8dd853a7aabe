"""Runs inside a process of the product: times every step of its event loop (uvloop, Linux).

Each callback, each step of a task and each read of our own protocols is timed by the wall, by the
CPU time of the loop's thread and by the time which that thread waited for a core (``schedstat``).
What is left of the wall is waiting for the interpreter's lock, or for something that blocks. A
timer of 20 ms stands for the tick of the calls: how late it comes, and of what kind the time was
since it was due. Once a second what was seen is written to a file, one JSON object a line.

Only the standard library: it is loaded by ``site/sitecustomize.py`` before everything else.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

TICK_S = 0.02
LONG_S = 0.002
LATE_S = 0.003
_PATCHED = (
    ("cluster.frame_tap", "FrameTap", "data_received"),
    ("actors.mind_link", "MindLink", "data_received"),
    ("websockets.asyncio.connection", "Connection", "data_received"),
    ("httpcore._backends.anyio", "AnyIOStream", "read"),
    ("asyncio.streams", "StreamReaderProtocol", "data_received"),
    (
        "uvicorn.protocols.websockets.websockets_sansio_impl",
        "WebSocketsSansIOProtocol",
        "data_received",
    ),
)


class Watch:
    """The watch of one loop: begun on its thread."""

    def __init__(self, loop: Any, path: str) -> None:
        self.thread = threading.get_ident()
        self._loop = loop
        self._file = open(f"{path}.{os.getpid()}", "a", buffering=1)  # noqa: SIM115
        task = threading.get_native_id()
        self._stat = os.open(f"/proc/self/task/{task}/schedstat", os.O_RDONLY)
        self._depth = 0
        self._steps: list[tuple[str, float, float, float, float]] = []
        self._totals: dict[str, list[float]] = {}
        self._collections: list[tuple[int, float, float]] = []
        self._gc_began = 0.0
        self._lates: list[float] = []
        self._stops: list[dict[str, Any]] = []
        self._due = 0.0
        self._at_last = (0.0, 0.0, 0.0)
        self._flush_at = time.perf_counter() + 1.0
        gc.callbacks.append(self._collected)
        self._arm()

    def stat(self) -> tuple[float, float]:
        """Seconds of CPU of the loop's thread, and seconds for which it waited for a core."""
        # Its first figure lags behind by up to a tick of the kernel.
        _, waited, _ = os.pread(self._stat, 80, 0).split()
        return time.thread_time(), int(waited) * 1e-9

    def timed(self, name: Callable[[], str], work: Callable[..., Any], *args: Any) -> Any:
        """Run a step."""
        if self._depth or threading.get_ident() != self.thread:
            return work(*args)
        self._depth = 1
        ran, waited = self.stat()
        began = time.perf_counter()
        try:
            return work(*args)
        finally:
            took = time.perf_counter() - began
            ran_after, waited_after = self.stat()
            self._depth = 0
            said = name()
            total = self._totals.setdefault(said, [0, 0.0, 0.0, 0.0])
            total[0] += 1
            total[1] += took
            total[2] += ran_after - ran
            total[3] = max(total[3], ran_after - ran)
            if took > LONG_S / 4:
                self._steps.append((said, began, took, ran_after - ran, waited_after - waited))

    def _collected(self, phase: str, info: dict[str, int]) -> None:
        now = time.perf_counter()
        if phase == "start":
            self._gc_began = now
        else:
            on_loop = threading.get_ident() == self.thread
            self._collections.append((info["generation"], now - self._gc_began, float(on_loop)))

    def _arm(self) -> None:
        self._at_last = (time.perf_counter(), *self.stat())
        self._due = self._at_last[0] + TICK_S
        self._loop.call_later(TICK_S, self._tick)

    def _tick(self) -> None:
        now = time.perf_counter()
        late = now - self._due
        self._lates.append(late)
        if late > LATE_S:
            ran, waited = self.stat()
            steps = [
                (name, round((began - self._due) * 1e3, 2), *(round(x * 1e3, 2) for x in rest))
                for name, began, *rest in self._steps
                if began + rest[0] > self._due
            ]
            self._stops.append(
                {
                    "late_ms": round(late * 1e3, 2),
                    "ran_ms": round((ran - self._at_last[1]) * 1e3, 2),
                    "waited_ms": round((waited - self._at_last[2]) * 1e3, 2),
                    "steps": steps,
                    "gc_ms": round(sum(c[1] for c in self._collections[-3:]) * 1e3, 2),
                }
            )
        long = [s for s in self._steps if s[2] > LONG_S]
        self._steps.clear()
        if long:
            self._stops.append(
                {"long": [(n, *(round(x * 1e3, 2) for x in rest)) for n, _, *rest in long]}
            )
        if now > self._flush_at:
            self.flush()
            self._flush_at = now + 1.0
        self._arm()

    def flush(self) -> None:
        """Write what was seen since the last time."""
        stops, self._stops = self._stops, []
        collections, self._collections = self._collections, []
        lates, self._lates = self._lates, []
        totals, self._totals = self._totals, {}
        ran, waited = self.stat()
        line = json.dumps(
            {
                "at": time.time(),
                "ran_s": ran,
                "waited_s": waited,
                "late_ms": [round(late * 1e3, 2) for late in lates],
                "stops": stops,
                "gc": [(g, round(s * 1e3, 2), o) for g, s, o in collections],
                "totals": {k: [v[0], *(round(x, 6) for x in v[1:])] for k, v in totals.items()},
            }
        )
        self._file.write(line + "\n")


_watch: Watch | None = None  # of this process, once its loop runs


def install(path: str) -> None:
    """Watch the loop of this process, if it turns out to be an ingress replica.

    Args:
        path: Where to write; the process id is added.
    """
    try:
        import uvloop
    except ImportError:
        return
    kind = uvloop.Loop
    for name, at in (
        ("call_soon", 0),
        ("call_later", 1),
        ("call_at", 1),
        ("call_soon_threadsafe", 0),
    ):
        setattr(kind, name, _wrapped(getattr(kind, name), at, path))
    atexit.register(_flush)


def _flush() -> None:
    if _watch is not None:
        _watch.flush()


def _wrapped(schedule: Callable[..., Any], at: int, path: str) -> Callable[..., Any]:
    def scheduled(loop: Any, *args: Any, context: Any = None) -> Any:
        watch = _watch
        if watch is None:
            if "cluster.frame_tap" in sys.modules and loop.is_running():
                _begin(loop, path)
            return schedule(loop, *args, context=context)
        work = args[at]
        return schedule(
            loop,
            *args[:at],
            watch.timed,
            lambda: name_of(work),
            work,
            *args[at + 1 :],
            context=context,
        )

    return scheduled


def _begin(loop: Any, path: str) -> None:
    global _watch
    _watch = watch = object.__new__(Watch)
    try:
        watch.__init__(loop, path)  # type: ignore[misc]
    except Exception:
        _watch = None
        raise
    for module, kind, method in _PATCHED:
        found = getattr(sys.modules.get(module), kind, None)
        work = getattr(found, method, None)
        if work is not None:
            setattr(found, method, _method(watch, work, f"{kind}.{method}"))


def _method(watch: Watch, work: Callable[..., Any], name: str) -> Callable[..., Any]:
    def timed(*args: Any) -> Any:
        return watch.timed(lambda: name, work, *args)

    return timed


def name_of(work: Any) -> str:
    """What a callback is: the task's coroutine and the line it waits at, or the function."""
    owner = getattr(work, "__self__", None)
    coroutine_of = getattr(owner, "get_coro", None)
    if coroutine_of is not None and (coroutine := coroutine_of()) is not None:
        inner: Any = coroutine
        names: list[str] = []
        while inner is not None and len(names) < 8:
            names.append(getattr(inner, "__qualname__", "?"))
            frame = getattr(inner, "cr_frame", None) or getattr(inner, "ag_frame", None)
            inner = getattr(inner, "cr_await", None) or getattr(inner, "ag_await", None)
            if frame is not None and not hasattr(inner, "cr_await"):
                names[-1] += f":{frame.f_lineno}"
        return "task " + ">".join([names[0], names[-1]] if len(names) > 1 else names)
    name = getattr(work, "__qualname__", None) or repr(type(work))
    return f"{getattr(work, '__module__', '')}.{name}"
