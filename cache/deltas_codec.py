"""Deltas, reports and snapshots as lines of JSON, and back: one value a line, ``[kind, fields]``.

A value is written as the list of its fields in their order: a later version may add fields with
defaults at the end, and what an earlier version does not know it does not read. Reading checks
every type, so that nothing half-read gets into a cache.
"""

from __future__ import annotations

import binascii
import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import StrEnum
from functools import lru_cache
from io import BytesIO
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import numpy as np

from cache.errors import DeltasInvalid

Read = Callable[[Any], Any]


class LineCodec:
    """Writes and reads the dataclasses that it was given.

    Args:
        kinds: By the word that stands first in their lines; never change a word.
    """

    def __init__(self, kinds: Mapping[str, Any]) -> None:
        self._kinds = kinds
        self._words: dict[Any, str] = {kind: word for word, kind in kinds.items()}

    def line(self, value: Any) -> bytes:
        """One value, without the end of the line. Raises ``KeyError`` for an unknown kind."""
        plain = [self._words[type(value)], _plain(value)]
        return json.dumps(plain, separators=(",", ":")).encode("ascii")

    def lines(self, values: Iterable[Any]) -> bytes:
        """Several values, each with the end of its line."""
        return b"".join(self.line(value) + b"\n" for value in values)

    def read(self, lines: bytes) -> list[Any]:
        """The values of lines. Words of a later version are passed over.

        Raises:
            DeltasInvalid: A line cannot be read; nothing of what it said is in the message.
        """
        found = []
        for number, line in enumerate(BytesIO(lines), 1):  # not all lines at once: that takes long
            try:
                word, plain = json.loads(line)
                if kind := self._kinds.get(word):
                    found.append(_reader(kind)(plain))
            except (ValueError, TypeError, KeyError, binascii.Error, RecursionError) as error:
                raise DeltasInvalid(f"line {number}: {type(error).__name__}") from None
        return found


def _plain(value: Any) -> Any:
    if isinstance(value, StrEnum):
        return value.value
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, bytes):
        return b64encode(value).decode("ascii")
    if isinstance(value, np.ndarray):
        little = value.astype(value.dtype.newbyteorder("<"))
        return [little.dtype.str, list(value.shape), b64encode(little.tobytes()).decode("ascii")]
    if isinstance(value, frozenset):
        return sorted(_plain(item) for item in value)
    if isinstance(value, Mapping):
        return {name: _plain(item) for name, item in value.items()}
    if is_dataclass(value):
        return [_plain(getattr(value, field.name)) for field in fields(value)]
    return [_plain(item) for item in value]


@lru_cache(maxsize=256)
def _reader(kind: Any) -> Read:
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, UnionType):
        return _optional_reader(parts)
    if origin is tuple:
        return _tuple_reader(parts)
    if origin is frozenset:
        of = _reader(parts[0])
        return lambda plain: frozenset(of(item) for item in _list(plain))
    if origin is Mapping:
        name_of, value_of = _reader(parts[0]), _reader(parts[1])
        return lambda plain: {name_of(name): value_of(item) for name, item in plain.items()}
    if origin is np.ndarray or kind is np.ndarray:
        return _array
    if is_dataclass(kind):
        return _dataclass_reader(kind)
    if kind is bytes:
        return lambda plain: b64decode(_checked(plain, str), validate=True)
    if kind is float:
        return lambda plain: float(_checked(plain, (int, float)))
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return kind
    if kind in (str, int, bool):
        return lambda plain: _checked(plain, kind)
    raise TypeError(f"no way to read {kind}")


def _optional_reader(parts: tuple[Any, ...]) -> Read:
    (of,) = (_reader(part) for part in parts if part is not NoneType)
    return lambda plain: None if plain is None else of(plain)


def _tuple_reader(parts: tuple[Any, ...]) -> Read:
    if len(parts) == 2 and parts[1] is Ellipsis:
        of = _reader(parts[0])
        return lambda plain: tuple(of(item) for item in _list(plain))
    each = [_reader(part) for part in parts]
    return lambda plain: tuple(of(item) for of, item in zip(each, _list(plain), strict=True))


def _dataclass_reader(kind: Any) -> Read:
    hints = get_type_hints(kind)
    known = fields(kind)
    each = [_reader(hints[field.name]) for field in known]
    needed = sum(_has_no_default(field) for field in known)

    def read(plain: Any) -> Any:
        if len(_list(plain)) < needed:
            raise ValueError("fields are missing")
        # Not strict: what a later version added stays unread, what it left out has a default.
        return kind(*(of(item) for of, item in zip(each, plain, strict=False)))

    return read


def _has_no_default(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _array(plain: Any) -> np.ndarray[Any, Any]:
    dtype, shape, data = plain
    if dtype not in ("<f2", "<f4", "<f8"):
        raise ValueError("numbers of another kind")
    numbers = np.frombuffer(b64decode(data, validate=True), dtype=dtype)
    return numbers.reshape(shape).copy()


def _list(plain: Any) -> list[Any]:
    if not isinstance(plain, list):
        raise TypeError("a list is wanted")
    return plain


def _checked(plain: Any, kind: Any) -> Any:
    if not isinstance(plain, kind) or (isinstance(plain, bool) and kind is not bool):
        raise TypeError(f"{kind} is wanted")
    return plain
