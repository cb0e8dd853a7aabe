"""YAML as people write it, read strictly: a field that stands there twice is a mistake.

YAML itself takes the last one and says nothing; an agent would then follow half of its file.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from cluster.errors import AgentFileError

_HINTS = {
    "mapping values are not allowed": ": a text with a colon in it goes in quotes, or below '|'",
    "'\\t'": ": indent with blanks, not with tabs",
}
_MERGE = "tag:yaml.org,2002:merge"


class _StrictLoader(yaml.SafeLoader):
    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        found: set[Hashable] = set()
        for name_node, _ in node.value:
            if name_node.tag == _MERGE or not isinstance(name_node, yaml.ScalarNode):
                continue
            name = self.construct_object(name_node)
            if name in found:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{name!r} stands here twice", name_node.start_mark
                )
            found.add(name)
        return super().construct_mapping(node, deep)


@dataclass(frozen=True, slots=True)
class YamlFile:
    """A file that could be read.

    Attributes:
        path: Where it is.
        content: What it says.
        root: The same with its lines; None when it is empty.
    """

    path: Path
    content: object
    root: yaml.Node | None

    def at(self, place: Sequence[str | int]) -> str:
        """Path and line of a place, as editors and compilers write them; as near as there is."""
        node, line = self.root, 0
        for part in place:
            found = _child(node, part)
            if found is None:
                break
            line, node = found
        return f"{self.path}:{line}" if line else str(self.path)


def _child(node: yaml.Node | None, part: str | int) -> tuple[int, yaml.Node] | None:
    """Line and value of one step down."""
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if isinstance(name, yaml.ScalarNode) and name.value == str(part):
                return name.start_mark.line + 1, value
    if isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        value = node.value[part]
        return value.start_mark.line + 1, value
    return None


def read_yaml(path: Path) -> YamlFile:
    """What a file says. Raises ``AgentFileError``."""
    try:
        loader = _StrictLoader(path.read_text(encoding="utf-8"))
        root = loader.get_single_node()
        content = None if root is None else loader.construct_document(root)
    except OSError as error:
        raise AgentFileError(f"{path}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise AgentFileError(f"{path}: cannot be read: not UTF-8") from None
    except yaml.YAMLError as error:
        raise AgentFileError(_not_yaml(path, error)) from None
    except RecursionError:
        raise AgentFileError(f"{path}: cannot be read: too many brackets in brackets") from None
    return YamlFile(path, content, root)


def _not_yaml(path: Path, error: yaml.YAMLError) -> str:
    mark: yaml.Mark | None = getattr(error, "problem_mark", None)
    problem = str(getattr(error, "problem", None) or error)
    where = f"{path}:{mark.line + 1}" if mark is not None else str(path)
    hint = next((hint for part, hint in _HINTS.items() if part in problem), "")
    return f"{where}: cannot be read: {' '.join(problem.split())}{hint}"
