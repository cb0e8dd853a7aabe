"""A sentence-transformers model as one int8 file, made once on this machine in a few seconds.

Needs the ``onnx`` package and no torch. The file's name changes with the weights of the model and
with the way it is made; it is written whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

from cache import bert_graph
from cache.errors import EncoderUnavailable
from cache.model_folder import ModelFolder

_RECIPE: Final = "1"  # a change of the graph or of the quantisation makes new files
_FLOAT: Final = 1  # onnx.TensorProto.FLOAT


def exported_file(folder: ModelFolder, exports: Path, *, is_int8: bool = True) -> Path:
    """Where the export of this model lies, whether it is there or not."""
    digest = hashlib.blake2b(_RECIPE.encode(), digest_size=8)
    digest.update(json.dumps(dict(folder.config), sort_keys=True).encode())
    weights = folder.path / "model.safetensors"
    if weights.is_file():
        with weights.open("rb") as file:
            digest.update(str(weights.stat().st_size).encode())
            digest.update(file.read(1 << 20))  # the table of contents and the first numbers
            file.seek(-min(1 << 20, weights.stat().st_size), os.SEEK_END)
            digest.update(file.read())
    short = "".join(char if char.isalnum() or char in "-." else "-" for char in folder.path.name)
    form = "int8" if is_int8 else "fp32"
    return exports / f"{short[:40]}-{digest.hexdigest()}-{form}.onnx"


def export(folder: ModelFolder, exports: Path, *, is_int8: bool = True) -> Path:
    """The exported file, made if it is not there.

    Raises:
        EncoderUnavailable: The ``onnx`` package is missing, or the folder cannot be written.
        ModelUnsupported: The model is of a kind that is not written here.
    """
    target = exported_file(folder, exports, is_int8=is_int8)
    if target.is_file():
        return target
    try:
        import onnx
        from onnxruntime.quantization import QuantType, quantize_dynamic
    except (ImportError, OSError) as error:
        raise EncoderUnavailable(
            f"the model cannot be exported ({type(error).__name__}: {error}): "
            "pip install 'callcluster[semantic]'"
        ) from None
    model = bert_graph.build(folder)
    try:
        exports.mkdir(parents=True, exist_ok=True)
        made_in = Path(tempfile.mkdtemp(prefix=".making-", dir=exports))
    except OSError as error:
        raise EncoderUnavailable(
            f"{exports} cannot be written ({type(error).__name__}): set another folder"
        ) from None
    try:
        plain = made_in / "fp32.onnx"
        onnx.save(model, str(plain))
        if is_int8:
            # One scale for each column of a matrix: with one for all, likes drift apart.
            quantize_dynamic(
                str(plain),
                str(made_in / "int8.onnx"),
                per_channel=True,
                weight_type=QuantType.QInt8,
                extra_options={"DefaultTensorType": _FLOAT, "MatMulConstBOnly": True},
            )
            plain = made_in / "int8.onnx"
        os.replace(plain, target)
    except OSError as error:
        raise EncoderUnavailable(
            f"{exports} cannot be written ({type(error).__name__}): free space, or set another"
        ) from None
    finally:
        shutil.rmtree(made_in, ignore_errors=True)
    return target
