"""What a run imports, and how often it tries: never less than it has to."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.examples import FRESH, FULL, QUICK, count, set_counts
from tests.support.selection import excluded_marks, mark_of_whole_file, skip_reasons


@pytest.mark.parametrize(
    ("expression", "excluded"),
    [
        ("", {"cluster"}),
        ("ray", {"cluster"}),
        ("cluster", set()),
        ("ray or cluster", set()),
        ("not ray", {"ray", "cluster"}),
        ("not ray and not e2e and not demo", {"ray", "e2e", "demo", "cluster"}),
        ("not cluster and not ray", {"ray", "cluster"}),
        ("e2e and not ray", {"ray", "cluster"}),
        ("not ray or e2e", {"cluster"}),
        ("not (ray and e2e)", {"cluster"}),
        ("not ray and (e2e or not demo)", {"cluster"}),
    ],
)
def test_only_a_plain_expression_rules_a_mark_out(expression: str, excluded: set[str]) -> None:
    assert excluded_marks(expression) == excluded


@pytest.mark.parametrize(
    ("text", "mark"),
    [
        ("import pytest\n\npytestmark = pytest.mark.e2e\n", "e2e"),
        ("pytestmark = [pytest.mark.e2e, pytest.mark.ray]\n", None),
        ('pytestmark = pytest.mark.skipif(True, reason="")\n', None),
        ("@pytest.mark.e2e\ndef test_one() -> None: ...\n", None),
        ("    pytestmark = pytest.mark.e2e\n", None),
        ("", None),
    ],
)
def test_the_mark_of_a_whole_file(text: str, mark: str | None) -> None:
    assert mark_of_whole_file(text) == mark


@pytest.mark.parametrize(("said", "tried"), [(200, 50), (60, 15), (40, 10), (12, 10), (5, 5)])
def test_a_quick_run_tries_a_quarter_of_the_examples_and_never_few(said: int, tried: int) -> None:
    assert count(said, QUICK) == tried
    assert count(said, FULL) == said
    assert count(said, FRESH) == 10 * said


@given(st.none())
@settings(max_examples=80)
def said_eighty(_nothing: None) -> None: ...


def test_what_a_test_says_of_itself_is_changed_once(request: pytest.FixtureRequest) -> None:
    item = pytest.Function.from_parent(request.node.parent, name="eighty", callobj=said_eighty)
    set_counts([item, item])
    counted = count(80, settings.get_current_profile_name())
    assert said_eighty._hypothesis_internal_use_settings.max_examples == counted


def test_a_reason_to_skip_is_said_once() -> None:
    place = ("tests/x.py", 1)
    told = [(*place, "Skipped: no key"), "an error", (*place, "Skipped: no key"), (*place, "other")]
    assert skip_reasons([SimpleNamespace(longrepr=each) for each in told]) == ["no key", "other"]
