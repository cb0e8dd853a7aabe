"""When a call gets another session, and when it gives the service up."""

from __future__ import annotations

from providers.errors import ProviderBusy, ProviderRefused, ProviderUnavailable
from providers.realtime.keeper import KeeperPolicy, SessionKeeper

GONE = ProviderUnavailable("gone", "openai_realtime")


def test_the_first_loss_is_made_good_at_once_and_later_ones_after_a_pause() -> None:
    keeper = SessionKeeper(KeeperPolicy(), now=0.0)
    keeper.up(now=0.5)
    assert keeper.failed(GONE, now=10.0) == 0.0
    assert keeper.failed(GONE, now=10.1) == 0.25
    assert keeper.failed(GONE, now=10.5) is None
    assert (keeper.lost, keeper.why) == (1, "openai_realtime: gone")


def test_a_reply_that_was_heard_begins_the_count_anew() -> None:
    keeper = SessionKeeper(KeeperPolicy(), now=0.0)
    for number in range(10):
        keeper.up(now=float(number))
        keeper.answered()
        assert keeper.failed(GONE, now=number + 0.5) == 0.0
    assert keeper.lost == 10


def test_what_asking_again_cannot_mend_ends_it_at_once() -> None:
    keeper = SessionKeeper(KeeperPolicy(), now=0.0)
    assert keeper.failed(ProviderRefused("no key"), now=0.1) is None


def test_nobody_waits_through_a_long_silence() -> None:
    keeper = SessionKeeper(KeeperPolicy(hopeless_after_s=6.0), now=0.0)
    assert keeper.failed(GONE, now=4.0) == 0.0
    assert keeper.failed(GONE, now=6.0) is None


def test_a_service_that_says_when_to_come_back_is_heard() -> None:
    keeper = SessionKeeper(KeeperPolicy(), now=0.0)
    busy = ProviderBusy("busy", "openai_realtime", "", 0.8)
    assert keeper.failed(busy, now=0.1) == 0.0
    assert keeper.failed(busy, now=0.2) == 0.8


def test_a_session_is_replaced_ahead_of_its_longest_time() -> None:
    keeper = SessionKeeper(KeeperPolicy(session_s=3_300.0, overdue_s=180.0), now=0.0)
    assert not keeper.is_old(now=9_999.0, is_quiet=True)
    keeper.up(now=100.0)
    assert not keeper.is_old(now=3_399.0, is_quiet=True)
    assert keeper.is_old(now=3_400.0, is_quiet=True)
    assert not keeper.is_old(now=3_579.0, is_quiet=False)
    assert keeper.is_old(now=3_580.0, is_quiet=False)


def test_a_newer_session_that_cannot_be_had_is_asked_for_again_after_a_while() -> None:
    policy = KeeperPolicy(session_s=100.0, renew_pause_s=10.0)
    keeper = SessionKeeper(policy, now=0.0)
    keeper.up(now=0.0)
    assert keeper.is_old(now=100.0, is_quiet=True)
    keeper.not_renewed(ProviderUnavailable("refused", "p"), now=100.0)
    assert not keeper.is_old(now=109.9, is_quiet=True)
    assert keeper.is_old(now=110.0, is_quiet=True)
    keeper.not_renewed(ProviderBusy("later", "p", retry_after_s=60.0), now=110.0)
    assert not keeper.is_old(now=169.0, is_quiet=True)
    assert keeper.is_old(now=170.0, is_quiet=True)


def test_a_service_that_wants_to_be_left_alone_for_an_hour_is_given_up() -> None:
    keeper = SessionKeeper(KeeperPolicy(), now=0.0)
    later = ProviderBusy("503", "p", retry_after_s=3_600.0)
    assert keeper.failed(later, now=0.1) == 0.0
    assert keeper.failed(later, now=0.2) is None
