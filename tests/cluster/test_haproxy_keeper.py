"""A HAProxy that dies is stood in for at once, with a real HAProxy where there is one."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from cluster import haproxy_keeper, haproxy_signs, ports, serve_env
from cluster.haproxy_signs import ASK_EVERY_S, HUNG_S
from cluster.ports import free_port
from tests.support.haproxy_config import CONFIG

ME, OTHER, NOBODY, SILENCE = 7, 8, 0, None


@pytest.mark.parametrize(
    ("is_successor", "heard", "means"),
    [
        (False, [SILENCE], ["hangs"]),
        (False, [NOBODY, ME, ME, SILENCE], ["", "", "", "hangs"]),  # starts, lives, hangs
        (False, [ME, OTHER], ["", "replaced"]),
        (False, [ME, NOBODY, SILENCE], ["", "", ""]),  # it has left: that is another one
        (True, [SILENCE, OTHER, ME, SILENCE], ["", "", "", "hangs"]),
        (True, [OTHER, ME, OTHER], ["", "", "replaced"]),
    ],
)
def test_silence_is_held_against_whoever_has_the_socket(
    is_successor: bool, heard: list[int | None], means: list[str]
) -> None:
    suspicion = haproxy_signs.Suspicion(ME, is_successor=is_successor)
    assert [suspicion.heard(who) for who in heard] == means


def ask(port: int) -> int:
    """The status of an answer. Raises ``OSError`` when there is none."""
    with socket.create_connection(("127.0.0.1", port), 5.0) as client:
        client.sendall(b"GET / HTTP/1.0\r\n\r\n")
        return int((client.makefile("rb").readline().split() or [b"", b"0"])[1])


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10.0
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        threading.Event().wait(0.01)


class Kept:
    """HAProxy under a keeper, as Ray Serve starts it."""

    def __init__(self, folder: Path) -> None:
        self.port, self.admin = free_port(), folder / "admin.sock"
        self.folder = folder
        self.config = folder / "haproxy.cfg"
        self.config.write_text(
            CONFIG.format(
                admin=self.admin,
                metrics=free_port(),
                port=self.port,
                stats=free_port(),
                state=folder,
            )
        )
        self.program = haproxy_keeper.install(folder, serve_env.haproxy_binary())

    def start(self, *more: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([self.program, "-db", "-f", self.config, *more])

    def start_below(self) -> subprocess.Popen[bytes]:
        """Likewise, by a process that may die; returns that one, once HAProxy answers."""
        code = "import subprocess, sys; subprocess.run(sys.argv[1:])"
        command = [sys.executable, "-c", code, self.program, "-db", "-f", self.config]
        serve = subprocess.Popen(command, start_new_session=True)
        until(self.is_up)
        return serve

    def is_up(self) -> bool:
        return self.admin.exists() and haproxy_signs.answers(str(self.admin))

    def who_answers(self) -> int | None:
        reading, writing = os.pipe()
        try:
            return haproxy_signs.who_answers(str(self.admin), reading)
        finally:
            os.close(reading)
            os.close(writing)

    def connections(self, pid: int) -> list[object]:
        found = psutil.Process(pid).net_connections("tcp")
        return [each for each in found if each.status == "ESTABLISHED"]

    def ours(self) -> list[psutil.Process]:
        return [
            process
            for process in psutil.process_iter(["cmdline"])
            if any(str(self.folder) in word for word in process.info["cmdline"] or [])
        ]


@pytest.fixture
def kept() -> Iterator[Kept]:
    if not serve_env.haproxy_available():
        pytest.skip("no HAProxy for this platform")
    with tempfile.TemporaryDirectory(prefix="cc-keep-") as folder:
        found = Kept(Path(folder))
        try:
            yield found
        finally:
            for process in found.ours():
                with contextlib.suppress(psutil.Error):
                    process.kill()


@pytest.mark.e2e
def test_nobody_is_refused_when_haproxy_is_killed_and_its_successor_takes_over(kept: Kept) -> None:
    first = kept.start()
    until(kept.is_up)
    assert psutil.Process(first.pid).name() == "haproxy"  # the id that Serve knows
    assert str(kept.folder / "haproxy-kept.cfg") in psutil.Process(first.pid).cmdline()
    assert ask(kept.port) == 200
    first.kill()
    first.wait()
    assert not kept.is_up()  # so Serve finds its own one dead
    until(lambda: _answers(kept.port))
    assert ask(kept.port) == 200
    stand_ins = [p for p in kept.ours() if p.name() == "haproxy"]
    stand_ins[0].kill()  # it is no better protected than the one before
    until(lambda: _answers(kept.port))
    second = kept.start()
    until(kept.is_up)
    until(lambda: [p.pid for p in kept.ours() if p.name() == "haproxy"] == [second.pid])
    assert ask(kept.port) == 200


@pytest.mark.e2e
def test_one_that_dies_with_the_process_of_serve_is_stood_in_for_too(kept: Kept) -> None:
    """Ray ends the process group of a worker that dies."""
    serve = kept.start_below()
    os.killpg(serve.pid, signal.SIGKILL)
    serve.wait()
    until(lambda: _answers(kept.port))
    assert ask(kept.port) == 200
    second = kept.start()
    until(kept.is_up)
    until(lambda: [p.pid for p in kept.ours() if p.name() == "haproxy"] == [second.pid])
    assert ask(kept.port) == 200


@pytest.mark.e2e
def test_one_that_was_left_behind_is_ended_with_its_keeper(kept: Kept) -> None:
    """As a run that was killed leaves it: the next one wants the port."""
    serve = kept.start_below()
    serve.kill()
    serve.wait()
    assert len(ports.end_leftovers(str(kept.folder))) == 1
    ports.require_free([ports.WantedPort(kept.port, "calls", "CALLCLUSTER_PORT")])
    assert not kept.ours()


@pytest.mark.e2e
def test_a_stand_in_for_whom_nobody_comes_is_ended(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(haproxy_keeper, "NOBODY_COMES_S", 0.5)
    serve = kept.start_below()
    reading, writing = os.pipe()
    (haproxy,) = [p for p in kept.ours() if p.name() == "haproxy"]
    keeper = haproxy_keeper.Keeper(
        serve_env.haproxy_binary(), kept.config, haproxy.pid, serve.pid, reading, os.nice(0),
        is_successor=False,
    )  # fmt: skip
    for process in kept.ours():  # that of the program, too
        process.kill()
    serve.wait()
    os.close(writing)
    keeper.run()
    os.close(reading)
    assert not kept.ours()
    assert not _answers(kept.port)


@pytest.mark.e2e
def test_a_haproxy_that_hangs_is_ended_and_stood_in_for(kept: Kept) -> None:
    first = kept.start()
    until(kept.is_up)
    first.send_signal(signal.SIGSTOP)
    assert first.wait(15) == -signal.SIGKILL
    until(lambda: _answers(kept.port))
    second = kept.start()
    until(kept.is_up)
    until(lambda: [p.pid for p in kept.ours() if p.name() == "haproxy"] == [second.pid])
    assert ask(kept.port) == 200


@pytest.mark.e2e
def test_after_a_reload_nobody_stands_in(kept: Kept) -> None:
    first = kept.start()
    until(kept.is_up)
    second = kept.start("-sf", str(first.pid))
    assert first.wait(10) in (0, -signal.SIGTERM)
    until(lambda: [p.pid for p in kept.ours() if p.name() == "haproxy"] == [second.pid])
    assert ask(kept.port) == 200


@pytest.mark.e2e
def test_one_of_before_a_reload_that_hangs_is_ended(kept: Kept) -> None:
    first = kept.start()
    until(kept.is_up)
    with socket.create_connection(("127.0.0.1", kept.port)) as caller:
        caller.sendall(b"GET / HTTP/1.1\r\n")  # it stays for that
        until(lambda: bool(kept.connections(first.pid)))
        second = kept.start("-sf", str(first.pid))
        until(lambda: kept.who_answers() == second.pid)
        first.send_signal(signal.SIGSTOP)
        assert first.wait(15) == -signal.SIGKILL
    assert [p.pid for p in kept.ours() if p.name() == "haproxy"] == [second.pid]
    assert ask(kept.port) == 200


@pytest.mark.e2e
@pytest.mark.parametrize("is_known", [True, False])
def test_one_of_before_a_reload_is_ended_only_when_its_callers_find_somebody(
    kept: Kept, is_known: bool
) -> None:
    """They ask again the moment it is ended: not the one that hangs beside it."""
    first = kept.start()
    until(kept.is_up)
    if is_known:  # else its keeper has never heard of it when the next one is there
        threading.Event().wait(2 * ASK_EVERY_S)
    with socket.create_connection(("127.0.0.1", kept.port)) as caller:
        caller.sendall(b"GET / HTTP/1.1\r\n")
        until(lambda: bool(kept.connections(first.pid)))
        second = kept.start("-sf", str(first.pid))
        until(lambda: kept.who_answers() == second.pid)
        threading.Event().wait(2 * ASK_EVERY_S)
        first.send_signal(signal.SIGSTOP)
        threading.Event().wait(1.0)
        second.send_signal(signal.SIGSTOP)
        assert first.wait(15) == -signal.SIGKILL
        assert ask(kept.port) == 200
    assert second.wait(1) == -signal.SIGKILL


@pytest.mark.e2e
def test_a_stand_in_that_hangs_is_ended_and_another_one_takes_its_place(kept: Kept) -> None:
    first = kept.start()
    until(kept.is_up)
    first.kill()
    first.wait()
    until(lambda: _answers(kept.port))
    [stand_in] = [p for p in kept.ours() if p.name() == "haproxy"]
    stand_in.send_signal(signal.SIGSTOP)
    until(lambda: not stand_in.is_running() or stand_in.status() == psutil.STATUS_ZOMBIE)
    until(lambda: _answers(kept.port))


@pytest.mark.e2e
def test_a_stand_in_is_ended_only_when_its_callers_find_somebody(kept: Kept) -> None:
    first = kept.start()
    until(kept.is_up)
    first.kill()
    first.wait()
    until(lambda: _answers(kept.port))
    [stand_in] = [p for p in kept.ours() if p.name() == "haproxy"]
    with socket.create_connection(("127.0.0.1", kept.port)) as caller:
        caller.sendall(b"GET / HTTP/1.1\r\n")  # it stays for that
        until(lambda: bool(kept.connections(stand_in.pid)))
        second = kept.start()
        until(lambda: kept.who_answers() == second.pid)
        threading.Event().wait(2 * ASK_EVERY_S)  # until its keeper knows that it has a successor
        stand_in.send_signal(signal.SIGSTOP)
        threading.Event().wait(1.0)
        second.send_signal(signal.SIGSTOP)
        until(lambda: not stand_in.is_running() or stand_in.status() == psutil.STATUS_ZOMBIE)
        assert ask(kept.port) == 200
    assert second.wait(1) == -signal.SIGKILL


def test_who_was_held_for_long_enough_hangs_unless_the_watch_was_late() -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        try:
            stillness = haproxy_signs.Stillness(process.pid)
            assert not stillness.hangs(10.0)
            assert not stillness.hangs(10.0 + HUNG_S)
            process.send_signal(signal.SIGSTOP)
            until(lambda: psutil.Process(process.pid).status() == psutil.STATUS_STOPPED)
            looks = [20.0 + ASK_EVERY_S * number for number in range(5)]
            assert not any(stillness.hangs(now) for now in looks)
            assert not stillness.hangs(60.0)  # everything stood still
            looks = [60.0 + ASK_EVERY_S * number for number in range(1, 6)]
            assert [stillness.hangs(now) for now in looks] == [False] * 4 + [True]
            assert stillness.hangs(90.0)  # that is known
            process.send_signal(signal.SIGCONT)
            until(lambda: psutil.Process(process.pid).status() != psutil.STATUS_STOPPED)
            assert not stillness.hangs(90.0 + ASK_EVERY_S)
        finally:
            process.kill()


@pytest.mark.e2e
def test_of_several_that_die_together_one_is_stood_in_for(kept: Kept) -> None:
    first = kept.start()
    until(kept.is_up)
    second = kept.start()
    until(lambda: len([p for p in kept.ours() if p.name() == "haproxy"]) == 2)
    for process in (first, second):
        process.kill()
        process.wait()
    until(lambda: _answers(kept.port))
    until(lambda: len([p for p in kept.ours() if p.name() == "haproxy"]) == 1)


def test_on_a_full_disk_a_configuration_is_handed_on_in_memory(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    config = "global\n" * 10_000
    full, memory = haproxy_keeper.handed(config, Path("/dev/full"))
    for _ in range(2):  # a stand-in that dies is started again
        read = subprocess.run(["cat", full], pass_fds=memory, capture_output=True, check=True)
        assert read.stdout.decode() == config
    assert "No space left" in capfd.readouterr().err
    for descriptor in memory:
        os.close(descriptor)
    path = tmp_path / "c.cfg"
    assert haproxy_keeper.handed(config, path) == (str(path), ())
    assert path.read_text() == config


@pytest.mark.e2e
def test_haproxy_reads_what_no_disk_has_room_for(
    kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "with_name", lambda _path, _name: Path("/dev/full"))
    config = haproxy_keeper.keep_config(kept.config)
    memory = int(Path(config).name)
    command = [serve_env.haproxy_binary(), "-c", "-f", config]
    assert subprocess.run(command, pass_fds=(memory,), check=False).returncode == 0
    os.close(memory)


@pytest.mark.e2e
def test_a_configuration_that_is_gone_by_then_is_stood_in_for_as_it_was(kept: Kept) -> None:
    first = kept.start()
    until(kept.is_up)
    kept.config.write_text("")  # a full disk took the next one's
    first.kill()
    first.wait()
    until(lambda: _answers(kept.port))


@pytest.mark.e2e
def test_who_cannot_hold_the_address_says_so(kept: Kept, capfd: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as other:  # lets nobody share it
        other.bind(("127.0.0.1", kept.port))
        first = kept.start()
        first.wait(10)
        said = ""

        def is_said() -> bool:
            nonlocal said
            said += capfd.readouterr().err
            return f"127.0.0.1:{kept.port} cannot be held" in said

        until(is_said)


def _answers(port: int) -> bool:
    try:
        return ask(port) == 200
    except OSError:
        return False


Answer = Callable[[socket.socket], None]


class AdminSocket:
    """Takes one question at an admin socket and answers as it is told to."""

    def __init__(self, folder: Path, answer: Answer) -> None:
        self.path = str(folder / "admin.sock")
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(self.path)
        self._listener.listen()
        self._answer = answer
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def _serve(self) -> None:
        taken, _ = self._listener.accept()
        with taken:
            self._answer(taken)

    def who(self, lifeline: int) -> int | None:
        self._thread.start()
        with self._listener:
            found = haproxy_signs.who_answers(self.path, lifeline)
            self._thread.join()
        return found


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("said", "pid"),
    [
        ((b"Name: HAProxy\nPid: 421\nUptime: 0\n",), 421),
        ((b"Name: HAProxy\nPid: 4", b"21\nUptime: 0\n"), 421),
        ((b"Permission denied\n",), 0),
        ((), 0),
    ],
)
def test_whoever_answers_names_itself(tmp_path: Path, said: tuple[bytes, ...], pid: int) -> None:
    def answer(taken: socket.socket) -> None:
        taken.recv(100)
        for part in said:
            taken.sendall(part)

    reading, writing = os.pipe()
    assert AdminSocket(tmp_path, answer).who(reading) == pid
    os.close(reading)
    os.close(writing)


@pytest.mark.e2e
def test_silence_is_not_held_against_one_that_dies(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    admin = AdminSocket(tmp_path, lambda _taken: os.close(writing))
    assert admin.who(reading) == 0
    os.close(reading)
    assert haproxy_signs.who_answers(str(tmp_path / "nobody"), 0) == 0


def test_the_program_runs_without_anything_but_the_standard_library(tmp_path: Path) -> None:
    """Also what is not to serve: a question for the version goes to the binary as it is."""
    told = tmp_path / "told"
    told.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/out\n')
    told.chmod(0o700)
    program = haproxy_keeper.install(tmp_path, str(told))
    subprocess.run([program, "-v"], check=True, env={"PATH": os.environ["PATH"]})
    assert (tmp_path / "out").read_text() == "-v\n"
    assert str(sys.executable) in program.read_text()


def test_what_haproxy_is_started_from_does_not_grow_old(tmp_path: Path) -> None:
    """Cleaners of temporary folders take files by their age, and without them nothing starts."""
    launcher = haproxy_keeper.install(tmp_path, "/bin/true")
    (tmp_path / "other").write_text("somebody's")
    config = tmp_path / "hash" / "haproxy.cfg"
    config.parent.mkdir()
    error_file = config.with_name("500.http")
    for path in (config, error_file):
        path.write_text("x")
    files = (launcher, config, error_file, tmp_path / "other")
    for path in files:
        os.utime(path, (1_000.0, 1_000.0))
    haproxy_keeper.keep_young(config)
    assert [path.stat().st_mtime > 1_000.0 for path in files] == [True, True, True, False]
    haproxy_keeper.keep_young(tmp_path / "gone" / "haproxy.cfg")  # nothing there: no error
