"""Files of questions and answers, as people write them."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cache.errors import ImportInvalid
from cluster.response_cache_files import read_cards

HOURS = {"question": "When do you open?", "answer": "At nine.", "tags": ["hours"], "ttl": ""}


def written(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("faq.csv", "question,answer,tags\nWhen do you open?,At nine.,hours\n"),
        ("faq.csv", "\ufeffQuestion;Answer;Tags\nWhen do you open?;At nine.;hours\n"),
        ("faq.csv", 'answer\ttags\tquestion\n"At nine."\thours\tWhen do you open?\n'),
        (
            "faq.jsonl",
            '{"question": "When do you open?", "answer": "At nine.", "tags": ["hours"]}\n\n',
        ),
        ("faq.yaml", "- question: When do you open?\n  answer: At nine.\n  tags: hours\n"),
        ("faq.yml", "faq:\n- question: When do you open?\n  answer: At nine.\n  tags: [hours]\n"),
    ],
)
def test_every_form_says_the_same(tmp_path: Path, name: str, text: str) -> None:
    (card,) = read_cards(written(tmp_path, name, text))
    assert {field: card[field] for field in HOURS} == HOURS
    assert card["source"].startswith(f"{name}:")


def test_answers_by_question(tmp_path: Path) -> None:
    cards = read_cards(written(tmp_path, "faq.yaml", "When?: At nine.\nWhere?: |\n  At the sea.\n"))
    assert [(card["question"], card["answer"]) for card in cards] == [
        ("When?", "At nine."),
        ("Where?", "At the sea."),
    ]


def test_several_questions_have_one_answer(tmp_path: Path) -> None:
    text = '{"questions": ["When?", "How late?"], "answer": "At nine.", "answer_id": "hours"}'
    cards = read_cards(written(tmp_path, "faq.jsonl", text))
    assert [(card["question"], card["answer_id"]) for card in cards] == [
        ("When?", "hours"),
        ("How late?", "hours"),
    ]


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("faq.txt", "x", "another kind than .csv"),
        ("faq.csv", "When?,At nine.\n", "must name the columns"),
        ("faq.csv", "", "must name the columns"),
        ("faq.csv", "question,answer\nWhen?\n", "faq.csv:2: a card has"),
        ("faq.csv", "question,answer\n", "holds no question"),
        ("faq.jsonl", "{}\n", "faq.jsonl:1: a card has"),
        ("faq.jsonl", '{"question": "a", "answer": "b"}\nsecret words\n', "2: no JSON"),
        ("faq.jsonl", '["a", "b"]\n', "1: a card has"),
        ("faq.jsonl", '{"question": "a", "answer": 7}\n', "both of them text"),
        ("faq.jsonl", '{"questions": ["a", ""], "answer": "b"}\n', "both of them text"),
        ("faq.jsonl", '{"question": "a", "answer": "b", "ttl": "ever"}\n', "ttl is one of lasting"),
        ("faq.yaml", "a: [secret\n", "no YAML"),
        ("faq.yaml", "secret words", "a list of cards"),
        ("faq.yaml", "9: 17\n", "both of them text"),
    ],
)
def test_what_cannot_be_read_is_said_with_its_place(
    tmp_path: Path, name: str, text: str, why: str
) -> None:
    with pytest.raises(ImportInvalid, match=why) as caught:
        read_cards(written(tmp_path, name, text))
    assert "secret" not in str(caught.value)


def test_files_that_are_not_there_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(ImportInvalid, match="No such file"):
        read_cards(tmp_path / "faq.csv")
    path = tmp_path / "faq.csv"
    path.write_bytes(b"question,answer\n\xff\xfe,x\n")
    with pytest.raises(ImportInvalid, match="UTF-8"):
        read_cards(path)


@given(name=st.sampled_from(["a.csv", "a.jsonl", "a.yaml"]), text=st.text(max_size=80))
def test_no_text_breaks_the_reader(
    tmp_path_factory: pytest.TempPathFactory, name: str, text: str
) -> None:
    path = tmp_path_factory.getbasetemp() / name
    path.write_text(text, "utf-8", errors="replace")
    try:
        cards = read_cards(path)
    except ImportInvalid:
        return
    assert all(card["question"] and card["answer"] for card in cards)
