from __future__ import annotations

from cluster.survival.nodes import newer
from cluster.survival.stage import AGENT


def test_each_deploy_of_a_run_is_another_release() -> None:
    releases = [AGENT]
    for _ in range(3):
        releases.append(newer(releases[-1]))
    assert len(set(releases)) == 4


def test_nothing_but_the_prompt_is_changed() -> None:
    text = "language: en-US\nprompt: You are kind.\ngreeting: Hello!\n"
    twice = newer(newer(text))
    assert twice == text.replace("prompt: ", "prompt: Be brief. Be brief. ")
