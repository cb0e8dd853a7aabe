from __future__ import annotations

import socket

from cluster.survival.listening import listening


def test_only_ports_that_somebody_listens_on_are_told_in_their_order() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as one,
        socket.create_server(("127.0.0.1", 0)) as other,
        socket.socket() as bound,
    ):
        bound.bind(("127.0.0.1", 0))  # taken, and nobody listens
        places = [each.getsockname() for each in (other, bound, one)]
        assert listening(places) == [places[0], places[2]]
    assert listening(places) == []
    assert listening([]) == []


def test_an_address_that_does_not_answer_holds_nobody_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as one:
        silent = ("192.0.2.77", 9)  # for documentation: nobody has it
        assert listening([silent, one.getsockname()], within_s=0.05) == [one.getsockname()]
