"""What HAProxy is told beside what Ray Serve tells it, and what one that stands in is told.

Text in, text out. What Serve's configuration lacks is for replicas whose node is gone without a
word. Their connections are given up after ``UNHEARD_MS``, and with them the callers': the carrier
would go on sending for a quarter of an hour. Whether they answer is waited for no longer than
``CHECK_MS``. And no webhook takes a connection that lay idle: it may lead there.

A replica that dies between a question and its answer leaves it open, and Serve has that answered
with 500, on which the carrier gives the call up. So another replica is asked what asks again
without harm: what is only read (a socket that is opened among it), and the carrier's questions,
which get the answer that they got, or one as good (``cluster.voice_routes``, ``resume_routes``).
Of what anybody else posts, a call to be placed above all, nobody knows whether it was done.

Who sends half a request is waited for ``HEAD_MS``, not for as long as a call may take. What HAProxy
logs goes to the machine's syslog: it ends before the question mark, and of relayed calls, whose
token is a part of the path, nothing is logged.

Serve watches every request for a client that goes away, with tasks and a queue of its own, and then
cancels whoever serves it; what that leaves of a call waits for the garbage collector. The sockets
of calls notice it themselves (``cluster.accepted_socket``), so Serve is told to leave them alone.

Only the standard library: ``cluster.haproxy_keeper`` runs without any other package.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# A frame goes to the replica every 20 ms; its kernel acknowledges each, however busy it is.
UNHEARD_MS = 2_000
CHECK_MS = 750
HEAD_MS = 5_000
_FRONTEND = "http_frontend"
# Their ports are the successor's, and nobody asks a stand-in for its figures.
_LEFT_OUT = frozenset({"frontend prometheus", "listen stats"})
_SECTION = re.compile(r"^(global|defaults|frontend|backend|listen)\b")
# HAProxy's own format of HTTP but for the headers and the question's end (`%HPO` for `%r`): numbers
# that somebody asks for and tokens of the carrier's way back stand there, and logs are for others.
_LOG = (
    'log-format "%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %tsc %ac/%fc/%bc/%sc/%rc '
    '%sq/%bq %HM %HPO"'
)
_DEFAULTS_WITHOUT = r"^defaults$(?!(?:\n[ \t].*)*?\n[ \t]+{})"
_KEPT = (
    # Not in `default-server`, from which no server takes it (HAProxy 2.6 and 2.8).
    (r"^(\s+server \S+ \S+:\d+ check)(?!.* tcp-ut )(.*)$", rf"\1 tcp-ut {UNHEARD_MS}ms\2"),
    (_DEFAULTS_WITHOUT.format("timeout check "), rf"defaults\n    timeout check {CHECK_MS}ms"),
    (
        _DEFAULTS_WITHOUT.format("timeout http-request "),
        f"defaults\n    timeout http-request {HEAD_MS}ms",
    ),
    (r"^(\s+)option httplog$", rf"\1{_LOG}"),
    (r"^(\s+)http-reuse always$", r"\1http-reuse never"),
)
# What is asked again is sent from memory, so the carrier's forms are waited for first: as long as
# the product itself would wait (`request_body`).
_ASKED_AGAIN = """
    retry-on conn-failure empty-response junk-response
    http-request wait-for-body time 3s if METH_POST { path_beg /twilio/ }
    http-request disable-l7-retry if !METH_GET !{ path_beg /twilio/ }"""
# For Ray Serve, `SERVE_HTTP_REQUEST_DISCONNECT_DISABLED_HEADER`: a boolean of RFC 8941.
_WATCHED_BY_US = """
    acl of_call path_beg /twilio/
    acl socket hdr(upgrade) -i websocket
    http-request set-header x-request-disconnect-disabled ?1 if of_call socket
    http-request set-log-level silent if { path_beg /twilio/relay/ }"""
_OF_A_BACKEND = re.compile(r"^\s+http-reuse always$", re.MULTILINE)
_RETRIES_OF_ITS_OWN = re.compile(r"^\s+retry-on (?!conn-failure$)", re.MULTILINE)
_BIND = re.compile(r"^(\s+bind )(\S*):(\d+)(.*)$")


@dataclass(frozen=True, slots=True)
class StandIn:
    """A configuration for a HAProxy that stands in.

    Attributes:
        text: The configuration, where ``{fd}`` is the number of the listening socket.
        host: Where it listens.
        port: Likewise.
        admin: The admin socket of the one that it stands in for.
    """

    text: str
    host: str
    port: int
    admin: str


def stand_in(config: str) -> StandIn | None:
    """The configuration of a stand-in; None when the address or the admin socket is not found.

    Args:
        config: That of the HAProxy that has died.
    """
    kept: list[str] = []
    section, admin, address = "", "", ("", 0)
    for line in config.splitlines():
        if _SECTION.match(line):
            section = " ".join(line.split()[:2])
        words = line.split()
        if section in _LEFT_OUT:
            continue
        if words[:2] == ["stats", "socket"]:
            admin = words[2]
            continue
        if words and words[0] in {"server-state-base", "server-state-file"}:
            continue
        if words and words[0] == "load-server-state-from-file":
            continue
        if section == f"frontend {_FRONTEND}" and (bind := _BIND.match(line)):
            address = bind[2], int(bind[3])
            kept.append(f"{bind[1]}fd@{{fd}}{bind[4]}")
            continue
        kept.append(line.replace("{", "{{").replace("}", "}}"))
    if not admin or not address[1]:
        return None
    return StandIn("\n".join(kept) + "\n", *address, admin)


def kept_config(config: str) -> str:
    """Serve's configuration with what it lacks; a `retry-on` that a person has chosen stays."""
    if not _RETRIES_OF_ITS_OWN.search(config):
        config = _OF_A_BACKEND.sub(rf"\g<0>{_ASKED_AGAIN}", config)
    config = _OF_A_BACKEND.sub(rf"\g<0>{_WATCHED_BY_US}", config)
    for pattern, kept in _KEPT:
        config = re.sub(pattern, kept, config, flags=re.MULTILINE)
    return config
