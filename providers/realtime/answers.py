"""The reply of the running turn: responses of the service become audio, words and tools.

Rules:

1. Each response belongs to one turn: one that we asked for carries the turn's label, one that the
   service began by itself answers what the caller said last. What belongs to no running turn is
   ended, and nothing of it is heard: a response once dead stays dead, whatever still arrives.
2. Events may come in any order: the first that names a response is its beginning.
3. A tool is asked for once, however often a session tells of it; the next one is told of it.
4. A turn is over when the model has no more to say, no tool is open, and all was heard. An action
   is done then; without a word of the model's own it gets the words of the agent's file.
5. A response that failed before anything was heard of it is asked for once more, and then of
   another session.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import assert_never

from dialogue.agent import Agent
from dialogue.history import language_name
from providers.realtime import messages
from providers.realtime.config import RealtimeConfig
from providers.realtime.events import (
    AudioArrived,
    AudioEnded,
    CallWanted,
    ResponseBegan,
    ResponseEnded,
    TextArrived,
)
from providers.realtime.open_tools import OpenTools, retold
from providers.realtime.outputs import DropSession, Output, Tell, ToolAnswered, ToolRunning, UseTool
from providers.realtime.refusals import too_late
from providers.realtime.spoken import SpokenReply
from providers.realtime.turn import RealtimeTurn
from voice import timeline
from voice.events import TurnKind
from voice.playout import Playout

MOST_ROUNDS = 4
_REMEMBERED = 200
_ALREADY_ANSWERING = "conversation_already_has_active_response"

ResponseEvent = ResponseBegan | AudioArrived | AudioEnded | TextArrived | CallWanted | ResponseEnded


class Answers:
    """What is being answered.

    Args:
        agent: With a tool that ends calls (``dialogue.realtime.with_end_call``).
        config: Times.
        playout: The way to the ear.
        emit: Takes the outputs.
        count: Takes what responses used that no turn has.

    Attributes:
        turn: The running one; None between turns.
        is_up: Whether there is a session.
    """

    def __init__(
        self,
        agent: Agent,
        config: RealtimeConfig,
        playout: Playout,
        emit: Callable[[Output], None],
        count: Callable[[Mapping[str, float]], None],
    ) -> None:
        self._agent = agent
        self._language = language_name(agent.language)
        self._config = config
        self._playout = playout
        self._emit = emit
        self._count = count
        self._dead: deque[str] = deque(maxlen=_REMEMBERED)
        self._known_calls: set[tuple[str, str]] = set()  # of the session: responses, and calls
        self._open = OpenTools()
        self._next_turn_id = 0
        self._asks_again = False
        self.turn: RealtimeTurn | None = None
        self.is_up = False

    def start_at(self, turn_id: int) -> None:
        """The next turn has this id, or a larger one."""
        self._next_turn_id = max(self._next_turn_id, turn_id)

    @property
    def next_turn_id(self) -> int:
        """Of the turn that comes next."""
        return self._next_turn_id

    # --- turns begin ------------------------------------------------------------------------------

    def hear(self, item_id: str, *, now: float) -> RealtimeTurn:
        """The caller has finished; the service answers by itself."""
        turn = self._begin("caller", now)
        turn.item_id = item_id
        turn.note(timeline.COMMITTED, now)
        turn.note(timeline.THINK_REQUESTED, now)
        return turn

    def type_in(self, text: str, *, now: float) -> None:
        """The caller pressed keys: they are answered as words are."""
        turn = self._begin("digits", now)
        turn.text = text
        turn.note(timeline.COMMITTED, now)
        self.ask(now=now)

    def say(self, kind: TurnKind, text: str, *, reason: str = "", now: float) -> None:
        """Say one sentence, word for word."""
        turn = self._begin(kind, now)
        turn.wish, turn.text, turn.reason = text, "", reason
        turn.note(timeline.COMMITTED, now)
        self.ask(now=now)

    def ask(self, *, now: float) -> None:
        """Ask for a response to the running turn, if there is a session to ask."""
        turn = self.turn
        if turn is None or not self.is_up:
            return
        turn.rounds += 1
        turn.asked_at = turn.progress_at = now
        turn.note(timeline.THINK_REQUESTED, now)
        if turn.wish:
            self._tell(messages.ask_to_say(turn.label, turn.wish, self._language))
        else:
            self._tell(messages.ask_for_reply(turn.label))

    def _begin(self, kind: TurnKind, now: float) -> RealtimeTurn:
        turn_id = self._next_turn_id
        self._next_turn_id += 1
        self._asks_again = False
        self._playout.begin_reply()
        reply = SpokenReply(turn_id, self._playout)
        self.turn = RealtimeTurn(turn_id, kind, reply, asked_at=now, progress_at=now)
        return self.turn

    # --- what the service brings ------------------------------------------------------------------

    def receive(self, event: ResponseEvent, *, now: float) -> None:
        """An event of a response."""
        turn = self._turn_of(event)
        if isinstance(event, ResponseEnded) and self._asks_again:
            self._asks_again = False
            self.ask(now=now)
        if turn is None:
            if isinstance(event, ResponseEnded):  # it is paid for all the same
                self._count(event.usage)
            return
        turn.progress_at = now
        match event:
            case ResponseBegan():
                pass
            case AudioArrived(item_id=item_id, content_index=index, ulaw=ulaw):
                turn.note(timeline.SPEAK_FIRST_BYTE, now)
                turn.reply.arrive((item_id, index), ulaw)
            case AudioEnded(item_id=item_id, content_index=index):
                turn.reply.finish((item_id, index))
            case TextArrived(item_id=item_id, content_index=index, text=text, is_all=is_all):
                turn.note(timeline.FIRST_TOKEN, now)
                turn.reply.write((item_id, index), text, is_all=is_all)
            case CallWanted():
                self._want(turn, event)
            case ResponseEnded():
                self._response_ended(turn, event, now)
            case _:
                assert_never(event)

    def _turn_of(self, event: ResponseEvent) -> RealtimeTurn | None:
        """The running turn, if the event belongs to it."""
        response_id, turn = event.response_id, self.turn
        if response_id in self._dead:
            return None
        if turn is not None and turn.response_id == response_id:
            return turn
        label = event.label if isinstance(event, ResponseBegan | ResponseEnded) else None
        is_ours = turn is not None and not turn.response_id and not turn.is_done
        if turn is not None and is_ours:
            fits = (None, turn.label, "") if turn.kind == "caller" else (None, turn.label)
            if label in fits:
                turn.response_id = response_id
                turn.rounds = max(turn.rounds, 1)
                return turn
        self._kill(response_id, is_running=not isinstance(event, ResponseEnded))
        return None

    def _response_ended(self, turn: RealtimeTurn, ended: ResponseEnded, now: float) -> None:
        self._dead.append(ended.response_id)
        turn.response_id = ""
        for unit, amount in ended.usage.items():
            turn.usage[unit] = turn.usage.get(unit, 0.0) + amount
        if ended.status == "completed":
            for call in ended.calls:
                self._want(turn, call)
            turn.reply.finish_all()
        if ended.status == "failed" and not turn.reply.has_audio:
            self._fail(turn, ended, now)
            return
        if ended.status != "completed":
            turn.reply.cut()
            if ended.status != "incomplete":  # what was wanted before that is being done
                turn.calls.clear()
        if ended.status == "failed":
            turn.failure = str(ended.error) if ended.error is not None else "it failed"
        elif ended.status != "completed":
            turn.reason = turn.reason or ended.reason or ended.status
        self._go_on(turn, now)

    def _fail(self, turn: RealtimeTurn, ended: ResponseEnded, now: float) -> None:
        """Nothing was heard of it: ask once more, and then somebody else."""
        if turn.own_rounds < 2:
            self.ask(now=now)
        else:
            self._emit(DropSession(ended.error or too_late("it fails to answer")))

    def _go_on(self, turn: RealtimeTurn, now: float) -> None:
        """What follows a response, once it has ended and its tools are answered."""
        if turn.response_id or turn.calls or turn.is_done:
            return
        goes_on = not turn.failure and not turn.action and turn.own_rounds < MOST_ROUNDS
        if turn.has_results and goes_on:
            turn.has_results = False
            self.ask(now=now)
            return
        if turn.action and not turn.reply.has_audio and not turn.wish:
            turn.wish = self._agent.announcement(str(turn.action.get("tool", "")))
            if turn.wish:
                self.ask(now=now)
                return
        turn.is_done = True

    # --- tools ------------------------------------------------------------------------------------

    def _want(self, turn: RealtimeTurn, call: CallWanted) -> None:
        if (call.response_id, call.call_id) in self._known_calls or call.call_id in turn.calls:
            return
        self._known_calls.add((call.response_id, call.call_id))
        turn.calls[call.call_id] = call
        self._emit(UseTool(turn.turn_id, call.call_id, call.name, call.arguments))

    def hear_tool(self, news: ToolAnswered | ToolRunning, *, now: float) -> None:
        """What comes of a tool; of a turn that is over nothing is done any more."""
        turn = self.turn
        is_awaited = turn is not None and turn.turn_id == news.turn_id
        call = turn.calls.get(news.call_id) if turn is not None and is_awaited else None
        if turn is None or call is None:
            if late := self._open.ended(news):
                self._tell(late)
            return
        turn.progress_at = now
        if isinstance(news, ToolRunning):
            self._wait(turn, news)
            return
        self._tell(messages.tool_result(news.call_id, turn.take(news)))
        self._go_on(turn, now)

    def _wait(self, turn: RealtimeTurn, running: ToolRunning) -> None:
        """A tool is being run, and a sentence is said meanwhile."""
        turn.waits[running.call_id] = running.for_s
        if running.say and self.is_up and not turn.response_id and not self._playout.has_unsent:
            turn.rounds += 1
            turn.fillers += 1
            self._tell(messages.ask_to_say(turn.label, running.say, self._language))

    def refused(self, code: str, *, now: float) -> None:
        """One of our events was refused: what we asked for comes after what is being made."""
        turn = self.turn
        if code == _ALREADY_ANSWERING and turn is not None and not turn.response_id:
            self._asks_again = not turn.is_done

    # --- turns end --------------------------------------------------------------------------------

    def is_heard(self, *, now: float) -> bool:
        """Whether the running turn is over: all of it was said and heard."""
        turn = self.turn
        if turn is None or not turn.is_done or turn.response_id or turn.calls:
            return False
        return not self._playout.has_unsent and self._playout.is_all_heard(now=now)

    def stop(self, *, now: float) -> None:
        """End the running turn where it is; ask what was heard of it before.

        The service is told what was really heard, and the carrier to forget the rest.
        """
        turn = self.turn
        if turn is None:
            return
        turn.reply.cut()
        for correction in turn.reply.corrections(now=now):
            self._tell(correction)
        self._playout.clear(now=now)
        for told in self._open.cut(turn):
            self._tell(told)
        if turn.action:
            tool = str(turn.action.get("tool", ""))
            self._tell(messages.note_to_model(f"The caller spoke first: {tool} was not done."))
        if turn.response_id:
            self._kill(turn.response_id, is_running=True)

    def close(self) -> None:
        """The running turn was settled."""
        if self.turn is not None and self.turn.response_id:
            self._dead.append(self.turn.response_id)
        self.turn = None

    def _kill(self, response_id: str, *, is_running: bool) -> None:
        if response_id in self._dead:
            return
        self._dead.append(response_id)
        if is_running:
            self._tell(messages.cancel(response_id))

    # --- the session ------------------------------------------------------------------------------

    def lose(self, reason: str) -> None:
        """The session is gone: what came is still heard, what had begun ends there."""
        self.is_up = False
        self._dead.clear()  # another session may use the same names
        self._known_calls.clear()
        turn = self.turn
        if turn is None:
            return
        turn.response_id = ""
        turn.reply.cut()
        if turn.is_done or (turn.reply.has_audio and not turn.awaits_tools):
            if not turn.is_done:
                turn.failure = reason
            turn.is_done = True

    def find(self, *, now: float) -> None:
        """Another session knows the conversation: ask again what was not answered."""
        self.is_up = True
        turn = self.turn
        if turn is None or turn.is_done:
            return
        turn.rounds = turn.fillers = 0
        for told in retold(turn):
            self._tell(told)
        turn.asked_at = turn.progress_at = now
        if not turn.calls:
            self.ask(now=now)

    # --- time -------------------------------------------------------------------------------------

    def next_deadline(self) -> float | None:
        """Loop time at which a reply has something to send, was heard, or is late; or None."""
        turn = self.turn
        if turn is None:
            return None
        if turn.is_done and not self._playout.has_unsent:
            return self._playout.heard_all_at
        send_at = self._playout.next_deadline()
        if turn.is_done or not self.is_up:
            return send_at
        late_at = self._late_at(turn)
        return late_at if send_at is None else min(send_at, late_at)

    def handle_deadline(self, *, now: float) -> None:
        """Send what is due; give a session up that does not answer."""
        turn = self.turn
        self.pump(now=now)
        is_awaited = turn is not None and not turn.is_done and self.is_up
        if turn is None or not is_awaited or now < self._late_at(turn) - 1e-6:
            return
        what = "fell silent in an answer" if turn.reply.has_audio else "no answer in time"
        self._emit(DropSession(too_late(what)))
        turn.progress_at = turn.asked_at = now  # once is enough

    def pump(self, *, now: float) -> None:
        """Send what is due to the carrier."""
        turn, playout = self.turn, self._playout
        if turn is None:
            return
        playout.pump(now=now)
        if playout.first_out_at is not None:
            turn.note(timeline.FIRST_FRAME_OUT, playout.first_out_at)
        if playout.first_audible_at is not None:
            turn.note(timeline.FIRST_FRAME_AUDIBLE, playout.first_audible_at)

    def _late_at(self, turn: RealtimeTurn) -> float:
        since, wait_s = turn.asked_at, self._config.reply_timeout_s
        if turn.reply.has_audio:
            since, wait_s = self._playout.reply_end, self._config.stall_timeout_s
        return max(since, turn.progress_at) + max(wait_s, turn.working_s)

    def _tell(self, message: str) -> None:
        if self.is_up:
            self._emit(Tell(message))
