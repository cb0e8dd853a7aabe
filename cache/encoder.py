"""Sentences as vectors: a sentence-transformers model run by onnxruntime on one thread.

One turn at a time: on a processor a batch saves a half at best, of the shortest turns; in int8 the
vector of a turn would then depend on its company; and a second thread costs more than it brings
while other calls run. 2 ms to 4 ms for a turn of 6 to 28 words with all-MiniLM-L6-v2 (int8),
some 60 MB once a process. It blocks: call it off the event loop; it lets go of the interpreter.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from cache import library_encoder
from cache.errors import EncoderUnavailable, ModelUnsupported
from cache.export import export, exported_file
from cache.model_folder import DEFAULT_MODEL, ModelFolder, find_model
from cache.vector_memo import VectorMemo

Vector = NDArray[np.float32]
_ONLY_FATAL: Final = 4


class Encoder(Protocol):
    """What the rest of the room needs of an encoder."""

    @property
    def name(self) -> str:
        """Tells models and exports apart: vectors of different names are never compared."""

    @property
    def dimension(self) -> int:
        """Length of its vectors."""

    def encode(self, text: str) -> Vector:
        """The vector of normalised text: float32, length 1. May be called from any thread."""

    def unknown_ratio(self, text: str) -> float:
        """Which share of its tokens the model has never seen, 0..1."""


class OnnxEncoder:
    """A model that was exported by ``cache.export``."""

    def __init__(self, folder: ModelFolder, file: Path) -> None:
        """Load it.

        Raises:
            EncoderUnavailable: A library is missing, or a file is broken.
        """
        try:
            import onnxruntime
            from tokenizers import Tokenizer
        except (ImportError, OSError) as error:
            raise EncoderUnavailable(
                f"the encoder cannot be loaded ({type(error).__name__}: {error}): "
                "pip install 'callcluster[semantic]'"
            ) from None
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.log_severity_level = _ONLY_FATAL
        try:
            self._tokenizer: Any = Tokenizer.from_file(str(folder.tokenizer_file))
            self._session: Any = onnxruntime.InferenceSession(
                str(file), sess_options=options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # noqa: BLE001 - both raise plain Exceptions of their own
            raise EncoderUnavailable(
                f"{folder.tokenizer_file} or {file} cannot be loaded ({type(error).__name__}): "
                "delete the exported file, it is made again"
            ) from None
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(folder.most_tokens)
        unknown = self._tokenizer.token_to_id("[UNK]")
        self._unknown = self._tokenizer.token_to_id("<unk>") if unknown is None else unknown
        self._name = file.stem
        self._dimension = int(self._session.get_outputs()[0].shape[1])
        self._memo = VectorMemo()

    @property
    def name(self) -> str:
        """Of the exported file."""
        return self._name

    @property
    def dimension(self) -> int:
        """Length of the vectors."""
        return self._dimension

    def encode(self, text: str) -> Vector:
        """The vector of normalised text, remembered for the next who says the same."""
        return self._memo.vector(text, self._made)

    def encode_batch(self, texts: list[str]) -> NDArray[np.float32]:
        """All vectors, (len(texts), dimension); for imports, nothing is remembered."""
        return self.encode_tokens([self._tokenizer.encode(text).ids for text in texts])

    def encode_tokens(self, rows: list[list[int]]) -> NDArray[np.float32]:
        """Rows of token ids, special tokens included, at least one."""
        longest = max(map(len, rows))
        ids = np.zeros((len(rows), longest), dtype=np.int64)
        mask = np.zeros_like(ids)
        for index, row in enumerate(rows):
            ids[index, : len(row)] = row
            mask[index, : len(row)] = 1
        made = self._session.run(None, {"input_ids": ids, "attention_mask": mask})[0]
        return np.asarray(made, dtype=np.float32)

    def _made(self, text: str) -> Vector:
        made: Vector = self.encode_tokens([self._tokenizer.encode(text).ids])[0]
        return made

    def unknown_ratio(self, text: str) -> float:
        """Share of unknown tokens, 0..1."""
        ids = self._tokenizer.encode(text, add_special_tokens=False).ids
        return sum(one == self._unknown for one in ids) / len(ids) if ids else 0.0


def open_encoder(exports: Path, *, model: str = DEFAULT_MODEL, is_int8: bool = True) -> Encoder:
    """The encoder of a model by name or folder; the first time it is exported, which takes seconds.

    A model of a kind that cannot be exported is run by sentence-transformers itself, where that is
    installed.

    Args:
        exports: Folder of the exported files.
        model: Name or folder.
        is_int8: A quarter of the size and three times as fast as float32.

    Raises:
        EncoderUnavailable: There is no such model, or a library is missing.
        ModelUnsupported: It cannot be exported here, and sentence-transformers is not installed.
    """
    from cache import search

    search.load()  # 50 ms that no turn should wait for
    folder = find_model(model)
    try:
        return OnnxEncoder(folder, export(folder, exports, is_int8=is_int8))
    except ModelUnsupported as unsupported:
        if not library_encoder.is_installed():
            raise ModelUnsupported(
                f"{unsupported.message}; pip install 'callcluster[semantic]' runs it as it is"
            ) from None
        name = exported_file(folder, exports, is_int8=False).stem
        return library_encoder.LibraryEncoder(folder, name.replace("-fp32", "-library"))
