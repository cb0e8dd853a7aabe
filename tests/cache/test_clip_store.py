from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from cache.clip_file import ClipFolder, encode
from cache.clip_store import ClipStore
from cache.clips import Clip, ClipCache
from tests.support.virtual_time import run

KEY = b"k" * 16
CLIP = Clip(b"audio", ((1, 0.1),))


class Maker:
    """Takes a second to make ``CLIP``; fails while ``error`` is set."""

    def __init__(self) -> None:
        self.calls = 0
        self.cancelled = 0
        self.error: Exception | None = None

    async def __call__(self) -> Clip:
        self.calls += 1
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if self.error is not None:
            raise self.error
        return CLIP


async def inline(work: Callable[[], Clip | None]) -> Clip | None:
    """Disk work on the loop itself: threads do not stop virtual time."""
    return work()


def new_store(folder: ClipFolder | None = None, max_bytes: int = 10_000) -> ClipStore:
    return ClipStore(ClipCache(max_bytes), folder, run_blocking=inline)


def test_made_once_for_all_who_ask_at_the_same_time() -> None:
    async def main() -> None:
        store, maker = new_store(), Maker()
        asked = [store.get_or_make(KEY, maker) for _ in range(5)]
        assert await asyncio.gather(*asked) == [CLIP] * 5
        assert await store.get_or_make(KEY, maker) == CLIP
        assert store.get(KEY) == CLIP
        assert maker.calls == 1

    run(main())


def test_different_keys_are_made_side_by_side() -> None:
    async def main() -> None:
        store, maker = new_store(), Maker()
        began = asyncio.get_running_loop().time()
        await asyncio.gather(*(store.get_or_make(bytes([n]) * 16, maker) for n in range(3)))
        assert asyncio.get_running_loop().time() - began == pytest.approx(1)
        assert maker.calls == 3

    run(main())


def test_an_error_reaches_all_who_wait_and_is_not_kept() -> None:
    async def main() -> None:
        store, maker = new_store(), Maker()
        maker.error = ZeroDivisionError()
        asked = [store.get_or_make(KEY, maker) for _ in range(2)]
        results = await asyncio.gather(*asked, return_exceptions=True)
        assert [type(result) for result in results] == [ZeroDivisionError] * 2
        maker.error = None
        assert await store.get_or_make(KEY, maker) == CLIP
        assert maker.calls == 2

    run(main())


def test_one_who_leaves_does_not_take_the_clip_from_the_others() -> None:
    async def main() -> None:
        store, maker = new_store(), Maker()
        first = asyncio.create_task(store.get_or_make(KEY, maker))
        second = asyncio.create_task(store.get_or_make(KEY, maker))
        await asyncio.sleep(0.5)
        first.cancel()
        assert await second == CLIP
        assert (maker.calls, maker.cancelled) == (1, 0)

    run(main())


def test_when_all_have_left_the_making_stops() -> None:
    async def main() -> None:
        store, maker = new_store(), Maker()
        asked = [asyncio.create_task(store.get_or_make(KEY, maker)) for _ in range(2)]
        await asyncio.sleep(0.5)
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
        assert await store.get_or_make(KEY, maker) == CLIP
        assert (maker.calls, maker.cancelled) == (2, 1)

    run(main())


def test_a_restart_does_not_make_it_again(tmp_path: Path) -> None:
    async def main() -> None:
        maker = Maker()
        await new_store(ClipFolder(tmp_path)).get_or_make(KEY, maker)
        assert await new_store(ClipFolder(tmp_path)).get_or_make(KEY, maker) == CLIP
        assert maker.calls == 1

    run(main())


def test_a_broken_file_is_said_and_made_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def fill_memory() -> int:
        maker = Maker()
        assert await new_store(ClipFolder(tmp_path)).get_or_make(KEY, maker) == CLIP
        return maker.calls

    with caplog.at_level(logging.WARNING):
        run(fill_memory())
        (file,) = tmp_path.rglob("*.clip")
        file.write_bytes(file.read_bytes()[:-1])
        assert run(fill_memory()) == 1
    assert ClipFolder(tmp_path).read(KEY) == CLIP
    assert "made anew" in caplog.text


def test_a_failing_disk_is_said_once_and_costs_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("in the way")

    async def main() -> None:
        store, maker = new_store(ClipFolder(tmp_path / "file")), Maker()
        for number in range(3):
            assert await store.get_or_make(bytes([number]) * 16, maker) == CLIP

    with caplog.at_level(logging.WARNING):
        run(main())
    assert len(caplog.records) == 1


def test_a_pinned_clip_stays() -> None:
    async def main() -> None:
        store, maker = new_store(max_bytes=2 * CLIP.size_bytes), Maker()
        await store.get_or_make(KEY, maker, pin=True)
        for number in range(5):
            await store.get_or_make(bytes([number]) * 16, maker)
        assert store.get(KEY) == CLIP

    run(main())


def test_a_clip_larger_than_the_memory_is_made_and_given_all_the_same() -> None:
    async def main() -> None:
        store = new_store(max_bytes=1)
        assert await store.get_or_make(KEY, Maker()) == CLIP
        assert store.get(KEY) is None

    run(main())


def test_the_folder_is_bounded_at_once_and_every_hour_and_keeps_what_is_in_memory(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        folder, others = ClipFolder(tmp_path), [bytes([n]) * 16 for n in range(5)]
        store = new_store(folder)
        await store.get_or_make(KEY, Maker(), pin=True)
        pinned = tmp_path / KEY.hex()[:2] / f"{KEY.hex()}.clip"
        room = 3 * len(encode(KEY, CLIP))

        def write() -> None:
            for age, key in enumerate(others):
                folder.write(key, CLIP)
                used_at = time.time() - 60.0 * (age + 1)
                os.utime(tmp_path / key.hex()[:2] / f"{key.hex()}.clip", (used_at, used_at))
            os.utime(pinned, (0, 0))  # read at the start of the process, long ago

        def there() -> list[bool]:
            return [(tmp_path / k.hex()[:2] / f"{k.hex()}.clip").exists() for k in (KEY, *others)]

        write()
        chore = asyncio.get_running_loop().create_task(store.bound(room))
        for _ in range(2):
            await asyncio.sleep(1.0)
            assert there() == [True, True, True, False, False, False]
            write()
            await asyncio.sleep(3_500.0)
            assert there() == [True] * 6, "not yet"
            await asyncio.sleep(99.0)
        chore.cancel()

    run(main(), limit_s=10_000.0)


def test_a_folder_that_cannot_be_swept_is_said_once_and_swept_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(ClipFolder):
        def sweep(self, most_bytes: int) -> int:
            raise PermissionError(13, "Permission denied")

    async def main() -> None:
        chore = asyncio.get_running_loop().create_task(new_store(Broken(tmp_path)).bound(0))
        await asyncio.sleep(10_000.0)
        assert not chore.done()
        chore.cancel()

    with caplog.at_level(logging.WARNING):
        run(main(), limit_s=20_000.0)
    assert len(caplog.records) == 1


def test_a_store_without_a_folder_has_nothing_to_sweep() -> None:
    run(new_store().sweep(0))
