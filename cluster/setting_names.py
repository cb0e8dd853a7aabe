"""Variables that look like ours and mean nothing: what a misspelt one was to set has its default.

Only names that begin with ``CALLCLUSTER_`` are judged: whose the others are cannot be known.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values
from pydantic import AliasChoices

from cluster.secret_variables import PREFIX as SECRET_PREFIX
from cluster.settings import Settings

PREFIX = "CALLCLUSTER_"
_CLOSE = 0.8  # of difflib: two letters of some ten may differ


def setting_names() -> frozenset[str]:
    """Every variable that is read as a setting."""
    names = set()
    for name, field in Settings.model_fields.items():
        names.add(f"{PREFIX}{name.upper()}")
        if isinstance(field.validation_alias, AliasChoices):
            names |= {str(choice).upper() for choice in field.validation_alias.choices}
    return frozenset(names)


def written_names(
    environment: Mapping[str, str] = os.environ, env_file: Path = Path(".env")
) -> list[str]:
    """Names of the environment and of ``.env``; a file that cannot be read has none."""
    try:
        in_file = dotenv_values(env_file) if env_file.is_file() else {}
    except (OSError, UnicodeDecodeError):
        in_file = {}  # said by whoever reads the settings in it
    return sorted({*environment, *in_file})


@dataclass(frozen=True, slots=True)
class UnknownName:
    """A variable that looks like one of ours.

    Attributes:
        name: As it is written.
        nearest: A variable that is read and much like it; empty for none.
    """

    name: str
    nearest: str = ""

    @property
    def found(self) -> str:
        """What to say of it, after its name."""
        return "is read by nobody" + (f": is {self.nearest} meant?" if self.nearest else "")


def unknown_names(names: Iterable[str], options: Collection[str] = ()) -> list[UnknownName]:
    """Those that begin like ours and that nobody reads.

    Args:
        names: As they stand in the environment or in ``.env``.
        options: Variables of the commands' options, which are no settings.
    """
    known = setting_names() | {*options}
    unknown = []
    for name in names:
        upper = name.upper()
        if upper.startswith(PREFIX) and upper not in known and not upper.startswith(SECRET_PREFIX):
            near = difflib.get_close_matches(upper, known, n=1, cutoff=_CLOSE)
            unknown.append(UnknownName(name, *near))
    return unknown
