"""Which turns mean the same everywhere, and which only after what the agent said."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cache.context import BOUND, OPEN, act_of, stands_by_itself
from cache.scope import UNKNOWN_ACT

ANYWHERE = [
    ("en-US", "What time do you close on Sundays?"),
    ("en-US", "is there parking near the shop"),
    ("en-US", "Do you deliver to Leeds"),
    ("en-US", "I'd like to know your opening hours."),
    ("en-US", "How long does it take to get a passport?"),
    ("de-DE", "Wann haben Sie am Sonntag geöffnet?"),
    ("zh-HK", "你哋星期日幾點開門？"),
    ("zh-TW", "請問你們附近有沒有停車場"),
]
ONLY_HERE = [
    ("en-US", "yes"),
    ("en-US", "Yes, what about the parking?"),
    ("en-US", "At five."),
    ("en-US", "And on Sundays?"),
    ("en-US", "How much is it?"),
    ("en-US", "Can I bring them too?"),
    ("en-US", "Which one is cheaper?"),
    ("en-US", "What about the other shop?"),
    ("en-US", "My name is Ann."),
    ("en-US", "I need two rooms for Friday."),
    ("en-US", "why"),
    ("en-US", ""),
    ("de-DE", "Und am Sonntag?"),
    ("de-DE", "Wie teuer ist das?"),
    ("zh-HK", "嗰個幾錢？"),
    ("zh-HK", "係"),
    ("fi-FI", "Milloin te avaatte sunnuntaina?"),  # no word lists: in doubt not
]


@pytest.mark.parametrize(("language", "text"), ANYWHERE)
def test_a_question_that_stands_by_itself_means_the_same_everywhere(
    language: str, text: str
) -> None:
    assert stands_by_itself(text, language)
    acts = {
        act_of(text, heard_before=heard, said_before=said, is_first=False, language=language)
        for heard in ("", "Sure. Shall I book it?", "Bye.")
        for said in ((), ("", text))
    }
    assert acts == {OPEN}


@pytest.mark.parametrize(("language", "text"), ONLY_HERE)
def test_any_other_turn_is_read_with_what_was_said_before(language: str, text: str) -> None:
    def act(heard: str, *, is_first: bool = False) -> str:
        return act_of(
            text, heard_before=heard, said_before=(), is_first=is_first, language=language
        )

    book = act("Of course. Shall I book it?")
    assert book == act("We are open. shall I book it"), "only the last sentence counts"
    assert len({book, act("Of course. Shall I cancel it?"), OPEN, UNKNOWN_ACT}) == 4
    assert act("") == act(" … ") == UNKNOWN_ACT
    assert act("", is_first=True) == OPEN, "nothing but the greeting was said"


@pytest.mark.parametrize(
    ("said", "is_free"),
    [
        ((), True),
        (("Hello.", "Thank you very much."), True),
        (("Do you have parking?", "Great, thanks."), True),
        (("I am calling about the shop in Leeds.",), False),
        (("Do you have parking?", "Yes."), False),
    ],
)
def test_what_a_caller_has_told_is_part_of_what_they_ask_later(
    said: tuple[str, ...], is_free: bool
) -> None:
    act = act_of(
        "What time do you close?",
        heard_before="All right. What else?",
        said_before=said,
        is_first=False,
        language="en-US",
    )
    assert act == (OPEN if is_free else BOUND)


@given(st.text(max_size=80), st.text(max_size=80), st.sampled_from(["en", "de-DE", "zh", "x"]))
def test_nothing_that_is_said_breaks_it(text: str, heard: str, language: str) -> None:
    act = act_of(
        text, heard_before=heard, said_before=(heard, text), is_first=False, language=language
    )
    assert act in (OPEN, BOUND, UNKNOWN_ACT) or act.startswith("after:")
