from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telephony import media_stream
from telephony.errors import (
    BinaryFrame,
    InvalidPayload,
    MalformedMessage,
    MissingField,
    NotJson,
    OutOfPlace,
    StartOverdue,
    StreamRefused,
    TooManyBadMessages,
    UnsupportedFormat,
)
from telephony.g711 import SILENCE_FRAME
from telephony.media_stream import MediaStream
from telephony.messages import MediaFormat
from telephony.stream_events import (
    AudioReceived,
    DtmfReceived,
    MarkReceived,
    ProtocolWarning,
    StreamStarted,
    StreamStats,
    StreamStopped,
)
from tests.telephony.properties import examples
from tests.telephony.streams import (
    ACCOUNT_SID,
    CALL_SID,
    CONNECTED,
    FIXTURES,
    STREAM_SID,
    audio,
    drain,
    dtmf,
    mark,
    media,
    start,
    started,
    stop,
)

FRAME = b"\x12" * 160


def _play(stream: MediaStream, lines: list[str | bytes], *, now: float = 0.0) -> list[Any]:
    for line in lines:
        stream.receive(line, now=now)
    return drain(stream)


def _warnings(events: list[Any]) -> list[type]:
    return [type(event.error) for event in events if isinstance(event, ProtocolWarning)]


# --- a good stream --------------------------------------------------------------------------------


def test_start_is_told_with_all_that_identifies_the_call() -> None:
    stream = MediaStream(now=0.0)
    assert _play(stream, [CONNECTED, start()]) == [
        StreamStarted(
            STREAM_SID,
            CALL_SID,
            ACCOUNT_SID,
            {"tok": "single-use-token"},
            MediaFormat("audio/x-mulaw", 8000, 1),
        )
    ]
    assert stream.stream_sid == STREAM_SID


def test_the_token_is_not_printed() -> None:
    events = _play(MediaStream(now=0.0), [CONNECTED, start()])
    assert "single-use-token" not in repr(events)


def test_audio_keys_marks_and_stop_come_out_in_order() -> None:
    events = _play(
        started(), [media(2, 102), dtmf(3, "5"), mark(4, "1.1.0/2"), media(5, 122), stop(6)]
    )
    assert events == [
        AudioReceived(FRAME, 0.0),
        DtmfReceived("5"),
        MarkReceived("1.1.0/2"),
        AudioReceived(FRAME, 0.02),
        StreamStopped(),
    ]


def test_plain_audio_does_not_take_the_long_road(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = started()
    monkeypatch.delattr(media_stream, "parse")
    assert _play(stream, [media(2, 102), media(3, 122)])


def test_nothing_but_audio_comes_back_at_once_and_is_no_event() -> None:
    stream = started()
    assert stream.receive_audio(media(2, 102), now=0.0) == AudioReceived(FRAME, 0.0)
    assert stream.next_event() is None
    assert stream.receive_audio(mark(3, "m"), now=0.0) is None
    assert stream.receive_audio(media(4, 122), now=0.0) is None, "a mark waits before it"
    assert drain(stream) == [MarkReceived("m"), AudioReceived(FRAME, 0.02)]


def test_a_plain_stream_leaves_no_trace_in_the_counters() -> None:
    stream = started()
    _play(stream, [media(2 + n, 102 + 20 * n) for n in range(10)])
    assert stream.stats == StreamStats(media=10)


@pytest.mark.parametrize(
    ("name", "seconds", "filled"),
    [
        ("ordinary_call", 0.14, 0),
        ("silence_suppression", 0.42, 14),
        ("odd_payloads", 0.14, 0),
    ],
)
def test_recorded_streams_come_out_at_their_full_length(
    name: str, seconds: float, filled: int
) -> None:
    stream = MediaStream(now=0.0)
    lines = (FIXTURES / f"{name}.jsonl").read_text().splitlines()
    events = _play(stream, list(lines))
    assert sum(len(event.ulaw) for event in audio(events)) == round(seconds * 8000)
    assert stream.stats.filled_frames == filled
    assert _warnings(events) == []
    assert events[-1] == StreamStopped()


# --- order ----------------------------------------------------------------------------------------


def test_start_without_connected_is_tolerated_and_reported() -> None:
    events = _play(MediaStream(now=0.0), [start(), media(2, 102)])
    assert [type(event) for event in events] == [ProtocolWarning, StreamStarted, AudioReceived]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (media(2, 102), "media before start"),
        (mark(2, "m"), "mark before start"),
        (dtmf(2, "1"), "dtmf before start"),
        (stop(2), "stop before start"),
        (CONNECTED, "a second connected"),
    ],
)
def test_what_comes_before_start_is_dropped_and_start_still_works(line: str, why: str) -> None:
    stream = MediaStream(now=0.0)
    events = _play(stream, [CONNECTED, line, start(), media(2, 102)])
    assert [type(event) for event in events] == [ProtocolWarning, StreamStarted, AudioReceived]
    assert str(events[0].error) == why
    assert stream.stats.out_of_place == 1


@pytest.mark.parametrize("stream_sid", [STREAM_SID, "MZ2"])
def test_a_second_start_is_dropped(stream_sid: str) -> None:
    stream = started()
    events = _play(stream, [start(2, streamSid=stream_sid), media(2, 102)])
    assert [type(event) for event in events] == [ProtocolWarning, AudioReceived]
    assert stream.stream_sid == STREAM_SID


def test_connected_after_start_is_dropped() -> None:
    assert _warnings(_play(started(), [CONNECTED])) == [OutOfPlace]


def test_another_streams_media_is_dropped() -> None:
    stream = started()
    events = _play(stream, [media(2, 102, stream_sid="MZ2"), media(2, 102)])
    assert [type(event) for event in events] == [ProtocolWarning, AudioReceived]
    assert str(events[0].error) == "media of another stream"


def test_after_stop_everything_is_ignored_and_counted() -> None:
    stream = started()
    assert _play(stream, [stop(2), media(3, 102), "junk", start(4)]) == [StreamStopped()]
    assert stream.stats.after_stop == 3
    assert stream.next_deadline() is None


def test_audio_of_another_track_is_not_the_callers() -> None:
    stream = started()
    events = _play(stream, [media(2, 102, track="outbound"), media(3, 102)])
    assert events == [AudioReceived(FRAME, 0.0)]
    assert stream.stats.other_track == 1


def test_an_unknown_event_is_counted_and_ignored() -> None:
    stream = started()
    events = _play(stream, ['{"event":"weather"}', media(2, 102)])
    assert events == [AudioReceived(FRAME, 0.0)]
    assert stream.stats.unknown == 1


# --- bad messages ---------------------------------------------------------------------------------

BAD: list[tuple[str | bytes, type[MalformedMessage]]] = [
    ("", NotJson),
    ("{", NotJson),
    ("[]", NotJson),
    ('{"event":"media"}', MissingField),
    ('{"noevent":1}', MissingField),
    (media(3, 122).encode(), BinaryFrame),
    (media(3, 122, b"").replace("122", "142"), InvalidPayload),
    (media(3, 122).replace('"payload":"', '"payload":"*'), InvalidPayload),
]


@pytest.mark.parametrize(("line", "error"), BAD)
def test_a_bad_message_is_reported_and_the_call_goes_on(
    line: str | bytes, error: type[MalformedMessage]
) -> None:
    stream = started()
    events = _play(stream, [media(2, 102), line, media(3, 122)])
    assert _warnings(events) == [error]
    assert len(audio(events)) == 2
    assert stream.stats.malformed == 1


def test_fifty_bad_messages_in_a_row_are_fatal() -> None:
    stream = started()
    _play(stream, ["junk"] * 49)
    with pytest.raises(TooManyBadMessages, match="50 bad messages") as caught:
        stream.receive("junk", now=0.0)
    assert caught.value.close_code == 1008


@pytest.mark.parametrize(
    "good", [media(2, 102), mark(2, "m"), '{"event":"weather"}'], ids=["media", "mark", "unknown"]
)
def test_a_good_message_between_bad_ones_starts_the_count_again(good: str) -> None:
    stream = started()
    _play(stream, ["junk"] * 49)
    _play(stream, [good])
    _play(stream, ["junk"] * 49)
    assert stream.stats.malformed == 98


def test_messages_out_of_place_count_as_bad() -> None:
    stream = MediaStream(now=0.0)
    with pytest.raises(TooManyBadMessages, match="media before start"):
        _play(stream, [media(n, 102) for n in range(50)])


def test_after_a_fatal_error_every_call_raises_it_again() -> None:
    stream = started()
    with pytest.raises(TooManyBadMessages):
        _play(stream, ["junk"] * 50)
    with pytest.raises(TooManyBadMessages):
        stream.receive(media(2, 102), now=0.0)
    with pytest.raises(TooManyBadMessages):
        stream.handle_deadline(now=1.0)
    assert stream.next_deadline() is None


@pytest.mark.parametrize(
    "changed", [{"encoding": "audio/x-alaw"}, {"sampleRate": 16000}, {"channels": 2}]
)
def test_another_format_is_refused_and_named(changed: dict[str, object]) -> None:
    good = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}
    with pytest.raises(UnsupportedFormat, match=str(next(iter(changed.values())))):
        _play(MediaStream(now=0.0), [CONNECTED, start(mediaFormat=good | changed)])


# --- numbering ------------------------------------------------------------------------------------


def test_a_duplicate_is_dropped() -> None:
    stream = started()
    events = _play(
        stream, [media(2, 102), media(2, 102), dtmf(3, "1"), dtmf(3, "1"), media(4, 122)]
    )
    assert events == [AudioReceived(FRAME, 0.0), DtmfReceived("1"), AudioReceived(FRAME, 0.02)]
    assert stream.stats.duplicates == 2


def test_late_audio_is_dropped_since_its_place_was_filled() -> None:
    stream = started()
    events = _play(stream, [media(2, 102), media(4, 142), media(3, 122), media(5, 162)])
    assert [(len(e.ulaw), e.media_time_s, e.filled_frames) for e in audio(events)] == [
        (160, 0.0, 0),
        (320, 0.02, 1),
        (160, 0.06, 0),
    ]
    assert (stream.stats.skipped, stream.stats.late) == (1, 1)


def test_a_late_key_and_a_late_mark_still_count_once() -> None:
    stream = started()
    events = _play(stream, [media(4, 102), mark(3, "m"), dtmf(2, "9"), dtmf(2, "9")])
    assert events[1:] == [MarkReceived("m"), DtmfReceived("9")]
    assert (stream.stats.late, stream.stats.duplicates) == (2, 1)


def test_a_late_stop_ends_the_stream() -> None:
    assert _play(started(), [media(3, 102), stop(2)])[-1] == StreamStopped()


def test_a_count_that_starts_over_is_followed() -> None:
    """One absurd number must not make the rest of the call a duplicate."""
    stream = started()
    events = _play(stream, [media(2, 102), media(10**9, 122), media(4, 142), media(5, 162)])
    assert len(audio(events)) == 4
    assert stream.stats.clock_jumps == 1
    assert stream.stats.skipped == 10**9 - 3


# --- media time -----------------------------------------------------------------------------------


def test_the_first_timestamp_is_the_origin() -> None:
    assert _play(started(), [media(2, 171)]) == [AudioReceived(FRAME, 0.0)]


def test_a_gap_is_filled_with_silence_before_what_arrived() -> None:
    stream = started()
    events = _play(stream, [media(2, 102), media(3, 182)])
    assert events[1] == AudioReceived(SILENCE_FRAME * 3 + FRAME, 0.02, 3)
    assert (stream.stats.gaps, stream.stats.filled_frames) == (1, 3)


@pytest.mark.parametrize(
    ("late_ms", "frames"),
    [(0, 0), (14, 0), (15, 1), (20, 1), (34, 1), (35, 2), (40, 2), (1_999, 100), (2_000, 100)],
)
def test_gaps_are_filled_to_whole_frames(late_ms: int, frames: int) -> None:
    events = _play(started(), [media(2, 102), media(3, 122 + late_ms)])
    assert audio(events)[1].filled_frames == frames


def test_jitter_does_not_add_up() -> None:
    stream = started()
    _play(stream, [media(2 + n, 102 + 20 * n + (n * 7) % 15) for n in range(200)])
    assert stream.stats.filled_frames == 0


def test_drift_is_followed_a_frame_at_a_time() -> None:
    """A caller's clock 1 % slow: after 200 frames 40 ms are missing."""
    stream = started()
    events = _play(stream, [media(2 + n, 102 + n * 202 // 10) for n in range(201)])
    total_ms = sum(len(event.ulaw) for event in audio(events)) // 8
    assert abs(total_ms - (201 * 202 // 10)) < 20


def test_a_gap_beyond_two_seconds_is_capped_and_counted() -> None:
    stream = started()
    events = _play(stream, [media(2, 102), media(3, 122 + 10_000), media(4, 142 + 10_000)])
    assert audio(events)[1].filled_frames == 100
    assert audio(events)[2] == AudioReceived(FRAME, 102 * 0.02)
    assert (stream.stats.filled_frames, stream.stats.unfilled_frames) == (100, 400)


def test_after_an_absurd_timestamp_gaps_are_seen_again() -> None:
    stream = started()
    events = _play(
        stream, [media(2, 102), media(3, 10**12), media(4, 142), media(5, 162), media(6, 202)]
    )
    assert [event.filled_frames for event in audio(events)] == [0, 100, 0, 0, 1]
    assert stream.stats.clock_jumps == 1


def test_timestamps_that_stand_still_lose_no_audio() -> None:
    stream = started()
    events = _play(stream, [media(2 + n, 102) for n in range(50)])
    assert len(audio(events)) == 50
    assert stream.stats.filled_frames == 0


# --- frames ---------------------------------------------------------------------------------------


def test_odd_lengths_come_out_in_whole_frames() -> None:
    ulaw = bytes(range(250)) * 2
    lines = [media(2, 102, ulaw[:100]), media(3, 114, ulaw[100:350]), media(4, 145, ulaw[350:])]
    events = _play(started(), list(lines))
    assert events == [AudioReceived(ulaw[:320], 0.0), AudioReceived(ulaw[320:480], 0.04)]


def test_a_long_payload_comes_out_at_once() -> None:
    assert _play(started(), [media(2, 102, FRAME * 50)]) == [AudioReceived(FRAME * 50, 0.0)]


def test_what_does_not_fill_a_frame_is_padded_at_stop() -> None:
    events = _play(started(), [media(2, 102, b"\x01" * 100), stop(3)])
    assert events == [AudioReceived(b"\x01" * 100 + b"\xff" * 60, 0.0), StreamStopped()]


# --- time -----------------------------------------------------------------------------------------


def test_start_is_due_within_five_seconds() -> None:
    stream = MediaStream(now=7.0)
    assert stream.next_deadline() == 12.0
    stream.handle_deadline(now=11.9)
    with pytest.raises(StartOverdue) as caught:
        stream.handle_deadline(now=12.0)
    assert caught.value.close_code == 1008


def test_connected_and_media_do_not_replace_start() -> None:
    stream = MediaStream(now=0.0)
    _play(stream, [CONNECTED, media(2, 102)], now=4.9)
    with pytest.raises(StartOverdue):
        stream.handle_deadline(now=5.0)


def test_a_quiet_stream_yields_silence_in_real_time() -> None:
    stream = started(now=100.0)
    _play(stream, [media(2, 102)], now=100.0)
    assert stream.next_deadline() == pytest.approx(100.4)
    stream.handle_deadline(now=100.3)
    assert drain(stream) == []
    stream.handle_deadline(now=100.4)
    assert drain(stream) == [AudioReceived(SILENCE_FRAME * 20, 0.02, 20)]
    assert stream.next_deadline() == pytest.approx(100.42)
    stream.handle_deadline(now=100.42)
    assert drain(stream) == [AudioReceived(SILENCE_FRAME, 0.42, 1)]


def test_a_caller_who_is_silent_from_the_start_is_heard_as_silence() -> None:
    stream = started(now=0.0)
    stream.handle_deadline(now=0.4)
    events = drain(stream) + _play(stream, [media(2, 600)], now=0.41)
    assert events == [
        AudioReceived(SILENCE_FRAME * 20, 0.0, 20),
        AudioReceived(FRAME, 0.4),
    ]


def test_silence_made_up_in_real_time_is_not_filled_again_by_timestamp() -> None:
    stream = started(now=0.0)
    _play(stream, [media(2, 102)], now=0.0)
    now = 0.4
    while now < 3.0:
        stream.handle_deadline(now=now)
        now += 0.02
    drain(stream)
    stream.receive(media(3, 102 + 3_000), now=3.0)
    events = drain(stream)
    assert audio(events)[0].filled_frames <= 1
    assert stream.stats.filled_frames == pytest.approx(149, abs=1)


def test_audio_that_was_only_delayed_is_all_handed_out() -> None:
    """A stall of the network: silence was made up, and then everything came after all."""
    stream = started(now=0.0)
    _play(stream, [media(2, 102)], now=0.0)
    stream.handle_deadline(now=0.4)
    drain(stream)
    events = _play(stream, [media(3 + n, 122 + 20 * n) for n in range(25)], now=0.5)
    assert len(audio(events)) == 25
    assert stream.stats.gaps == 0


def test_a_process_that_slept_reads_its_socket_before_it_makes_up_silence() -> None:
    stream = started(now=0.0)
    _play(stream, [media(2, 102)], now=0.0)
    stream.handle_deadline(now=2.0)
    assert drain(stream) == []
    assert stream.next_deadline() == pytest.approx(2.1)
    assert audio(_play(stream, [media(3 + n, 122 + 20 * n) for n in range(100)], now=2.01))
    assert stream.stats.filled_frames == 0


def test_a_process_that_slept_beside_a_quiet_stream_goes_on_with_silence() -> None:
    stream = started(now=0.0)
    stream.handle_deadline(now=2.0)
    stream.handle_deadline(now=2.1)
    assert audio(drain(stream)) == [AudioReceived(SILENCE_FRAME * 5, 0.0, 5)]


def test_audio_puts_the_silence_off() -> None:
    stream = started(now=0.0)
    for n in range(100):
        stream.receive(media(2 + n, 102 + 20 * n), now=0.02 * n)
        deadline = stream.next_deadline()
        assert deadline == pytest.approx(0.02 * n + media_stream.QUIET_S)


# --- anything -------------------------------------------------------------------------------------

_lines = st.one_of(
    st.sampled_from([CONNECTED, start(), start(streamSid="MZ2"), stop(9), "", "{}", b"\x00"]),
    st.builds(
        media, st.integers(0, 30), st.integers(0, 20_000), st.binary(min_size=0, max_size=400)
    ),
    st.builds(dtmf, st.integers(0, 30), st.sampled_from("0123456789*#x")),
    st.builds(mark, st.integers(0, 30), st.text(max_size=5)),
    st.text(max_size=30),
)


@examples()
@given(st.lists(st.tuples(_lines, st.floats(0.0, 1.0)), max_size=40))
def test_any_sequence_of_messages_is_taken_or_refused(steps: list[tuple[str, float]]) -> None:
    """Only the room's errors come out, frames stay whole, and the time adds up."""
    stream = MediaStream(now=0.0)
    now = 0.0
    heard = 0
    for line, wait_s in steps:
        now += wait_s
        try:
            stream.handle_deadline(now=now)
            stream.receive(line, now=now)
        except StreamRefused:
            break
        for event in drain(stream):
            if isinstance(event, AudioReceived):
                assert event.ulaw
                assert len(event.ulaw) % 160 == 0
                assert event.media_time_s == heard / 8000
                heard += len(event.ulaw)
