from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from cache.bert_graph import build, is_known
from cache.encoder import Vector
from cache.errors import EncoderUnavailable, ModelUnsupported
from cache.export import exported_file
from cache.language_check import check_language
from cache.model_folder import find_model


def model(folder: Path, **config: object) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps({"model_type": "bert"} | config), "utf-8")
    numbers = np.arange(6, dtype="<f4").reshape(2, 3)
    table = {"w": {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}}
    head = json.dumps(table).encode()
    data = len(head).to_bytes(8, "little") + head + numbers.tobytes()
    (folder / "model.safetensors").write_bytes(data)
    return folder


def test_weights_are_read(tmp_path: Path) -> None:
    found = find_model(str(model(tmp_path / "m")))
    assert (found.kind, found.pooling, found.is_plain) == ("bert", "mean", True)
    np.testing.assert_array_equal(found.weights()["w"], [[0, 1, 2], [3, 4, 5]])


def test_half_a_file_is_said(tmp_path: Path) -> None:
    folder = model(tmp_path / "m")
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-4])
    with pytest.raises(EncoderUnavailable, match="fetch the model folder again"):
        find_model(str(folder)).weights()


def test_a_model_that_is_nowhere_is_said(tmp_path: Path) -> None:
    with pytest.raises(EncoderUnavailable, match="give a folder"):
        find_model(str(tmp_path / "nothing"))


def test_a_model_of_another_kind_is_said(tmp_path: Path) -> None:
    found = find_model(str(model(tmp_path / "m", model_type="t5")))
    assert not is_known(found)
    with pytest.raises(ModelUnsupported, match="t5"):
        build(found)


def test_other_weights_make_another_export(tmp_path: Path) -> None:
    one, other = (find_model(str(model(tmp_path / name))) for name in ("a", "b"))
    assert exported_file(one, tmp_path).stem[1:] == exported_file(other, tmp_path).stem[1:]
    (other.path / "model.safetensors").write_bytes(b"\0" * 40)
    assert exported_file(one, tmp_path).stem[1:] != exported_file(other, tmp_path).stem[1:]
    assert exported_file(one, tmp_path) != exported_file(one, tmp_path, is_int8=False)


class Blind:
    """Every sentence is the same to it."""

    name = "blind"
    dimension = 2
    unknown = 0.0

    def encode(self, text: str) -> Vector:
        return np.array([1.0, 0.0], dtype=np.float32)

    def unknown_ratio(self, text: str) -> float:
        return self.unknown


def test_an_encoder_that_cannot_tell_sentences_apart_is_not_used() -> None:
    assert "1.00 alike" in check_language(Blind(), "zh-TW").why
    guessing = Blind()
    guessing.unknown = 0.4
    assert "unknown" in check_language(guessing, "en-US").why
    assert "no sentences" in check_language(Blind(), "tlh").why
