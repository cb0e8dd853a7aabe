"""Models that cannot be exported here, run by sentence-transformers itself.

Any model of that library works so. It takes several times as long as an exported one and some 600
MB a process, so that it is for models without an export only (``cache.bert_graph`` says which).
"""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cache.errors import EncoderUnavailable
from cache.model_folder import ModelFolder
from cache.vector_memo import VectorMemo


def is_installed() -> bool:
    """Whether the library is there; it is not loaded for that."""
    return importlib.util.find_spec("sentence_transformers") is not None


class LibraryEncoder:
    """A model of sentence-transformers, on one thread."""

    def __init__(self, folder: ModelFolder, name: str) -> None:
        """Load it.

        Args:
            folder: Of the model.
            name: Tells its vectors from those of other models.

        Raises:
            EncoderUnavailable: The library is missing, or cannot load the folder.
        """
        try:
            import torch
            from sentence_transformers import SentenceTransformer

            torch.set_num_threads(1)
            self._model: Any = SentenceTransformer(str(folder.path), device="cpu")
        except Exception as error:
            raise EncoderUnavailable(
                f"{folder.path} cannot be loaded by sentence-transformers "
                f"({type(error).__name__}): give another model, or install what it asks for"
            ) from error
        self._model.max_seq_length = folder.most_tokens
        self._name = name
        self._dimension = len(self._made(" "))
        self._memo = VectorMemo()

    @property
    def name(self) -> str:
        """Of the model, its weights and this way to run it."""
        return self._name

    @property
    def dimension(self) -> int:
        """Length of the vectors."""
        return self._dimension

    def encode(self, text: str) -> NDArray[np.float32]:
        """The vector of normalised text: float32, length 1."""
        return self._memo.vector(text, self._made)

    def unknown_ratio(self, text: str) -> float:
        """Share of unknown tokens, 0..1."""
        tokenizer = self._model.tokenizer
        ids = tokenizer(text, add_special_tokens=False)["input_ids"]
        unknown = getattr(tokenizer, "unk_token_id", None)
        return sum(one == unknown for one in ids) / len(ids) if ids else 0.0

    def _made(self, text: str) -> NDArray[np.float32]:
        made = self._model.encode([text], normalize_embeddings=True, show_progress_bar=False)
        return np.array(made[0], dtype=np.float32)
