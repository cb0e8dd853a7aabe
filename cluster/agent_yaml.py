"""YAML as people write it, read strictly: a field that stands there twice is a mistake.

YAML itself takes the last one and says nothing; an agent would then follow half of its file.
"""

from __future__ import annotations

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from cluster.errors import AgentFileError

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


def read_yaml(path: Path) -> object:
    """What a file says. Raises ``AgentFileError``."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _StrictLoader)  # noqa: S506 - is safe
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise AgentFileError(f"{path}: cannot be read: {error}") from None
    except RecursionError:
        raise AgentFileError(f"{path}: cannot be read: too many brackets in brackets") from None
