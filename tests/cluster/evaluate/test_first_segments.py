from __future__ import annotations

from cluster.evaluate.first_segments import first_segments, tokens_to_first
from simulation.openai_replies import tokens


def test_tokens_are_counted_until_the_cutter_gives_something() -> None:
    text = "Gladly. Where would you like to go?"
    count, is_whole = tokens_to_first(text, "en-US")
    assert not is_whole
    assert "".join(tokens(text)[:count]).startswith("Gladly.")
    assert count < len(tokens(text))


def test_a_reply_without_a_place_to_cut_counts_whole() -> None:
    assert tokens_to_first("Yes", "en-US") == (len(tokens("Yes")), True)


def test_languages_are_told_apart() -> None:
    found = first_segments(["好呀，聽日下晝三點已經幫你預約咗。", "Seven of clubs, noted."])
    assert {each.language for each in found} == {"zh-HK", "en-US"}
    assert all(each.most_tokens >= each.mean_tokens > 0 for each in found)
