"""GPTCache from PyPI on the same stream: its own store, search and acceptance, our encoder.

Its score of a pair is ``4 - d`` on a scale of 0 to 4, ``d`` the squared distance of the vectors:
its default threshold of 0.8 is a cosine of 0.6.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib.util
import io
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.cache.data import Turn
from benchmarks.cache.stream import Score, questions
from cache.encoder import Encoder


def is_installed() -> bool:
    """Whether the package and what it keeps vectors and answers in are there."""
    return all(importlib.util.find_spec(name) for name in ("gptcache", "faiss", "sqlalchemy"))


def cosine_of(threshold: float) -> float:
    """The cosine from which on it accepts a pair."""
    return 1.0 - 2.0 * (1.0 - threshold)


def run(rows: Sequence[Turn], encoder: Encoder, threshold: float) -> Score:
    """All turns once; 0.8 is its default threshold."""
    score = Score()
    folder = Path(tempfile.mkdtemp())
    # It writes its index once more when the process ends; what is registered first goes last.
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    with contextlib.redirect_stdout(io.StringIO()):
        cache, put, get = _opened(folder, encoder, threshold)
        for number, (turn, question) in enumerate(zip(rows, questions(rows), strict=True)):
            found = get(question.text or " ", cache_obj=cache)
            is_hit = found is not None
            is_wrong = is_hit and found != turn.answer
            score.add(is_hit=is_hit, is_wrong=is_wrong, is_late=2 * number >= len(rows))
            if not is_hit:
                put(question.text or " ", turn.answer, cache_obj=cache)
    return score


def _opened(folder: Path, encoder: Encoder, threshold: float) -> tuple[Any, Any, Any]:
    from gptcache import Cache, Config
    from gptcache.adapter.api import get, put
    from gptcache.manager import CacheBase, VectorBase, get_data_manager
    from gptcache.processor.pre import get_prompt
    from gptcache.similarity_evaluation.distance import SearchDistanceEvaluation

    def embedded(text: str, **_: Any) -> Any:
        return encoder.encode(text).copy()

    cache = Cache()
    cache.init(
        pre_embedding_func=get_prompt,
        embedding_func=embedded,
        data_manager=get_data_manager(
            CacheBase("sqlite", sql_url=f"sqlite:///{folder / 'answers.db'}"),
            VectorBase("faiss", dimension=encoder.dimension, index_path=str(folder / "index")),
            max_size=100_000,
        ),
        similarity_evaluation=SearchDistanceEvaluation(),
        config=Config(similarity_threshold=threshold),
    )
    return cache, put, get
