"""One replayed call: a labelled caller on one side, the voice machine on the other, no clock.

As in the product, frames that have arrived are scored and heard once a tick, deadlines are handled
once a tick, and what providers bring is handled the moment it comes. The carrier echoes marks.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count
from random import Random

from cluster.evaluate.lags import EarLags, ReplyLags
from cluster.evaluate.network import Network, NetworkKind
from cluster.evaluate.replay_caller import ReplayCaller
from cluster.evaluate.replay_ear import ReplayEar
from cluster.evaluate.replay_log import Begun, CallLog, Committed, Settled
from cluster.evaluate.replay_mind import Answer, ReplayMind, answer
from simulation.corpus_noise import LineNoise
from simulation.corpus_turn import LabelledTurn, Samples
from voice import events as voice
from voice.config import VoiceConfig
from voice.ports import FRAME_S
from voice.reasons import WENT_ON
from voice.session import VoiceSession
from voice.waste import SpeculationBudget

Judge = Callable[[bytes], float]
_JUDGED_FRAMES = 400  # 8 s


@dataclass(frozen=True, eq=False)
class CallPlan:
    """One call.

    Attributes:
        number: Its number; decides its luck together with ``seed``.
        noise_samples: The noise of its line, to be repeated.
        start_s: Loop time at which its first frame begins to be spoken.
    """

    number: int
    seed: str
    language: str
    turns: Sequence[LabelledTurn]
    noise: LineNoise
    noise_samples: Samples
    network: NetworkKind
    start_s: float


class ReplayCall:
    """One call.

    Args:
        plan: What happens.
        config: How the agent takes turns.
        ear: Which recogniser.
        reply: How quick the rest is.
        judge: The end-of-turn model: mu-law of the turn so far, 8 s at most, to a probability;
            None for none.
    """

    def __init__(
        self,
        plan: CallPlan,
        config: VoiceConfig,
        ear: EarLags,
        reply: ReplyLags,
        judge: Judge | None = None,
        budget: SpeculationBudget | None = None,
    ) -> None:
        self._plan = plan
        self._lags = reply
        self._judge = judge
        self.log = CallLog(plan.number, str(plan.noise), plan.noise.kind, plan.network)
        self._session = VoiceSession(config, budget=budget)
        self._ear = ReplayEar(ear, Random(f"{plan.seed}/ear"))
        self._mind = ReplayMind(reply, self.log.speech)
        self._caller = ReplayCaller(
            plan.turns, plan.noise_samples, self._ear, self.log, Random(f"{plan.seed}/caller")
        )
        self._network = Network(plan.network, Random(f"{plan.seed}/network"))
        self._due: list[tuple[float, int, voice.Input]] = []
        self._serial = count()
        self._frames = 0
        self._turn_from = 0  # frame with which the turn began
        self._way: deque[tuple[float, Samples]] = deque()
        self._delivered = 0
        self._heard: deque[bytes] = deque(maxlen=_JUDGED_FRAMES)
        self._now = plan.start_s
        self.is_over = False
        greeting = self._question_at(0) or "Hello."
        self._feed(voice.CallStarted(greeting), plan.start_s)

    def advance(self, now: float) -> None:
        """Everything that happens before the tick at ``now``."""
        start_s = self._plan.start_s + self._frames * FRAME_S
        while start_s + FRAME_S <= now + 1e-9:
            place = self._caller.place
            frame = self._caller.frame(start_s, self._frames * FRAME_S)
            if self._caller.place != place:
                self._turn_from = self._frames
            self._frames += 1
            self._way.append(
                (self._network.arrival_s(start_s + FRAME_S), self._network.carried(frame))
            )
            start_s += FRAME_S
        self._run_until(now)

    def take_frame(self, now: float) -> Samples | None:
        """The oldest frame that has arrived and was not heard, or None."""
        if not self._way or self._way[0][0] > now:
            return None
        arrived_s, frame = self._way.popleft()
        self._delivered += 1
        media_s = self._delivered * FRAME_S
        for due_s, event in self._ear.deliver(media_s, now=arrived_s):
            self._push(max(due_s, now), event)
        return frame

    def hear(self, ulaw: bytes, *, is_speech: bool, level_db: float, now: float) -> None:
        """The frame just taken, scored."""
        self._heard.append(ulaw)
        self._feed(voice.FrameHeard(is_speech, level_db), now)

    def tick(self, now: float) -> None:
        """Deadlines, once the frames were heard."""
        self._run_until(now)
        deadline = self._session.next_deadline()
        if deadline is not None and deadline <= now:
            self._session.handle_deadline(now=now)
            self._perform_all(now)
        if self._caller.is_done(now) or self.is_over:
            self._session.close(now=now)
            self._perform_all(now)
            self.log.over_s = now
            self.is_over = True

    def _run_until(self, now: float) -> None:
        mouth = self.log.mouth
        for at_s, name in mouth.due_marks(now=now):
            self._push(at_s, voice.MarkPlayed(name))
        while self._due and self._due[0][0] <= now:
            at_s, _, event = heapq.heappop(self._due)
            self._feed(event, max(at_s, self._now))

    def _push(self, at_s: float, event: voice.Input) -> None:
        heapq.heappush(self._due, (at_s, next(self._serial), event))

    def _feed(self, event: voice.Input, now: float) -> None:
        self._now = max(self._now, now)
        if isinstance(event, voice.SpeechArrived):
            self.log.first_audio_s.setdefault((event.turn_id, event.guess), self._now)
        self._session.receive(event, now=self._now)
        self._perform_all(self._now)

    def _perform_all(self, now: float) -> None:
        while (output := self._session.next_output()) is not None:
            self._perform(output, now)

    def _perform(self, output: voice.Output, now: float) -> None:
        log = self.log
        match output:
            case voice.SendAudio() | voice.SendMark() | voice.ClearPlayout():
                self._play(output, now)
            case voice.BeginTurn():
                key = (output.turn_id, output.guess)
                log.begun.append(Begun(now, key, output.speculative, output.text))
                self._push_all(self._mind.begin(output, self._answer(), now=now))
            case voice.Synthesise():
                self._push_all(self._mind.synthesise(output, now=now))
            case voice.CommitTurn():
                key = (output.turn_id, output.guess)
                log.committed.append(Committed(now, key, output.text))
            case voice.RetractTurn() | voice.AbandonTurn():
                if output.reason == WENT_ON:
                    log.taken_back.append((now, (output.turn_id, output.guess)))
            case voice.TurnSettled():
                log.settled.append(Settled(now, output))
            case voice.JudgeTurn(pause_id=pause_id):
                self._ask_model(pause_id, now)
            case voice.EndCall():
                self.is_over = True
            case _:
                pass  # what is abandoned is late anyway, and the machine drops it

    def _play(
        self, output: voice.SendAudio | voice.SendMark | voice.ClearPlayout, now: float
    ) -> None:
        mouth = self.log.mouth
        if isinstance(output, voice.SendAudio):
            mouth.send(output.ulaw, now=now)
        elif isinstance(output, voice.SendMark):
            mouth.mark(output.name, now=now)
        else:
            self._push_all([(now, voice.MarkPlayed(name)) for name in mouth.clear(now=now)])

    def _push_all(self, events: Sequence[tuple[float, voice.Input]]) -> None:
        for at_s, event in events:
            self._push(at_s, event)

    def _ask_model(self, pause_id: int, now: float) -> None:
        self.log.judged += 1
        if self._judge is not None:
            # From the turn's first frame on: what was before is another turn, long ago.
            count = min(len(self._heard), max(0, self._delivered - self._turn_from))
            heard = list(self._heard)[len(self._heard) - count :]
            finished = self._judge(b"".join(heard))
            self._push(now + self._lags.judge_s, voice.TurnJudged(pause_id, finished))

    def _answer(self) -> Answer:
        place = self._caller.place
        following = self._plan.turns[place : place + 1]
        return answer(
            self._plan.language,
            self._question_at(place),
            is_long=bool(following) and following[0].is_over_agent,
            seed=f"{self._plan.seed}/{place}",
            ready_ratio=self._lags.ready_ratio,
        )

    def _question_at(self, place: int) -> str:
        """What the turn at ``place`` answers, or the one behind a backchannel."""
        for turn in self._plan.turns[place:]:
            if turn.kind != "backchannel":
                return turn.asked
        return ""
