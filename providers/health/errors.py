"""What can be wrong with data about health.

HealthError
├── HealthDataInvalid     a board, a delta or a report that cannot be read
└── UnitKeyInvalid        a key that names no unit
"""

from __future__ import annotations


class HealthError(Exception):
    """Data about health is not usable."""


class HealthDataInvalid(HealthError):
    """A board, a delta or a report does not have the shape of any version we know."""


class UnitKeyInvalid(HealthError):
    """A key does not name a unit of health."""
