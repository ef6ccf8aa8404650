"""The token is kept where its owner alone can read it, and is another one wherever that is not so."""

import os
import stat

import pytest

from riemopt.explore.token import token

posix = pytest.mark.skipif(not hasattr(os, "getuid"), reason="owners and modes of files are those of POSIX")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    path = tmp_path / "cache"
    monkeypatch.setenv("RIEMOPT_CACHE", str(path))
    return path


@posix
def test_the_token_is_kept_for_its_owner_alone(folder):
    first = token()
    assert token() == first and len(first) >= 32
    assert stat.S_IMODE((folder / "explore_token").stat().st_mode) == 0o600


@posix
def test_a_token_that_others_could_have_read_is_not_used(folder):
    kept = token()
    (folder / "explore_token").chmod(0o644)
    assert token() != kept


@posix
def test_in_a_folder_that_others_can_write_to_nothing_is_kept(folder):
    folder.mkdir()
    folder.chmod(0o777)
    assert token() != token()
    assert not list(folder.iterdir())


@posix
def test_a_link_is_not_followed(folder, tmp_path):
    folder.mkdir(mode=0o700)
    (tmp_path / "elsewhere").write_text("")
    (folder / "explore_token").symlink_to(tmp_path / "elsewhere")
    assert token() != token()
    assert (tmp_path / "elsewhere").read_text() == ""


@pytest.mark.parametrize("content", ["", "short", "x" * 99, "spaces in it " * 3])
def test_what_is_no_token_is_replaced(folder, content):
    token()
    (folder / "explore_token").write_text(content)
    fresh = token()
    assert fresh != content and token() == fresh
