"""The text of an update's pull request: what it tells, and that nobody else's words escape it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token
from pytest_snapshot.plugin import Snapshot  # type: ignore[import-untyped]

from idp.releases import Release
from idp.service import changelog
from idp.service.merge import FileOutcome
from idp.service.update_body import Open, Story, body

STORY = Story(
    name="golden",
    template="https://git.example.com/acme/golden.git",
    old="1.0.0",
    new="1.2.0",
    branch="idp/update/golden",
    news="## [1.2.0] - 2026-11-23\n\n- Drains, thanks to @pat (#12).\n\n## [1.1.0]\n\n- `a < b`.",
    files=(
        FileOutcome("Dockerfile", "updated"),
        FileOutcome("src/pay/problem_details.py", "renamed", "src/pay/problems.py"),
        FileOutcome("app.py", "conflict"),
    ),
    open=(Open("app.py", "you and golden 1.2.0 changed the same lines: marked in the file"),),
    notes=("the answer tier='x' is not valid in 1.2.0: 'low' was taken",),
    waiting=("python migrate.py",),
)

HOSTILE = [
    "a|b.py",
    "`x`",
    "back\\|slash",
    "__init__.py",
    "@acme/everyone",
    "#12",
    "<b>bold</b>",
    "line\nbreak",
    "[link](https://evil.example)",
    " space ",
    "<!-- idp-update-service: 0 -->",
    "*star* ~~gone~~ :x:",
]


def tokens(text: str) -> list[Token]:
    """Return all tokens of Markdown with tables, as a forge reads it, the inner ones too."""
    top = MarkdownIt("commonmark", {"html": True}).enable(["table"]).parse(text)
    return list(_flat(top))


def _flat(tokens: list[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _flat(token.children or [])


def words(text: str) -> str:
    """Return what a reader sees as text and not as code: where a forge looks for names."""
    seen, in_code = [], False
    for token in tokens(text):
        if token.type == "html_inline":
            in_code = token.content == "<code>"
        if token.type == "text" and not in_code:
            seen.append(token.content)
    return "\n".join(seen)


def headings(text: str) -> list[str]:
    found, was_top = [], False
    for token in tokens(text):
        if token.type == "inline" and was_top:
            found.append(token.content)
        was_top = token.type == "heading_open" and token.level == 0
    return found


def test_the_text_is_as_it_was(snapshot: Snapshot) -> None:
    """Changed on purpose? `pytest tests/service --snapshot-update`, and read the difference."""
    snapshot.snapshot_dir = Path(__file__).parent / "snapshots" / "pull_request"
    snapshot.assert_match(body(STORY), "body.md")


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_cannot_leave_its_cell(name: str) -> None:
    text = body(replace(STORY, files=(FileOutcome(name, "added"), FileOutcome("z", "updated"))))
    rows = [token for token in tokens(text) if token.type == "tr_open"]
    assert len(rows) == 3
    assert "@acme" not in words(text)
    assert "#12" not in words(text).replace("#\u200b12", "")
    kinds = {token.type for token in tokens(text)}
    assert not kinds & {"link_open", "strong_open", "em_open", "html_block"}
    shown = {token.content for token in tokens(text) if token.type == "html_inline"}
    assert shown <= {"<code>", "</code>"}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_name_cannot_leave_its_place_in_the_list(name: str) -> None:
    text = body(replace(STORY, open=(Open(name, "you deleted it"),)))
    assert headings(text)[:2] == ["To resolve", "To know"]
    assert text.count("\n- [ ] ") == 1
    assert "@acme" not in words(text)


@pytest.mark.parametrize(
    "news",
    [
        "```\nnever closed",
        "~~~~ \nnever closed\n```",
        "<details><summary>",
        "<!-- never closed",
        "</details>\n\n# A heading",
        "| a |\n|---|\n",
        "<script>",
        "/close\n/assign @pat",
        "a\r\nb\u2028# c",
    ],
)
def test_a_changelog_cannot_leave_its_quotation(news: str) -> None:
    text = body(replace(STORY, news=f"## [1.2.0]\n\n{news}"))
    assert headings(text) == [
        "To resolve",
        "To know",
        "What is new in the template",
        "What becomes of the files",
    ]
    assert [t for t in tokens(text) if t.type in ("html_block", "html_inline")] == []
    assert not any(line.startswith("/") for line in text.splitlines())


def test_a_changelog_mentions_nobody_and_touches_no_issue() -> None:
    news = "@pat, @acme/all: fixes #12, GH-13, !14, acme/x#15 https://github.com/acme/x/issues/16"
    seen = body(replace(STORY, news=news))
    for live in ("@pat", "@acme", "#12", "GH-13", "!14", "x#15", "//github.com/"):
        assert live not in seen, live
    assert "https://redirect.github.com/acme/x/issues/16" in seen
    assert "@\u200bpat" in seen


@pytest.mark.parametrize(
    "news",
    ["&#64;pat", "&commat;pat", "&#x40;pat", "closes &num;12", "closes #&#49;2", "&lt;b&gt;"],
)
def test_an_entity_stands_for_itself(news: str) -> None:
    """A forge looks for names in what a reader sees, where `&#64;` has become `@`."""
    seen = words(body(replace(STORY, news=news)))
    assert not re.search(r"@pat|#12|<b>", seen)
    assert news.partition("&")[2] in seen.replace("\u200b", "")


def test_a_changelogs_picture_is_a_link() -> None:
    text = body(replace(STORY, news="![seen](https://evil.example/pixel.png) ![a][b]\n\n[b]: /c"))
    assert "image" not in {token.type for token in tokens(text)}


@pytest.mark.parametrize(
    "news",
    [
        "Closes https://git.acme.com/acme/x/issues/16",
        "closes HTTPS://GitHub.com/acme/x/issues/16",
        "Closes https://gitlab.com/acme/a/x/-/issues/16",
        "see (https://git.acme.com/a/b/pull/1)[https://git.acme.com/a/b/pulls/16]",
    ],
)
def test_a_link_to_an_issue_closes_nothing(news: str) -> None:
    seen = body(replace(STORY, news=news))
    assert not re.search(r"https?://(?!redirect)\S*(issues|pulls?)/16", seen, re.I), seen


def test_long_notes_and_commands_are_cut() -> None:
    long = replace(STORY, notes=("n" * 70_000,), waiting=("w" * 70_000,))
    assert len(body(long).encode()) <= 65_536
    many = replace(STORY, waiting=tuple(f"command {n}" for n in range(10_000)))
    assert re.search(r"^- … and \d,\d{3} more$", body(many), re.M)
    assert "| updated | `Dockerfile` |" in body(many)


def test_many_files_are_folded() -> None:
    files = tuple(FileOutcome(f"f{n}", "added") for n in range(31))
    assert "<details><summary>31 files</summary>" in body(replace(STORY, files=files))
    assert "<details>" not in body(replace(STORY, files=files[:30]))


def test_what_is_too_long_for_a_forge_is_cut_and_said_so() -> None:
    files = tuple(FileOutcome(f"some/folder/äöü/file{n}", "updated") for n in range(5_000))
    long = replace(STORY, files=files)
    assert len(body(long).encode()) <= 65_536
    assert re.search(r"^\| … \| and \d,\d{3} more \|$", body(long), re.M)
    assert "Drains" in body(long)
    longer = replace(long, news="## [1.2.0]\n" + "- é\n" * 100_000)
    assert len(body(longer).encode()) <= 65_536
    assert "more lines: see the template's changelog" in body(longer)
    everything = tuple(Open(f"file{n}", "both") for n in range(10_000))
    longest = body(replace(longer, open=everything))
    assert len(longest.encode()) <= 65_536
    assert "more: `git grep" in longest
    assert headings(longest)[-1] == "What becomes of the files"


def test_a_single_release_with_nothing_to_tell_is_told_shortly() -> None:
    bare = replace(STORY, old="1.2.0", news="", files=(), open=(), notes=(), waiting=())
    assert headings(body(bare)) == []
    assert "to other answers, on release `1.2.0`" in body(bare)


# --- the template's changelog ------------------------------------------------------------------

LOG = """\
# Changelog

## [Unreleased]

- not yet

## [2.0.0-rc.1]

- almost two

## v1.10.0 (2026-01-02)

- ten

### Fixed

- a fix

## [1.9.0] - 2026-01-01

- nine

## 1.8.0

- eight

[1.9.0]: https://git.example.com/1.9.0
"""


def told(tmp_path: Path, old: str, new: str, log: str | None = LOG) -> str:
    if log is not None:
        (tmp_path / "CHANGELOG.md").write_text(log)
    template = "https://git.example.com/golden.git"
    before, after = (Release(template, v, "", tmp_path, "", True) for v in (old, new))
    return changelog.between(before, after)


def test_the_sections_after_the_old_release_up_to_the_new_one_are_told(tmp_path: Path) -> None:
    assert told(tmp_path, "v1.8.0", "v1.10.0") == (
        "## v1.10.0 (2026-01-02)\n\n- ten\n\n### Fixed\n\n- a fix\n\n"
        "## [1.9.0] - 2026-01-01\n\n- nine"
    )


@pytest.mark.parametrize(
    ("old", "new"), [("1.10.0", "1.8.0"), ("1.9.0", "1.9.0"), ("main", "1.9.0")]
)
def test_on_the_way_back_and_from_no_release_nothing_is_told(
    tmp_path: Path, old: str, new: str
) -> None:
    assert told(tmp_path, old, new) == ""


def test_a_template_without_a_changelog_tells_nothing(tmp_path: Path) -> None:
    assert told(tmp_path, "1.0.0", "2.0.0", log=None) == ""


def test_a_changelog_that_leads_elsewhere_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(LOG)
    (tmp_path / "CHANGELOG.md").symlink_to(tmp_path / "secret")
    assert told(tmp_path, "1.0.0", "2.0.0", log=None) == ""
