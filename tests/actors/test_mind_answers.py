"""What is looked up, what is learned, and what a caller's complaint does; no clock, no I/O."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from actors.consultation import Consultation
from actors.mind_answers import CallAnswers
from actors.wire import TurnEntry
from cache.context import BOUND, OPEN
from cache.entry import Answer, StorageClass
from cache.outcomes import Hit, Miss, MissReason, Refusal, RefusalReason, Tier
from cache.ports import Complaint
from cache.scope import caller_mark
from dialogue.agent import Agent, AnswerReuse
from dialogue.session import CallIdentity
from tests.support.fake_answers import NOTHING, FakeAnswers, hit

AGENT = Agent("t", "a", "v1", "en-US", "You are Ann of Northwind.", "Hello!", "voice")
CALL = CallIdentity("t", "a", "v1", "call-1", "CA", caller="+14155550123", called="+14155550100")
ASKED, ANSWER = "What time do you close?", "We close at nine."
GREETED = TurnEntry(0, "greeting", agent_text="Hello!", heard_text="Hello!")


class Scene:
    """One call, turn by turn."""

    def __init__(self, agent: Agent = AGENT, call: CallIdentity = CALL, **known: Any) -> None:
        self.cache = FakeAnswers()
        self.answers = CallAnswers(agent, call, **known)
        self.log: list[TurnEntry] = [GREETED]

    def ask(self, text: str = ASKED, *, guess: int = 1, kind: str = "caller") -> Consultation:
        """The cache is asked for the next turn."""
        found = self.maybe(text, guess=guess, kind=kind)
        assert found is not None
        return found

    def maybe(
        self, text: str = ASKED, *, guess: int = 1, kind: str = "caller"
    ) -> Consultation | None:
        return self.answers.consult((len(self.log), guess), kind, text, tuple(self.log))

    def thought(self, asked: Consultation, answer: str = ANSWER) -> None:
        """The model has answered to its end."""
        asked.outcome, asked.said, asked.is_complete = NOTHING, [answer], True

    def settle(self, asked: str = ASKED, answer: str = ANSWER, **changes: Any) -> None:
        """The turn is over, heard to its end unless ``changes`` say otherwise."""
        turn = TurnEntry(len(self.log), "caller", asked, answer, answer, guess=1)
        turn = replace(turn, **changes)
        self.log.append(turn)
        self.answers.settle(turn, tuple(self.log), self.cache)

    def served(self, text: str = ASKED, answer: str = ANSWER, **changes: Any) -> Hit:
        """A turn that the cache has answered."""
        asked = self.ask(text)
        asked.outcome, asked.is_served, asked.said = hit(answer), True, [answer]
        assert isinstance(asked.outcome, Hit)
        self.settle(text, answer, **changes)
        return asked.outcome


# --- what is looked up ---------------------------------------------------------------------------


def test_the_words_of_a_caller_are_looked_up_in_the_scope_of_the_call() -> None:
    scope = Scene().ask().question.scope
    assert (scope.tenant_id, scope.agent_id, scope.agent_version) == ("t", "a", "v1")
    assert (scope.language, scope.last_agent_act, scope.is_public) == ("en-US", OPEN, True)


@pytest.mark.parametrize("kind", ["digits", "silence", "resume", "greeting"])
def test_nothing_else_is_looked_up(kind: str) -> None:
    assert Scene().maybe("4 2", kind=kind) is None
    assert Scene().maybe("  ") is None


def test_an_agent_whose_cache_is_off_neither_asks_nor_tells() -> None:
    scene = Scene(replace(AGENT, response_cache=AnswerReuse(is_on=False)))
    assert scene.maybe() is None
    scene.settle()
    assert scene.cache.told == []


def test_what_was_said_before_is_part_of_the_question() -> None:
    acts = []
    for said in ("Shall I book it?", "Shall I cancel it?"):
        scene = Scene()
        scene.settle(answer=said)
        acts.append(scene.ask("yes").question.scope.last_agent_act)
        assert scene.ask("Do you have parking?").question.scope.last_agent_act == OPEN
        scene.settle("I am calling about Leeds.", said)
        for text in ("yes", "Do you have parking?"):
            assert scene.ask(text).question.scope.last_agent_act == BOUND
    assert len({*acts, OPEN, BOUND}) == 4


def test_words_that_were_taken_too_early_are_not_what_was_said_before() -> None:
    scene = Scene()
    scene.settle("I would like", "Of", outcome="dropped", heard_text="Of")
    assert scene.ask("I would like a table.").question.scope.last_agent_act == OPEN


def test_an_answer_to_which_more_belongs_than_one_sentence_is_never_kept() -> None:
    scene = Scene()
    scene.settle("I am calling about Leeds.", "All right.")
    scene.thought(scene.ask())
    scene.settle()
    assert [kept.storage_class for _, kept in scene.cache.told] == [StorageClass.NEVER]


def test_an_imported_answer_to_a_similar_question_knows_nothing_of_what_was_said() -> None:
    scene = Scene()
    scene.settle(answer="Shall I book it?")
    found = {}
    for text in ("Do you have parking?", "and the parking"):
        for tier in (Tier.EXACT, Tier.SEMANTIC):
            asked = scene.ask(text)
            asked.outcome = hit(ANSWER, tier=tier)
            found[text, tier] = asked.hit is not None
    assert found.pop(("and the parking", Tier.SEMANTIC)) is False
    assert all(found.values())


def test_a_prompt_with_values_of_the_call_shares_with_nobody() -> None:
    ann, bob = (
        Scene(replace(AGENT, prompt=f"You call {name}."), caller_data=(name,), is_personal=True)
        for name in ("Ann", "Bob")
    )
    versions = {each.ask().question.scope.prompt_version for each in (Scene(), ann, bob)}
    assert len(versions) == 3


# --- what is told of it --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "is_served", "told"),
    [
        (hit("A."), True, {"outcome": "hit", "tier": "exact", "entry_id": 7, "similarity": 1.0}),
        (hit("A."), False, {"outcome": "refusal", "reason": "late", "entry_id": 7}),
        (
            hit("A.", storage=StorageClass.PLAN),
            False,
            {"outcome": "refusal", "reason": "not_generic", "entry_id": 7},
        ),
        (NOTHING, False, {"outcome": "miss", "reason": "empty_scope"}),
        (
            Miss(MissReason.NOT_LIKE_ANYTHING, 3, 0.41),
            False,
            {"outcome": "miss", "reason": "not_like_anything", "nearest_id": 3},
        ),
        (
            Refusal(RefusalReason.VETO, 5, 0.97, 0.99, "negation"),
            False,
            {"outcome": "refusal", "reason": "veto", "entry_id": 5, "detail": "negation"},
        ),
        (None, False, {"outcome": "miss", "reason": "late"}),
    ],
)
def test_every_outcome_is_explained(outcome: Any, is_served: bool, told: dict[str, Any]) -> None:
    asked = Scene().ask()
    asked.outcome, asked.is_served, asked.lookup_s = outcome, is_served, 0.00212345678
    said = asked.told()
    assert said["lookup_s"] == 0.002123
    assert {name: said[name] for name in told} == told
    assert ASKED.lower() not in str(said).lower()


def test_answers_to_similar_questions_can_be_switched_off() -> None:
    scene = Scene(replace(AGENT, response_cache=AnswerReuse(similar=False)))
    asked = scene.ask()
    asked.outcome = hit(ANSWER, tier=Tier.SEMANTIC)
    assert asked.hit is None
    assert asked.told()["reason"] == "similar_off"
    asked.outcome = hit(ANSWER)
    assert asked.hit is asked.outcome


# --- what is learned -----------------------------------------------------------------------------


def test_an_answer_that_was_heard_is_learned_for_its_caller() -> None:
    scene = Scene()
    scene.thought(scene.ask())
    scene.settle()
    ((question, answer),) = scene.cache.told
    assert question.text == "what time do you close"
    assert (answer.text, answer.storage_class) == (ANSWER, StorageClass.GENERIC)
    assert scene.cache.marks == [caller_mark("t", "+14155550123")]
    assert scene.cache.sources == ["call-1/1"]


def test_of_a_call_that_we_placed_the_other_side_is_the_caller() -> None:
    scene = Scene(call=replace(CALL, direction="outbound"))
    scene.thought(scene.ask())
    scene.settle()
    assert scene.cache.marks == [caller_mark("t", "+14155550100")]


@pytest.mark.parametrize(
    "changes",
    [
        {"outcome": "interrupted", "heard_text": "We close"},
        {"outcome": "failed"},
        {"outcome": "dropped"},
        {"guess": 2},  # another guess was spoken
        {"agent_text": "Sorry, I did not get that."},  # an apology stood in for it
        {"kind": "digits"},
    ],
)
def test_nothing_is_learned_of_a_turn_that_went_otherwise(changes: dict[str, Any]) -> None:
    scene = Scene()
    scene.thought(scene.ask())
    scene.settle(**changes)
    assert scene.cache.told == []


def test_nothing_is_learned_of_a_reply_that_was_cut_off_or_of_the_cache_itself() -> None:
    scene = Scene()
    asked = scene.ask()
    scene.thought(asked)
    asked.is_complete = False
    scene.settle()
    scene.served()
    assert scene.cache.told == []


def test_an_agent_that_does_not_learn_tells_nothing() -> None:
    scene = Scene(replace(AGENT, response_cache=AnswerReuse(learns=False)))
    scene.thought(scene.ask())
    scene.settle()
    assert scene.cache.told == []


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("Hello, I am Ada Miller, is my bill right?", "Yes, Ms Miller, it is right."),
        ("Do you have my number?", "Yes, it is +14155550123."),
        ("What do I owe for order 4711?", "Order 4711 is paid."),
    ],
)
def test_what_holds_something_of_the_caller_is_told_but_never_kept(asked: str, answer: str) -> None:
    scene = Scene()
    consulted = scene.ask(asked)
    assert consulted.question.scope.last_agent_act == OPEN
    scene.thought(consulted, answer)
    scene.settle(asked, answer)
    assert [kept.storage_class for _, kept in scene.cache.told] == [StorageClass.NEVER]


def test_values_of_variables_are_never_kept() -> None:
    scene = Scene(caller_data=("Prague",))
    scene.thought(scene.ask(), "We are in Prague.")
    scene.settle(answer="We are in Prague.")
    assert [kept.storage_class for _, kept in scene.cache.told] == [StorageClass.NEVER]


def test_words_of_the_prompt_are_no_names_of_callers() -> None:
    scene = Scene()
    asked, answer = "Is this Northwind?", "Yes, this is Northwind."
    scene.thought(scene.ask(asked), answer)
    scene.settle(asked, answer)
    assert [kept.storage_class for _, kept in scene.cache.told] == [StorageClass.GENERIC]


@pytest.mark.parametrize("in_words", [True, False])
def test_an_answer_that_used_a_tool_is_never_kept(in_words: bool) -> None:
    scene = Scene()
    asked = scene.ask()
    scene.thought(asked)
    asked.uses_tool = in_words
    scene.settle(tools=() if in_words else ({"name": "sales"},))
    assert [kept.storage_class for _, kept in scene.cache.told] == [StorageClass.NEVER]


# --- complaints ----------------------------------------------------------------------------------


def test_a_caller_who_rejects_an_answer_marks_it_and_is_answered_by_the_model() -> None:
    scene = Scene()
    spoken = scene.served()
    asked = scene.ask("No, that's not what I asked.")
    assert asked.is_barred
    assert asked.told() == {"outcome": "refusal", "reason": "repeated"}
    assert scene.cache.wrong == [], "a guess marks nothing"
    scene.thought(asked, "I am sorry. What is it?")
    scene.settle("No, that's not what I asked.", "I am sorry. What is it?")
    assert scene.cache.wrong == [spoken]
    assert scene.cache.told == [], "what is said to a complaint is for nobody else"


def test_one_caller_marks_one_answer_as_wrong_and_no_more() -> None:
    scene = Scene()
    for _ in range(3):
        scene.served()
        scene.settle("That is wrong.", "I am sorry.")
    assert len(scene.cache.wrong) == 1


@pytest.mark.parametrize("turns_between", [0, 1, 2])
def test_who_asks_the_same_again_within_two_turns_complains(turns_between: int) -> None:
    scene = Scene()
    spoken = scene.served()
    for _ in range(turns_between):
        scene.settle("Aha.", "Anything else?")
    is_told = turns_between < 2
    assert scene.ask("what time do you close").is_barred is is_told
    scene.settle("what time do you close", "At nine, as I said.")
    assert scene.cache.complaints == ([(spoken, Complaint.REPEAT)] if is_told else [])
    assert scene.cache.wrong == []


def test_a_rejection_counts_only_right_behind_the_answer() -> None:
    scene = Scene()
    scene.served()
    scene.settle("Do you have parking?", "Yes.")
    scene.settle("That is wrong.", "I am sorry.")
    assert scene.cache.wrong == []


@pytest.mark.parametrize(("heard", "is_complaint"), [("We", True), (ANSWER, False)])
def test_speaking_in_its_first_words_is_a_complaint(heard: str, is_complaint: bool) -> None:
    scene = Scene()
    spoken = scene.served(outcome="interrupted", heard_text=heard)
    expected = [(spoken, Complaint.BARGE_IN)] if is_complaint else []
    assert scene.cache.complaints == expected


def test_a_plain_no_is_no_complaint() -> None:
    scene = Scene()
    scene.served()
    assert not scene.ask("No, thank you.").is_barred
    scene.settle("No, thank you.", "Goodbye.")
    assert (scene.cache.wrong, scene.cache.complaints) == ([], [])


# --- what comes next ------------------------------------------------------------------------------


def test_what_followed_an_answer_of_the_cache_is_told() -> None:
    scene = Scene()
    scene.served("What does it cost?", "Ten dollars.")
    scene.served("Do you deliver?", "Yes, everywhere.")
    scene.settle("Who are you?", "I am Ann.")
    scene.settle("And your name?", "Ann.")
    assert scene.cache.steps == [
        ("Ten dollars.", "Yes, everywhere."),
        ("Yes, everywhere.", ""),
    ]


def test_silence_and_dropped_turns_are_no_steps() -> None:
    scene = Scene()
    scene.served("What does it cost?", "Ten dollars.")
    scene.settle("", "Are you there?", kind="silence")
    scene.settle("Do", "Do", outcome="dropped")
    scene.served("Do you deliver?", "Yes, everywhere.")
    assert scene.cache.steps == [("Ten dollars.", "Yes, everywhere.")]


def test_the_record_says_whether_an_answer_was_expected() -> None:
    scene = Scene()
    expected = answer_of("Yes, everywhere.")
    for text, answer, is_given in (
        ("Do you deliver?", "Yes, everywhere.", True),
        ("Do you have parking?", "Behind the house.", False),
    ):
        before = scene.ask("What does it cost?")
        before.outcome, before.is_served, before.likely = hit("Ten dollars."), True, (expected,)
        scene.settle("What does it cost?", "Ten dollars.")
        asked = scene.ask(text)
        asked.outcome, asked.is_served = hit(answer), True
        assert asked.told()["expected"] is is_given
        scene.settle(text, answer)
    assert "expected" not in scene.ask("Who are you?").told()


def answer_of(text: str) -> Answer:
    return hit(text).answer
