"""The pool of CallActors under deploys, drains, deaths and restarts of the directory, in any order.

The directory, and the stock of the one replica, are the product's. The world around them plays
CallActors with their calls, and the shell: it asks, starts, ends.

What has to hold at every moment:
- who is retired has a successor: the seats that may be given calls never become fewer by it, but
  for an actor of a drained node whose time is over;
- an actor that is let go has no call, and none is on its way there;
- a directory that does not know everybody yet retires nobody.
And in the end, when nothing happens any more: everybody runs what is deployed on nodes that stay,
nobody is retired for ever, and no call was lost but those of actors that died.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from actors.directory import Directory, DirectoryConfig
from actors.lease_stock import LeaseStock
from actors.release_book import SUCCESSOR_WITHIN_S

SEATS = 4
MIN, MOST = 2, 30
CONFIG = DirectoryConfig(calls_per_actor=SEATS, min_actors=MIN, max_actors=MOST)
NODES = ("a", "b", "c")
LATELY_S = 10.0
STREAM_WITHIN_S = 3.0
SETTLED_AFTER_S = 200


@dataclass
class Mind:
    """A CallActor; ``calls`` by id, and who sat down when."""

    node: str
    release: str
    calls: set[str] = field(default_factory=set)
    sat_at: dict[str, float] = field(default_factory=dict)


class Pool(RuleBasedStateMachine):
    """See the top of this file."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.terms = itertools.count(1)
        self.names = (f"mind-{n}" for n in itertools.count())
        self.calls = (f"call-{n}" for n in itertools.count())
        self.minds: dict[str, Mind] = {}
        self.starting: dict[str, Mind] = {}
        self.asked: set[str] = set()  # the handles of the directory
        self.drained: set[str] = set()
        self.release = self.told = "r0"
        self.stock = LeaseStock()
        self.coming: dict[str, tuple[str, float]] = {}
        self.told_drained: dict[str, float] = {}  # since when the directory knows
        self.directory = Directory(CONFIG)
        self.is_away = False

    @initialize(size=st.integers(MIN, 6))
    def begin(self, size: int) -> None:
        self.directory.deployed(CONFIG, self.release)
        for number in range(size):
            name = next(self.names)
            self.minds[name] = Mind(NODES[number % len(NODES)], self.release)
            self.asked.add(name)
            self.report(name)
        self.sync()

    # --- what the world does ----------------------------------------------------------------------

    @rule(node=st.sampled_from(NODES[1:]))
    def drain(self, node: str) -> None:
        self.drained.add(node)

    @rule()
    def forget_drains(self) -> None:
        """The GCS was started again without Redis."""
        self.drained.clear()

    @precondition(lambda self: self.release < "r3")
    @rule()
    def deploy(self) -> None:
        self.release = f"r{int(self.release[1:]) + 1}"

    @rule(data=st.data())
    @precondition(lambda self: len(self.minds) > 1)
    def a_mind_dies(self, data: st.DataObject) -> None:
        name = data.draw(st.sampled_from(sorted(self.minds)))
        moving = self.minds.pop(name).calls
        self.coming = {each: way for each, way in self.coming.items() if way[0] != name}
        self.stock.void(name)
        if self.directory_knows(name):
            self.directory.actor_suspected(name)
        self.move(moving, name)

    @rule()
    def a_call(self) -> None:
        call_id = next(self.calls)
        name = self.stock.take(call_id, now=self.now)
        if name is not None and name in self.minds:
            self.coming[call_id] = name, self.now

    @rule()
    def streams_come(self) -> None:
        for call_id, (name, _) in self.coming.items():
            self.sits(call_id, name)
        self.coming.clear()

    @rule(share=st.sampled_from([2, 1]))
    def calls_end(self, share: int) -> None:
        for mind in self.minds.values():
            for call_id in sorted(mind.calls)[::share]:
                mind.calls.remove(call_id)

    # --- the directory, the replica, and what is between them -------------------------------------

    @precondition(lambda self: not self.is_away)
    @rule()
    def the_directory_dies(self) -> None:
        self.is_away = True
        self.stock.directory_away()
        # Who is being started goes on, and is found by the next one.
        self.minds |= self.starting
        self.starting.clear()

    @precondition(lambda self: self.is_away)
    @rule()
    def it_is_started_again(self) -> None:
        self.is_away = False
        self.directory = Directory(CONFIG, term=next(self.terms) * 1_000_000)
        self.asked = set(self.minds)
        self.directory.found(self.asked, now=self.now)
        self.told = ""
        self.told_drained.clear()

    @precondition(lambda self: not self.is_away)
    @rule(data=st.data())
    def asks_one(self, data: st.DataObject) -> None:
        if self.asked:
            self.ask(data.draw(st.sampled_from(sorted(self.asked))))

    @precondition(lambda self: not self.is_away)
    @rule()
    def asks_who_is_drained(self) -> None:
        known = self.told_drained
        self.told_drained = {node: known.get(node, self.now) for node in self.drained}
        with self.successors_first():
            self.directory.nodes_drained(sorted(self.drained), now=self.now)

    @precondition(lambda self: not self.is_away)
    @rule()
    def is_told_what_is_deployed(self) -> None:
        with self.successors_first():
            self.directory.deployed(CONFIG, self.release)
            self.told = self.release

    @precondition(lambda self: not self.is_away)
    @rule(node=st.sampled_from(NODES))
    def starts_whom_it_wants(self, node: str) -> None:
        unheard = len(self.asked - set(self.directory.actor_names))
        for _ in range(self.directory.wanted_actors() - len(self.starting) - unheard):
            at = node if node not in self.drained else "a"
            # One that was started again starts what it was made for, until it is told.
            self.starting[next(self.names)] = Mind(at, self.told or "r0")

    @precondition(lambda self: not self.is_away)
    @rule()
    def one_is_ready(self) -> None:
        if self.starting:
            name = next(iter(self.starting))
            self.minds[name] = self.starting.pop(name)
            self.asked.add(name)
            self.ask(name)

    @precondition(lambda self: not self.is_away)
    @rule()
    def lets_go(self) -> None:
        for name in self.directory.idle_actors(now=self.now):
            self.directory.actor_lost(name)
            self.asked.discard(name)
            mind = self.minds.pop(name, None)
            assert mind is None or not mind.calls, name
            assert name not in {at for at, _ in self.coming.values()}, name
            assert not self.stock.held.get(name), name

    @precondition(lambda self: not self.is_away)
    @rule(after_s=st.sampled_from([0.2, 0.5, 1.0]))
    def a_second_passes(self, after_s: float) -> None:
        """In which the replica reports, and calls leave who is retired."""
        self.now += after_s
        if any(self.now - at > STREAM_WITHIN_S for _, at in self.coming.values()):
            self.streams_come()
        self.sync()
        for name in self.stock.retired & self.minds.keys():
            self.move(set(self.minds[name].calls), name)

    @precondition(lambda self: not self.is_away)
    @rule(seconds=st.sampled_from([12, 25]))
    def long_passes(self, seconds: int) -> None:
        for _ in range(seconds):
            self.a_second_passes(1.0)
            self.streams_come()
            for name in sorted(self.asked):
                self.ask(name)
            self.asks_who_is_drained()

    # --- in detail --------------------------------------------------------------------------------

    def directory_knows(self, name: str) -> bool:
        return name in self.directory.actor_names

    def ask(self, name: str) -> None:
        if name not in self.minds:
            self.directory.actor_lost(name)
            self.asked.discard(name)
            return
        with self.successors_first():
            self.report(name)

    def report(self, name: str) -> None:
        mind = self.minds[name]
        self.directory.actor_reported(
            name,
            capacity=SEATS,
            active=len(mind.calls),
            now=self.now,
            recent=[each for each, at in mind.sat_at.items() if self.now - at < LATELY_S],
            release=mind.release,
            node=mind.node,
        )

    def sync(self) -> None:
        report = self.stock.report("r", active_calls=0, max_calls=1_000, now=self.now)
        self.directory.heard(report, now=self.now)
        if self.directory.is_settled(now=self.now):
            self.stock.granted(self.directory.answer(report), report)
        else:
            self.stock.directory_away()  # or late

    def sits(self, call_id: str, name: str) -> None:
        mind = self.minds.get(name)
        if mind is not None and len(mind.calls) < SEATS:
            mind.calls.add(call_id)
            mind.sat_at[call_id] = self.now

    def move(self, calls: set[str], old: str) -> None:
        """As far as there is room; a call of one that died is lost for this test otherwise."""
        for call_id in sorted(calls):
            name = self.stock.take(call_id, now=self.now, avoid=old)
            if name in self.minds and len(self.minds[name].calls) < SEATS:
                self.sits(call_id, name)
                if old in self.minds:
                    self.minds[old].calls.discard(call_id)

    @contextlib.contextmanager
    def successors_first(self) -> Iterator[None]:
        """Who is retired within the block leaves as many behind as there were before."""
        seats = self.directory._seats
        open_before, retired_before = len(seats.alive), set(seats.retired)
        yield
        retired = set(seats.retired) - retired_before
        if retired:
            assert self.asked <= set(seats.names), "somebody is not known yet"
            assert seats.alive, "nobody is left"
        due = {name for name in retired if self.is_due(self.minds[name].node)}
        assert len(seats.alive) + len(due) >= open_before

    def is_due(self, node: str) -> bool:
        return self.now - self.told_drained.get(node, self.now) >= SUCCESSOR_WITHIN_S

    def teardown(self) -> None:
        if self.is_away:
            self.it_is_started_again()
        for second in range(SETTLED_AFTER_S):
            if second == SETTLED_AFTER_S // 4:
                self.calls_end(1)
            self.a_second_passes(1.0)
            self.streams_come()
            self.is_told_what_is_deployed()
            self.asks_who_is_drained()
            for name in sorted(self.asked):
                self.ask(name)
            self.starts_whom_it_wants("a")
            while self.starting:
                self.one_is_ready()
            self.lets_go()
        self.sync()
        assert not self.stock.retired
        assert self.directory.current == len(self.minds) >= MIN
        for name, mind in self.minds.items():
            assert mind.release == self.release, name
            assert mind.node not in self.drained, name


TestPool = Pool.TestCase
TestPool.settings = settings(max_examples=15, stateful_step_count=30, deadline=None)
