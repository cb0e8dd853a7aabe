"""What a run imports: never less than it has to run."""

from __future__ import annotations

import pytest

from tests.support.selection import excluded_marks, mark_of_whole_file


@pytest.mark.parametrize(
    ("expression", "excluded"),
    [
        ("", set()),
        ("ray", set()),
        ("not ray", {"ray"}),
        ("not ray and not e2e and not demo", {"ray", "e2e", "demo"}),
        ("e2e and not ray", {"ray"}),
        ("not ray or e2e", set()),
        ("not (ray and e2e)", set()),
        ("not ray and (e2e or not demo)", set()),
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
