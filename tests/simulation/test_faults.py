from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from simulation.errors import FaultsInvalid
from simulation.faults import NO_FAULTS, FaultBoard, Faults, FaultyOutbound
from tests.support import virtual_time


def run_outbound(faults: Faults | None, act: Callable[[FaultBoard, FaultyOutbound], None]) -> list:
    """What leaves for the client: ``(seconds, bytes)``, and ``(seconds, "cut")``."""
    left: list[tuple[float, object]] = []

    async def scene() -> None:
        loop = asyncio.get_running_loop()
        start = loop.time()
        board = FaultBoard()
        outbound = FaultyOutbound(
            "azure",
            board,
            lambda data: left.append((round(loop.time() - start, 3), data)),
            lambda: left.append((round(loop.time() - start, 3), "cut")),
            b"?!",
        )
        if faults is not None:
            board.set("azure", faults)
        act(board, outbound)
        await asyncio.sleep(10)

    virtual_time.run(scene())
    return left


def send(*messages: bytes) -> Callable[[FaultBoard, FaultyOutbound], None]:
    return lambda _board, outbound: [outbound.send(message) for message in messages] and None


@pytest.mark.parametrize(
    ("faults", "left"),
    [
        (NO_FAULTS, [(0, b"a"), (0, b"b"), (0, b"c")]),
        (Faults(drop_after_messages=1), [(0, b"a"), (0, "cut")]),
        (Faults(drop_after_messages=1, times=1), [(0, b"a"), (0, "cut")]),
        (Faults(stall_after_messages=2), [(0, b"a"), (0, b"b")]),
        (Faults(stall_after_messages=0, times=1), []),
        (Faults(garbage_after_messages=1, times=1), [(0, b"a"), (0, b"?!"), (0, b"c")]),
        (Faults(chunk_delay_s=0.5), [(0.5, b"a"), (1.0, b"b"), (1.5, b"c")]),
    ],
)
def test_messages_through_faults(faults: Faults, left: list[tuple[float, object]]) -> None:
    assert run_outbound(faults, send(b"a", b"b", b"c")) == left


def test_faults_set_in_mid_call_count_from_there() -> None:
    def scene(board: FaultBoard, outbound: FaultyOutbound) -> None:
        outbound.send(b"a")
        board.set("azure", Faults(drop_after_messages=1))
        outbound.send(b"b")
        outbound.send(b"c")

    assert run_outbound(None, scene) == [(0, b"a"), (0, b"b"), (0, "cut")]


def test_order_survives_the_end_of_a_delay() -> None:
    def scene(board: FaultBoard, outbound: FaultyOutbound) -> None:
        board.set("azure", Faults(chunk_delay_s=0.5))
        outbound.send(b"slow")
        board.clear()
        outbound.send(b"after")

    assert [data for _, data in run_outbound(None, scene)] == [b"slow", b"after"]


def test_a_client_that_sent_enough_is_cut() -> None:
    def scene(_board: FaultBoard, outbound: FaultyOutbound) -> None:
        outbound.received(400)
        outbound.received(400)

    assert run_outbound(Faults(drop_after_received_bytes=800), scene) == [(0, "cut")]


@pytest.mark.parametrize(
    ("wire", "says"),
    [
        ({"delay": 1}, "no fault 'delay'"),
        ({"status": 200}, "400 to 599"),
        ({"status": True}, "status takes int"),
        ({"never_end": 1}, "never_end takes bool"),
        ({"chunk_delay_s": -1}, "not below 0"),
        ({"chunk_delay_s": "1"}, "chunk_delay_s takes float"),
        ({"drop_after_messages": 1.5}, "drop_after_messages takes int"),
        ({"status_ratio": 1.5}, "0 to 1"),
        ({"silent_ratio": 2}, "silent_ratio takes 0 to 1"),
    ],
)
def test_a_wrong_setting_names_itself(wire: dict[str, object], says: str) -> None:
    with pytest.raises(FaultsInvalid, match=says):
        Faults.parse(wire)


def test_an_unknown_service_lists_the_known_ones() -> None:
    with pytest.raises(FaultsInvalid, match="elevenlabs"):
        FaultBoard().set("nobody", NO_FAULTS)


@settings(max_examples=60)
@given(
    st.dictionaries(
        st.sampled_from([*Faults.__dataclass_fields__, "other"]),
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
        max_size=4,
    )
)
def test_any_json_is_faults_or_invalid(wire: dict[str, object]) -> None:
    with suppress(FaultsInvalid):
        Faults.parse(wire)


@pytest.mark.parametrize(("ratio", "share"), [(0.0, 0), (0.5, 0.5), (1.0, 1)])
def test_a_share_of_the_answers_never_comes(ratio: float, share: float) -> None:
    faults = Faults.parse({"silent_ratio": ratio, "first_byte_delay_s": 0.2})
    delays = [faults.first_delay_s() for _ in range(2_000)]
    silent = [delay for delay in delays if delay > 1_000]
    assert len(silent) / len(delays) == pytest.approx(share, abs=0.08)
    assert {round(delay, 3) for delay in delays if delay <= 1_000} <= {0.2}
