"""A run as text for a terminal."""

from __future__ import annotations

from cluster.evaluate.causes import causes, render_causes
from cluster.evaluate.figures import Share, Spread, TurnFigures
from cluster.evaluate.first_segments import first_segments
from cluster.evaluate.result import Result

_HEAD = (
    "                        turns   cut %  (95 %)        latency ms: mean    P50    P90    P95"
    "    P99   taken P50    P95   hit %  waste %"
)

_ENGINE_HEAD = "taking of the turn to first frame   turns  ms: mean    P50    P95    P99"


def render(result: Result) -> str:
    """The tables."""
    lines = [", ".join(f"{name} {value}" for name, value in result.settings.items()), "", _HEAD]
    lines += [_line(figures) for figures in result.tables]
    over = result.talk_over
    lines += ["", _ENGINE_HEAD, *(_engine_line(figures) for figures in result.tables[:1])]
    spoken = result.languages | {f"synthetic {name}" for name in result.languages}
    lines += [_engine_line(each) for each in result.tables if each.name in spoken]
    lines.append(_spread_line("all, reply held already", result.all.held_to_frame))
    if result.all.held_to_sent.count:
        lines.append(_spread_line("the same, taken by the socket", result.all.held_to_sent))
    if result.all.cached_to_frame.count:
        lines.append(_spread_line("all, answered by the cache", result.all.cached_to_frame))
    lines += ["", *render_causes(causes(result.rows)), ""]
    lines += [
        f"talking over the agent: duck {_pair(over.duck)}, silence {_pair(over.silence)},"
        f" missed {_share(over.missed)}",
        f"backchannels: ridden {_share(over.ridden)}, false stops {_share(over.false_stops)},"
        f" resume {_pair(over.resume)}",
        f"heard text wrong by words: {over.heard_error or 'not measured'}",
        "first segment, tokens: "
        + ", ".join(
            f"{each.language} {each.mean_tokens:g} (most {each.most_tokens} of {each.replies})"
            for each in first_segments()
        ),
        f"{len(result.rows)} turns that want an answer in {result.call_s / 60:.1f} minutes of calls"
        + (f", {result.judged} questions to the end-of-turn model" if result.judged else ""),
    ]
    return "\n".join([*lines, *result.notes])


def _line(figures: TurnFigures) -> str:
    latency, taken = figures.latency, figures.taken
    cut = figures.cut
    interval = f"({100 * cut.low:.1f}-{100 * cut.high:.1f})"
    times = " ".join(
        f"{_ms(value):>6}"
        for value in (
            latency.mean_ms,
            latency.p50_ms,
            latency.p90_ms,
            latency.p95_ms,
            latency.p99_ms,
        )
    )
    return (
        f"{figures.name:<22} {figures.turns:>6}  {_percent(cut):>6}  {interval:<12}"
        f"            {times}   {_ms(taken.p50_ms):>9} {_ms(taken.p95_ms):>6}"
        f"  {_percent(figures.hits):>6}  {_percent(figures.wasted):>7}"
        + (f"  {figures.premature} premature" if figures.premature else "")
        + (f"  {figures.unanswered} unanswered" if figures.unanswered else "")
    )


def _engine_line(figures: TurnFigures) -> str:
    return _spread_line(figures.name, figures.commit_to_frame)


def _spread_line(name: str, found: Spread) -> str:
    times = (found.mean_ms, found.p50_ms, found.p95_ms, found.p99_ms)
    told = " ".join(f"{_ms(value):>6}" for value in times)
    return f"{name:<34} {found.count:>6}    {told}"


def _pair(spread: Spread) -> str:
    return f"P50 {_ms(spread.p50_ms)} P95 {_ms(spread.p95_ms)} ms (n {spread.count})"


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"


def _percent(share: Share) -> str:
    return "-" if share.ratio is None else f"{100 * share.ratio:.1f}"


def _share(share: Share) -> str:
    return f"{_percent(share)} % of {share.of}"
