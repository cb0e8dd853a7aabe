"""What can be wrong with a set-up or a placement, in one tree.

ClusterError
├── SettingsError        a setting is missing or contradicts another; names it
├── AgentFileError       an agent's YAML file cannot be used; names file and field
├── PortInUseError       somebody else listens where we must
├── NoClusterError       no Ray cluster runs on this machine
├── NoCacheFileError     nor is there a file of the response cache
├── NoCapacityError      no CallActor has a free slot for this call
├── ApiRefusedError      the API of a running cluster said no, with a code
├── ApiUnreachableError  it did not answer, or not as an API of ours does
└── DemoFailed           a process of the demo did not start or died; shows what it said last
"""

from __future__ import annotations


class ClusterError(Exception):
    """Base of everything this room raises on purpose."""


class SettingsError(ClusterError):
    """A setting is missing, malformed or contradicts another one."""


class AgentFileError(ClusterError):
    """An agent definition cannot be loaded."""


class PortInUseError(ClusterError):
    """A port that we must listen on is taken."""


class NoClusterError(ClusterError):
    """No Ray cluster runs on this machine."""


class NoCacheFileError(ClusterError):
    """No cluster runs on this machine, and no response cache was kept here."""


class NoCapacityError(ClusterError):
    """Every slot of the cluster is taken."""


class ApiRefusedError(ClusterError):
    """The API of a running cluster said no.

    Args:
        message: Its words.
        code: Its error code, such as ``unknown_agent``; empty when it gave none.
        status: The HTTP status.
    """

    def __init__(self, message: str = "", code: str = "", status: int = 0) -> None:
        super().__init__(message, code, status)
        self.message = message
        self.code = code
        self.status = status

    def __str__(self) -> str:
        return self.message


class ApiUnreachableError(ClusterError):
    """Nothing answers at the address of the API, or something else than the product does."""


class DemoFailed(ClusterError):
    """A process of the demo did not start, or died; the message shows the end of its log."""
