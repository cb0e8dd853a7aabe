"""What may be wrong with any element of TwiML: attributes, text, children, values."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from urllib.parse import urlsplit

from simulation.carrier_messages import Violation

SCHEMA = 12200
"""An unknown verb or attribute, or a value outside its set."""

_METHODS = {"GET", "POST"}


class ElementCheck:
    """Checks elements of one document and gathers what is wrong in ``warnings``."""

    def __init__(self) -> None:
        self.warnings: list[Violation] = []

    def warn(self, code: int, detail: str) -> None:
        """Note something; the rest runs."""
        self.warnings.append(Violation(code, detail))

    def attributes(self, element: ET.Element, known: set[str]) -> None:
        """Every attribute is known."""
        for name in element.attrib.keys() - known:
            self.warn(SCHEMA, f"<{element.tag}> has no attribute {name[:40]!r}")

    def no_text(self, element: ET.Element) -> None:
        """Holds elements only."""
        if (element.text or "").strip() or any((child.tail or "").strip() for child in element):
            self.warn(SCHEMA, f"<{element.tag}> holds text where only elements belong")

    def no_children(self, element: ET.Element) -> None:
        """Holds text only."""
        if len(element):
            self.warn(SCHEMA, f"<{element[0].tag}> does not belong in <{element.tag}>")

    def method(self, element: ET.Element, name: str = "method", code: int = SCHEMA) -> str:
        """GET or POST; POST when it is neither."""
        method = element.get(name, "POST")
        if method not in _METHODS:
            self.warn(code, f"<{element.tag}> {name} is GET or POST, not {method[:20]!r}")
            return "POST"
        return method

    def number(self, element: ET.Element, name: str, default: int, code: int = SCHEMA) -> int:
        """A whole number; ``default`` when it is none."""
        value = element.get(name)
        if value is None:
            return default
        # int() also takes underscores and signs; TwiML takes digits.
        if not (value.isascii() and value.isdigit() and len(value) <= 6):
            self.warn(code, f"<{element.tag}> {name} is a whole number, not {value[:20]!r}")
            return default
        return int(value)

    def flag(self, element: ET.Element, name: str, code: int = SCHEMA) -> bool:
        """``true`` or ``false``; False when it is neither."""
        value = element.get(name, "false")
        if value not in {"true", "false"}:
            self.warn(code, f"<{element.tag}> {name} is true or false, not {value[:20]!r}")
        return value == "true"

    def choice(self, element: ET.Element, name: str, choices: tuple[str, ...]) -> str:
        """One of ``choices``; the first when it is none."""
        value = element.get(name, choices[0])
        if value not in choices:
            self.warn(
                SCHEMA, f"<{element.tag}> {name} is {' or '.join(choices)}, not {value[:20]!r}"
            )
            return choices[0]
        return value

    def words(
        self, element: ET.Element, name: str, known: tuple[str, ...], default: tuple[str, ...]
    ) -> tuple[str, ...]:
        """A list of known words with blanks between; ``default`` when it is absent."""
        value = element.get(name)
        if value is None:
            return default
        words = tuple(value.split())
        for word in set(words) - set(known):
            self.warn(SCHEMA, f"<{element.tag}> {name} knows no {word[:20]!r}")
        return tuple(word for word in words if word in known)

    def callback(self, element: ET.Element, name: str, code: int = SCHEMA) -> str:
        """An absolute http(s) URL; empty when it is absent or something else."""
        value = element.get(name, "")
        if value and urlsplit(value).scheme not in {"http", "https"}:
            self.warn(code, f"<{element.tag}> {name} is an absolute http(s) URL")
            return ""
        return value
