"""One call of the report: the recording with its turns drawn on it, then turn by turn."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from html import escape

from simulation.report_audio import as_data_uri, stereo_wav, wave_path
from simulation.report_data import DemoCall, DemoTurn
from simulation.report_numbers import as_clock, in_ms, numbers_of, unheard_text
from simulation.report_waterfall import waterfall_svg

_TICK_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300)
_KINDS = {
    "greeting": "Greeting",
    "digits": "Keys pressed",
    "silence": "Caller silent",
    "resume": "Resumed",
}


def call_section(call: DemoCall, anchor: str) -> str:
    """The whole section of a call.

    Args:
        call: What happened.
        anchor: Id of the section; unique on the page.
    """
    numbers = numbers_of([call])
    started = datetime.fromtimestamp(call.started_at_us / 1e6, UTC).strftime("%Y-%m-%d %H:%M UTC")
    about = [
        call.language,
        as_clock(call.duration_s),
        f"{numbers.turns} turns",
        f"median {in_ms(numbers.p50_s)}",
        started,
    ]
    complaints = "".join(
        f'<p class="complaint">Protocol error: {escape(text)}</p>' for text in call.protocol_errors
    )
    return (
        f'<section class="call" id="{anchor}">'
        f"<header><h2>{escape(call.caller_name)}</h2>"
        f'<p class="about">{" · ".join(escape(item) for item in about)}</p></header>'
        f"{complaints}"
        f"{_player(call)}"
        f'<ol class="turns">{"".join(_turn(call, turn) for turn in call.turns)}</ol>'
        f'<p class="id">Call {escape(call.call_id)}</p></section>'
    )


def _player(call: DemoCall) -> str:
    duration_s = max(call.duration_s, 0.02)
    source = as_data_uri(stereo_wav(call.caller_pcm, call.agent_pcm))
    # About 24 pixels a second keep the words readable; a narrow screen scrolls sideways.
    return (
        f'<div class="player" data-duration="{duration_s:.3f}">'
        f'<p class="legend"><b class="caller">{escape(call.caller_name)}</b>'
        f'<b class="agent">{escape(call.agent_name)}, as the caller hears it</b></p>'
        f'<div class="scroll" tabindex="0" aria-label="Recording"><div class="tape" '
        f'style="min-width:{max(20.0, duration_s * 1.5):.0f}rem">'
        f"{_lane(call, 'caller', duration_s)}{_lane(call, 'agent', duration_s)}"
        f"{_barge_ins(call, duration_s)}{_clock(duration_s)}"
        f'<i class="playhead"></i></div></div>'
        f'<audio controls preload="metadata" src="{source}"></audio></div>'
    )


def _lane(call: DemoCall, who: str, duration_s: float) -> str:
    pcm = call.caller_pcm if who == "caller" else call.agent_pcm
    path, width = wave_path(pcm, duration_s)
    return (
        f'<div class="lane {who}">'
        f'<svg viewBox="0 0 {width:.3f} 100" preserveAspectRatio="none" aria-hidden="true">'
        f'<path d="{path}"/></svg>{"".join(_blocks(call, who, duration_s))}</div>'
    )


def _blocks(call: DemoCall, who: str, duration_s: float) -> Iterator[str]:
    for turn in call.turns:
        if who == "caller":
            start_s, end_s, text = turn.caller_start_s, turn.caller_end_s, turn.caller_text
        else:
            start_s, end_s = turn.agent_start_s, turn.agent_end_s
            text = turn.heard_text or turn.agent_text
        if start_s is None or end_s is None or end_s <= start_s:
            continue
        left, width = 100 * start_s / duration_s, 100 * (end_s - start_s) / duration_s
        yield (
            f'<button class="block" style="left:{left:.2f}%;width:{width:.2f}%" '
            f'data-seek="{start_s:.2f}" title="{as_clock(start_s)} {escape(text)}">'
            f'<span lang="{escape(call.language)}" dir="auto">{escape(text)}</span></button>'
        )


def _barge_ins(call: DemoCall, duration_s: float) -> str:
    return "".join(
        f'<i class="barge" style="left:{100 * turn.barge_in_at_s / duration_s:.2f}%">'
        "<span>barge-in</span></i>"
        for turn in call.turns
        if turn.barge_in_at_s is not None
    )


def _clock(duration_s: float) -> str:
    step_s = next((step for step in _TICK_STEPS_S if duration_s / step <= 12), _TICK_STEPS_S[-1])
    marks = "".join(
        f'<span style="left:{100 * at_s / duration_s:.2f}%">{as_clock(at_s)}</span>'
        for at_s in range(0, int(duration_s * 0.98) + 1, step_s)
    )
    return f'<div class="clock" aria-hidden="true">{marks}</div>'


def _turn(call: DemoCall, turn: DemoTurn) -> str:
    start_s = turn.caller_start_s if turn.caller_start_s is not None else turn.agent_start_s
    end_s = turn.agent_end_s if turn.agent_end_s is not None else turn.caller_end_s
    where = "" if start_s is None else f' data-start="{start_s:.2f}"'
    where += "" if end_s is None else f' data-end="{end_s:.2f}"'
    return (
        f'<li class="turn"{where}><div class="said">{_turn_head(turn, start_s)}'
        f"{_bubble(call, 'caller', turn.caller_text)}{_reply(call, turn)}</div>"
        f'<div class="measured">{_latency(turn)}{waterfall_svg(turn)}{_decided(turn)}</div></li>'
    )


def _decided(turn: DemoTurn) -> str:
    """What told the end of the caller's turn, under the bars."""
    return f'<p class="why">Turn taken: {escape(turn.decided_by)}</p>' if turn.decided_by else ""


def _turn_head(turn: DemoTurn, start_s: float | None) -> str:
    name = _KINDS.get(turn.kind, f"Turn {turn.turn_id}")
    tags = ['<em class="tag cut">interrupted</em>'] if turn.interrupted else []
    if turn.from_cache:
        tags.append('<em class="tag">from cache</em>')
    play = (
        ""
        if start_s is None
        else f'<button class="play" data-seek="{start_s:.2f}">▶ {as_clock(start_s)}</button>'
    )
    return f"<h3>{name} {play}{''.join(tags)}</h3>"


def _bubble(call: DemoCall, who: str, text: str, rest: str = "") -> str:
    if not text and not rest:
        return ""
    unheard = f' <s title="Not heard by the caller">{escape(rest)}</s>' if rest else ""
    return (
        f'<p class="bubble {who}" lang="{escape(call.language)}" dir="auto">'
        f"{escape(text)}{unheard}</p>"
    )


def _reply(call: DemoCall, turn: DemoTurn) -> str:
    rest = unheard_text(turn)
    text = turn.heard_text.rstrip() if rest or turn.interrupted else turn.agent_text
    return _bubble(call, "agent", text or ("" if rest else turn.agent_text), rest)


def _latency(turn: DemoTurn) -> str:
    if turn.response_latency_s is None:
        return ""
    return (
        f'<p class="latency"><strong>{in_ms(turn.response_latency_s)}</strong> '
        "from end of speech to the caller's ear</p>"
    )
