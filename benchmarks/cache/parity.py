"""The exported encoder beside sentence-transformers itself: the same vectors, and their cost."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cache.encoder import open_encoder
from cache.model_folder import find_model

TEXTS = 1_000
_TIMED = 200

Vectors = NDArray[np.float32]


def is_installed() -> bool:
    """Whether there is anything to compare with."""
    return importlib.util.find_spec("sentence_transformers") is not None


def compare(model: str, exports: Path, texts: Sequence[str]) -> list[str]:
    """A line for each form of the export."""
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(1)
    theirs: Any = SentenceTransformer(str(find_model(model).path), device="cpu")

    def asked(text: str) -> Vectors:
        return np.asarray(
            theirs.encode([text], normalize_embeddings=True, show_progress_bar=False)[0]
        )

    wanted = np.stack([asked(text) for text in texts])
    lines = [f"sentence-transformers: {_pace(asked, texts)} on one thread"]
    for is_int8 in (False, True):
        encoder = open_encoder(exports, model=model, is_int8=is_int8)
        made = np.stack([encoder.encode(text) for text in texts])
        cosines = np.sum(made * wanted, axis=1)
        # Texts that the memo of the encoder does not hold.
        pace = _pace(encoder.encode, [f"{text} then" for text in texts])
        lines.append(
            f"{'int8' if is_int8 else 'fp32'} export: cosine to it {cosines.min():.5f} at worst, "
            f"{cosines.mean():.5f} on average, components {np.abs(made - wanted).max():.1e} apart "
            f"at most; same nearest of {len(texts)}: {_same_nearest(made, wanted):.1%}; {pace}"
        )
    return lines


def _same_nearest(made: Vectors, wanted: Vectors) -> float:
    """How often the nearest other text is the same."""
    return float(np.mean(_nearest(made) == _nearest(wanted)))


def _nearest(vectors: Vectors) -> NDArray[np.intp]:
    alike = vectors @ vectors.T
    np.fill_diagonal(alike, -1.0)
    return np.asarray(alike.argmax(axis=1))


def _pace(encode: Callable[[str], object], texts: Sequence[str]) -> str:
    took = []
    for text in texts[:_TIMED]:
        begin_s = time.perf_counter()
        encode(text)
        took.append((time.perf_counter() - begin_s) * 1e3)
    middle, last = np.percentile(took, [50, 99])
    return f"P50 {middle:.1f} ms, P99 {last:.1f} ms a text"
