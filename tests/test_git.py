"""The one door for git: what a user has configured or exported bends nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp import git
from idp.errors import InvalidInput, NotFound
from idp.proc import CommandFailed

from .service.stories import build_tree, commit_all
from .service.stories import git as plain_git


@pytest.fixture
def repo(tmp_path: Path) -> git.Repo:
    plain_git(tmp_path, "init", "--quiet", "repo")
    build_tree(tmp_path / "repo", {"a.txt": "one\n", "sub/ü b.txt": "two\n"})
    commit_all(tmp_path / "repo", "first")
    return git.find(tmp_path / "repo")


@pytest.mark.parametrize(
    "name", ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE"]
)
def test_what_a_hook_sets_does_not_reach_our_git(
    name: str, repo: git.Repo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "/nonexistent")
    assert repo.head() == git.text("rev-parse", "HEAD", cwd=repo.top)
    assert name not in git.clean_env()


@pytest.mark.parametrize("name", ["GIT_SSH_COMMAND", "GIT_SSL_CAINFO", "GIT_AUTHOR_NAME"])
def test_what_reaches_a_server_or_names_the_author_stays(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "mine")
    assert git.clean_env()[name] == "mine"
    assert git.clean_env(GIT_INDEX_FILE="x")["GIT_INDEX_FILE"] == "x"


@pytest.mark.parametrize(
    "settings",
    [
        "[core]\n hooksPath = {0}/hooks\n",
        "[core]\n fsmonitor = {0}/hooks/post-commit\n",
        "[commit]\n gpgSign = true\n[gpg]\n program = {0}/hooks/post-commit\n",
        "[alias]\n rev-parse = !touch {0}/ran\n",
        "[core]\n pager = touch {0}/ran\n[color]\n ui = always\n",
    ],
)
def test_a_users_configuration_runs_nothing(
    settings: str, home: Path, repo: git.Repo, tmp_path: Path
) -> None:
    hook = f"#!/bin/sh\ntouch {tmp_path}/ran\n"
    build_tree(tmp_path / "hooks", {"post-commit": hook, "pre-commit": hook})
    for path in (tmp_path / "hooks").iterdir():
        path.chmod(0o755)
    with (home / ".gitconfig").open("a") as config:
        config.write(settings.format(tmp_path))
    git.run("commit", "--quiet", "--allow-empty", "-m", "second", cwd=repo.top)
    assert git.text("log", "--format=%s", cwd=repo.top) == "second\nfirst"
    git.run("status", cwd=repo.top)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    "url", ["ext::sh -c true", "git://127.0.0.1:1/x", "http://127.0.0.1:1/x", "foo::bar"]
)
def test_only_safe_protocols_are_spoken(url: str, tmp_path: Path) -> None:
    with pytest.raises(CommandFailed) as caught:
        git.run("clone", "--quiet", "--", url, str(tmp_path / "clone"))
    assert "not allowed" in " ".join(caught.value.details)


def test_a_failure_names_the_git_command_and_not_our_settings() -> None:
    with pytest.raises(CommandFailed, match=r"^`git rev-parse` exited 128$"):
        git.run("rev-parse", "--verify", "no-such-thing", cwd=Path("/"))


def test_a_repository_is_found_from_within(repo: git.Repo) -> None:
    found = git.find(repo.top / "sub")
    assert (found.top, found.git_dir) == (repo.top, repo.top / ".git")
    assert (found.shallow, found.object_format, found.nothing) == (False, "sha1", "0" * 40)


def test_a_linked_worktree_has_a_git_folder_of_its_own(repo: git.Repo, tmp_path: Path) -> None:
    repo.run("worktree", "add", "--quiet", "--detach", str(tmp_path / "linked"))
    linked = git.find(tmp_path / "linked")
    assert linked.top == tmp_path / "linked"
    assert linked.git_dir != linked.common_dir == repo.git_dir
    assert linked.objects == repo.objects
    assert linked.index.is_file()


def test_where_there_is_no_repository_it_says_why(tmp_path: Path, repo: git.Repo) -> None:
    with pytest.raises(NotFound, match="no folder"):
        git.find(tmp_path / "gone")
    with pytest.raises(InvalidInput, match="not in a git work tree: not a git repository"):
        git.find(tmp_path)
    plain_git(tmp_path, "init", "--quiet", "--bare", "bare")
    with pytest.raises(InvalidInput, match="must be run in a work tree"):
        git.find(tmp_path / "bare")


def test_a_repository_without_a_commit_has_no_head(tmp_path: Path) -> None:
    plain_git(tmp_path, "init", "--quiet", "new")
    with pytest.raises(InvalidInput, match="has no commit yet"):
        git.find(tmp_path / "new").head()


def test_a_tree_and_an_index_are_read_by_their_names(repo: git.Repo) -> None:
    listing = repo.run("ls-tree", "-r", "-z", "--full-tree", "HEAD").stdout
    tree = git.tree_of(listing)
    assert list(tree) == ["a.txt", "sub/ü b.txt"]
    assert {path: sides[0] for path, sides in git.staged(repo, "").items()} == tree
    assert list(git.staged(repo, "sub")) == ["sub/ü b.txt"]


NAMES = st.text(
    st.characters(exclude_characters="\0/", exclude_categories=["Cs"]), min_size=1, max_size=8
).filter(lambda name: name not in (".", "..") and "git" not in name.casefold())


@given(st.sets(NAMES, max_size=4))
def test_any_name_comes_back_from_a_listing(names: set[str]) -> None:
    lines = [f"100644 blob {'a' * 40}\t{name}\0".encode() for name in names]
    assert set(git.tree_of(b"".join(lines))) == names


@pytest.mark.parametrize("odd", [b"\xff.txt", b"tab\t.txt", b"line\n.txt", b'"quoted"'])
def test_odd_names_survive_index_and_back(odd: bytes, repo: git.Repo) -> None:
    entry = git.tree_of(repo.run("ls-tree", "-r", "-z", "HEAD").stdout)["a.txt"]
    name = os.fsdecode(odd)
    stages = {1: entry, 2: entry, 3: entry}
    lines = git.index_lines(name, stages, repo.nothing)
    repo.run("update-index", "-z", "--index-info", stdin=lines)
    assert git.staged(repo, "")[name] == stages
    lines = git.index_lines(name, {}, repo.nothing)
    repo.run("update-index", "-z", "--index-info", stdin=lines)
    assert name not in git.staged(repo, "")


def test_many_blobs_are_read_at_once(repo: git.Repo) -> None:
    tree = git.tree_of(repo.run("ls-tree", "-r", "-z", "HEAD").stdout)
    asked = "\n".join([*(entry.oid for entry in tree.values()), "0" * 40, tree["a.txt"].oid, ""])
    done = repo.run("cat-file", "--batch", stdin=asked.encode())
    assert list(git.batch(done.stdout)) == [b"one\n", b"two\n", b"", b"one\n"]


def test_a_name_is_lent_only_where_git_knows_none(home: Path, repo: git.Repo) -> None:
    assert git.identity_env(repo.top) == {}
    (home / ".gitconfig").write_text("[user]\n useConfigOnly = true\n")
    lent = git.identity_env(repo.top)
    assert lent["GIT_AUTHOR_NAME"] == lent["GIT_COMMITTER_NAME"] == "idp"


def asked_for(host: str, env: dict[str, str]) -> bytes:
    """Return what git would say to a server that asks who we are."""
    question = f"protocol=https\nhost={host}\n\n".encode()
    return git.run("credential", "fill", stdin=question, env=env, ok=(0, 128)).stdout


def test_a_token_is_told_to_its_own_server_alone() -> None:
    env = git.logged_in("https://git.example.com:8443/acme/shop.git", "robot", "a token")

    assert b"username=robot\npassword=a token\n" in asked_for("git.example.com:8443", env)
    assert b"password" not in asked_for("git.example.com", env)
    assert b"password" not in asked_for("evil.example.com", env)


def test_no_helper_of_the_user_is_told_to_keep_a_token(home: Path) -> None:
    plain_git(home, "config", "-f", ".gitconfig", "credential.helper", f"store --file={home}/kept")
    env = git.logged_in("https://git.example.com", "robot", "secret")

    known = b"protocol=https\nhost=git.example.com\nusername=robot\npassword=secret\n\n"
    git.run("credential", "approve", stdin=known, env=env)

    assert not (home / "kept").exists()
