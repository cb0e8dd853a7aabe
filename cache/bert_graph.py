"""The computation of a BERT encoder as an ONNX graph, written from its weights without torch.

For ``model_type`` ``bert``, ``roberta`` and ``xlm-roberta``: nearly every sentence-transformers
model that is small enough for a telephone call (the MiniLM, BGE, E5 and multilingual MiniLM
families). The padding mask is an explicit addition to the scores; a graph traced from the library
can lose it, and then the vectors of padded batches are wrong by some hundredths.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from cache.errors import ModelUnsupported
from cache.model_folder import ModelFolder

KINDS: Final = frozenset({"bert", "roberta", "xlm-roberta"})
_OPSET: Final = 17
_MASKED: Final = -10_000.0  # small enough for float16, and e to that power is 0


def is_known(folder: ModelFolder) -> bool:
    """Whether :func:`build` can write it."""
    config = folder.config
    return (
        folder.kind in KINDS
        and folder.is_plain
        and folder.pooling in ("mean", "cls")
        and config.get("hidden_act", "gelu") == "gelu"
        and config.get("position_embedding_type", "absolute") == "absolute"
    )


def build(folder: ModelFolder) -> Any:
    """An ``onnx.ModelProto`` with the weights of the folder.

    ``input_ids`` and ``attention_mask`` (int64, batch x tokens) to ``embedding`` (float32, batch x
    dimension, length 1).

    Raises:
        ModelUnsupported: Not a kind that is known here, or its weights have other names.
    """
    if not is_known(folder):
        raise ModelUnsupported(
            f"{folder.name} is a {folder.kind or 'model of no kind'} with {folder.pooling} "
            f"pooling: only {', '.join(sorted(KINDS))} with mean or cls pooling are exported"
        )
    try:
        return _Graph(folder).model()
    except KeyError as error:
        raise ModelUnsupported(f"{folder.name} has no weights named {error}") from None


class _Graph:
    """Nodes and constants as they are written, one after another."""

    def __init__(self, folder: ModelFolder) -> None:
        import onnx

        self._onnx = onnx
        self._folder = folder
        weights = folder.weights()
        prefix = next((p for p in ("", "bert.", "roberta.") if _WORDS.format(p) in weights), "")
        self._weights = {name.removeprefix(prefix): array for name, array in weights.items()}
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        config = folder.config
        self._heads = int(config["num_attention_heads"])
        self._hidden = int(config["hidden_size"])
        self._epsilon = float(config.get("layer_norm_eps", 1e-12))

    def model(self) -> Any:
        onnx = self._onnx
        helper, kind = onnx.helper, onnx.TensorProto
        state = self._embedded()
        mask = self._node("Cast", ["attention_mask"], to=kind.FLOAT)
        additive = self._node(
            "Mul", [self._node("Sub", [self._number(1.0), mask]), self._number(_MASKED)]
        )
        additive = self._node("Unsqueeze", [additive, self._ints([1, 2])])
        for layer in range(int(self._folder.config["num_hidden_layers"])):
            state = self._layer(f"encoder.layer.{layer}.", state, additive)
        pooled = self._pooled(state, mask)
        self._nodes.append(
            helper.make_node("LpNormalization", [pooled], ["embedding"], axis=-1, p=2)
        )
        graph = helper.make_graph(
            self._nodes,
            "sentence_encoder",
            [
                helper.make_tensor_value_info(name, kind.INT64, ["batch", "tokens"])
                for name in ("input_ids", "attention_mask")
            ],
            [helper.make_tensor_value_info("embedding", kind.FLOAT, ["batch", self._hidden])],
            self._constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)])
        model.ir_version = 8
        return model

    def _embedded(self) -> str:
        words = self._node(
            "Gather", [self._weight("embeddings.word_embeddings.weight"), "input_ids"]
        )
        # RoBERTa counts positions from the one after the padding id.
        first = 0 if self._folder.kind == "bert" else int(self._folder.config["pad_token_id"]) + 1
        table = self._weights["embeddings.position_embeddings.weight"][first:]
        if "embeddings.token_type_embeddings.weight" in self._weights:
            table = table + self._weights["embeddings.token_type_embeddings.weight"][0]
        length = self._node(
            "Slice", [self._node("Shape", ["input_ids"]), *map(self._ints, ([1], [2]))]
        )
        places = self._node(
            "Slice", [self._constant(table), self._ints([0]), length, self._ints([0])]
        )
        return self._norm("embeddings.LayerNorm", self._node("Add", [words, places]))

    def _layer(self, name: str, state: str, additive: str) -> str:
        size = self._hidden // self._heads
        parts = [f"{name}attention.self.{part}." for part in ("query", "key", "value")]
        scale = np.float32(1.0 / np.sqrt(size))  # in the weights of the query, not in the graph
        factors = (scale, np.float32(1.0), np.float32(1.0))
        matrix = np.concatenate(
            [self._weights[f"{p}weight"].T * f for p, f in zip(parts, factors, strict=True)], axis=1
        )
        bias = np.concatenate(
            [self._weights[f"{p}bias"] * f for p, f in zip(parts, factors, strict=True)]
        )
        mixed = self._node("MatMul", [state, self._constant(matrix)])
        mixed = self._node("Add", [mixed, self._constant(bias)])
        mixed = self._node("Reshape", [mixed, self._ints([0, 0, 3, self._heads, size])])
        mixed = self._node("Transpose", [mixed], perm=[2, 0, 3, 1, 4])
        query, key, value = (
            self._node("Gather", [mixed, self._int(index)], axis=0) for index in range(3)
        )
        scores = self._node("MatMul", [query, self._node("Transpose", [key], perm=[0, 1, 3, 2])])
        shares = self._node("Softmax", [self._node("Add", [scores, additive])], axis=-1)
        seen = self._node("Transpose", [self._node("MatMul", [shares, value])], perm=[0, 2, 1, 3])
        seen = self._node("Reshape", [seen, self._ints([0, 0, self._hidden])])
        seen = self._dense(f"{name}attention.output.dense", seen)
        state = self._norm(f"{name}attention.output.LayerNorm", self._node("Add", [seen, state]))
        wide = self._gelu(self._dense(f"{name}intermediate.dense", state))
        out = self._dense(f"{name}output.dense", wide)
        return self._norm(f"{name}output.LayerNorm", self._node("Add", [out, state]))

    def _pooled(self, state: str, mask: str) -> str:
        if self._folder.pooling == "cls":
            return self._node("Gather", [state, self._int(0)], axis=1)
        column = self._node("Unsqueeze", [mask, self._ints([2])])
        kept = self._node("Mul", [state, column])
        # Divided by the count or not, the normalised mean is the same.
        return self._node("ReduceSum", [kept, self._ints([1])], keepdims=0)

    def _dense(self, name: str, value: str) -> str:
        matrix = self._constant(self._weights[f"{name}.weight"].T)
        return self._node(
            "Add", [self._node("MatMul", [value, matrix]), self._weight(f"{name}.bias")]
        )

    def _norm(self, name: str, value: str) -> str:
        weights = [self._weight(f"{name}.weight"), self._weight(f"{name}.bias")]
        return self._node("LayerNormalization", [value, *weights], epsilon=self._epsilon, axis=-1)

    def _gelu(self, value: str) -> str:
        inner = self._node("Div", [value, self._number(float(np.sqrt(2.0)))])
        inner = self._node("Add", [self._node("Erf", [inner]), self._number(1.0)])
        return self._node("Mul", [self._node("Mul", [value, inner]), self._number(0.5)])

    def _node(self, operator: str, inputs: list[str], **attributes: Any) -> str:
        name = f"n{len(self._nodes)}"
        self._nodes.append(
            self._onnx.helper.make_node(operator, inputs, [name], name=name, **attributes)
        )
        return name

    def _constant(self, array: NDArray[Any]) -> str:
        name = f"c{len(self._constants)}"
        plain = np.asarray(array, order="C")  # ascontiguousarray makes a list of a single number
        self._constants.append(self._onnx.numpy_helper.from_array(plain, name))
        return name

    def _weight(self, name: str) -> str:
        return self._constant(self._weights[name])

    def _number(self, value: float) -> str:
        return self._constant(np.array(value, dtype=np.float32))

    def _int(self, value: int) -> str:
        return self._constant(np.array(value, dtype=np.int64))

    def _ints(self, values: list[int]) -> str:
        return self._constant(np.array(values, dtype=np.int64))


_WORDS: Final = "{}embeddings.word_embeddings.weight"
