"""The folder of HAProxy's files lies where others may have put something before."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cluster.errors import ClusterError
from cluster.serve_env import make_own_folder


def test_it_is_made_and_found_again_for_its_user_only(tmp_path: Path) -> None:
    folder = tmp_path / "callcluster-me-8000"
    make_own_folder(folder)
    folder.chmod(0o777)
    make_own_folder(folder)
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_link_or_a_file_in_its_place_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o755)
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "file").touch()
    for name in ("link", "file"):
        with pytest.raises(ClusterError, match="not a folder of this user's"):
            make_own_folder(tmp_path / name)
    assert (tmp_path / "elsewhere").stat().st_mode & 0o777 == 0o755


def test_a_folder_of_somebody_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "theirs").mkdir()
    uid = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: uid + 1)
    with pytest.raises(ClusterError, match="theirs"):
        make_own_folder(tmp_path / "theirs")
