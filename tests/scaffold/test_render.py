"""Our render is Copier's render, to the byte: what `render` swaps inside Copier must not show.

Each story is a template in a real git repository. Copier alone renders it from that repository at
the tag; idp renders it from the exported folder. If this fails after Copier was raised to another
version, `idp.scaffold.render._standing_for` no longer stands for what Copier does.
"""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import copier
import pytest
import yaml

from idp.config.source import parse_source
from idp.errors import IdpError, InvalidInput, Refused, UsageError
from idp.releases import Release, Shelf
from idp.scaffold import config
from idp.scaffold.render import Job, render

from ..service.stories import ANSWERS, ANSWERS_TEMPLATE, Files, Link, Script, Template, build_tree

VERSION = "v1.2.0"


@dataclass(frozen=True)
class Story:
    """A template, the answers given now and before, and files the service has already."""

    files: Files
    data: Mapping[str, Any] = field(default_factory=dict)
    before: Mapping[str, Any] = field(default_factory=dict)
    seeds: Mapping[str, bytes] = field(default_factory=dict)
    trusted: bool = False


ABOUT = """\
ref={{ _copier_conf.vcs_ref }} hash={{ _copier_conf.vcs_ref_hash }}
commit={{ _copier_answers._commit }} src={{ _copier_answers._src_path }}
file={{ _copier_conf.answers_file }} op={{ _copier_operation }} folder={{ _folder_name }}
sep={{ _copier_conf.sep }} phase={{ _copier_phase }} python={{ _copier_python }}
os={{ _copier_conf.os }} data={{ _copier_conf.data|to_nice_json }}
pretend={{ _copier_conf.pretend }} unsafe={{ _copier_conf.unsafe }}
"""

QUESTIONS = """\
name: {type: str, help: "What is it called?", validator: "{% if not name %}Say it{% endif %}"}
port: {type: int, default: 8080}
ratio: {type: float, default: 0.5}
public: {type: bool, default: no}
path: {type: path, default: a/b}
extra: {type: yaml, default: "[1, {a: b}]"}
blob: {type: json, default: '{"x": [1, 2]}'}
notes: {type: str, multiline: true, default: "one\\ntwo\\n"}
colour: {type: str, choices: [red, green], default: green}
size: {type: int, choices: {Small: 1, Large: 3}, default: 3}
tools:
  type: str
  multiselect: true
  default: [lint, "test"]
  choices: {Linting: lint, Testing: test, Fuzzing: {value: fuzz, validator: "not today"}}
token: {type: str, secret: true, default: hunter2}
pin: {type: str, default: "1234"}
_secret_questions: [pin]
only: {type: str, when: "{{ public }}", default: "shown {{ name }}"}
slug: {type: str, when: false, default: "{{ name|lower|replace(' ', '-') }}"}
today: 2026-05-04
_message_after_copy: "Welcome, {{ name }}"
_min_copier_version: "9.0.0"
"""
EVERYTHING = """\
{{ name }} {{ port + 1 }} {{ ratio * 2 }} {{ public }} {{ path }} {{ extra[1].a }} {{ blob.x }}
{{ notes }}{{ colour }} {{ size * 2 }} {{ tools|join('+') }} {{ token }} {{ pin }}
{{ only }} {{ slug }}
{{ today }} {{ name|hash('sha1') }} {{ name|b64encode }} {{ [3, 1]|sort }}
"""

STORIES = {
    "what Copier tells of itself": Story({"about.txt.jinja": ABOUT}, {"name": "pay"}),
    "every type of question": Story(
        {"copier.yml": QUESTIONS, "out.txt.jinja": EVERYTHING}, {"name": "Big Pay"}
    ),
    "answers of every type": Story(
        {"copier.yml": QUESTIONS, "out.txt.jinja": EVERYTHING},
        {
            "name": "naïve “pay”",
            "port": "9000",
            "ratio": "1",
            "public": "yes",
            "extra": "[0, {a: é}]",
            "blob": '{"x": null}',
            "tools": ["test"],
            "size": 1,
            "token": "secret",
        },
    ),
    "answers of an earlier release": Story(
        {"copier.yml": QUESTIONS, "out.txt.jinja": EVERYTHING},
        {"port": 1},
        before={"name": "old", "port": 5, "public": True, "tools": [], "colour": "red", "gone": 1},
    ),
    "a loop over files": Story(
        {
            "copier.yml": "names: {type: yaml, default: [a, b, ü]}\n",
            "{% yield n from names %}{{ n }}{% endyield %}/a.txt.jinja": "{{ n }} of {{ names }}",
            "{% yield n from names %}{{ n }}{% endyield %}/b.txt.jinja": "{{ n }}, again",
            "{% yield n from names %}{{ n }}{% endyield %}.md.jinja": "# {{ n }}\n",
            "{% yield n from [] %}{{ n }}{% endyield %}.none.jinja": "never",
            "z/plain.txt": "after a loop, no loop",
        }
    ),
    "files of every kind": Story(
        {
            "run.sh": Script("#!/bin/sh\necho {{ name }}\n"),
            "gen.sh.jinja": Script("#!/bin/sh\necho {{ name }}\n"),
            "blob.bin": bytes(range(256)),
            "empty": "",
            "empty.txt.jinja": "",
            "dos.txt.jinja": "{{ name }}\r\nb\r\n",
            "bom.txt.jinja": "\ufeff{{ name }}\n",
            "no end.jinja": "{{ name }}",
            "ends.jinja": "{{ name }}\n\n\n",
            "größe/日本語.txt.jinja": "{{ name }} ✓\n",
            "{{ name }}/__init__.py": "",
            "{% if name %}on{% endif %}.txt": "x",
            "{% if not name %}off{% endif %}/never.txt": "x",
            ".hidden/.file": "h",
            "a b/'quoted' \"x\".txt": "q",
            ".gitignore": "*.log\n",
            "kept.log": "in git all the same\n",
        },
        {"name": "pay"},
    ),
    "links kept as links": Story(
        {
            "copier.yml": "name: {type: str}\n_preserve_symlinks: true\n",
            "real/file.txt": "x",
            "to-file": Link("real/file.txt"),
            "to-folder": Link("real"),
            "broken": Link("nowhere"),
            "{{ name }}-link": Link("real/file.txt"),
            "rendered.jinja": Link("{{ name }}.txt"),
        },
        {"name": "pay"},
    ),
    "links followed": Story(
        {"real/file.txt.jinja": "{{ name }}", "to-file.jinja": Link("real/file.txt.jinja")},
        {"name": "pay"},
    ),
    "another suffix and other brackets": Story(
        {
            "copier.yml": (
                "name: {type: str, default: '[[ _folder_name ]]'}\n_templates_suffix: .tmpl\n"
                "_envops: {variable_start_string: '[[', variable_end_string: ']]',"
                " block_start_string: '[%', block_end_string: '%]', keep_trailing_newline: false}\n"
            ),
            "[[ _copier_conf.answers_file ]].tmpl": "[[ _copier_answers|to_nice_yaml ]]",
            "a.txt.tmpl": "[% if name %][[ name ]] {{ as it is }}[% endif %]\n",
            "b.txt.jinja": "{{ not rendered }}",
        }
    ),
    "no suffix at all": Story(
        {
            "copier.yml": (
                "name: {type: str}\n_templates_suffix: ''\n_exclude: [copier.yml, .git]\n"
            ),
            "{{ _copier_conf.answers_file }}": "{{ _copier_answers|to_nice_yaml }}",
            "a.txt": "{{ name }}\n",
            "b.jinja": "{{ name }}\n",
        },
        {"name": "pay"},
    ),
    "a sub-directory and exclusions": Story(
        {
            "copier.yml": (
                "name: {type: str}\n_subdirectory: '{{ \"template\" }}'\n"
                "_exclude: ['*.pyc', '{% if name == \"pay\" %}pay-only{% endif %}', '!keep.pyc']\n"
                "_skip_if_exists: [once.txt]\n"
            ),
            f"template/{ANSWERS_TEMPLATE}": "{{ _copier_answers|to_nice_yaml }}",
            "template/a.txt.jinja": "{{ name }}",
            "template/x.pyc": "x",
            "template/keep.pyc": "x",
            "template/pay-only/b.txt": "x",
            "template/once.txt": "x",
            "README.md": "not part of it",
        },
        {"name": "pay"},
    ),
    "sections and includes": Story(
        {
            "copier.yml": (
                "name: {type: str}\n_exclude: [one, .git]\n---\n!include parts/a.yml\n---\n"
                "!include parts/b*.yml\n---\n_exclude: [two]\n"
            ),
            "parts/a.yml": "_exclude: [parts]\nteam: {type: str, default: core}\n",
            "parts/b.yml": "team: {type: str, default: '{{ name }}-team'}\n",
            "one": "1",
            "two": "2",
            "three.jinja": "{{ team }}",
        },
        {"name": "pay"},
    ),
    "macros and includes of Jinja": Story(
        {
            "copier.yml": "name: {type: str}\n_exclude: [macros, .git]\n",
            "macros/m.jinja": "{% macro hi(x) %}hi {{ x }}{% endmacro %}",
            "macros/part.txt": "part of {{ name }}",
            "a.txt.jinja": (
                "{% from 'macros/m.jinja' import hi %}{{ hi(name) }}\n"
                "{% include 'macros/part.txt' %}"
            ),
        },
        {"name": "pay"},
    ),
    "data of the service": Story(
        {
            "copier.yml": (
                "name: {type: str, default: '{{ _external_data.parent.team }}'}\n"
                "_external_data: {parent: parent.yml, none: not-there.yml}\n"
            ),
            "a.txt.jinja": "{{ _external_data.parent.team }} {{ _external_data.none.x }}",
        },
        seeds={"parent.yml": b"team: core\n"},
    ),
    "extensions, trusted": Story(
        {
            "copier.yml": "name: {type: str}\n_jinja_extensions: [jinja2.ext.loopcontrols]\n",
            "a.txt.jinja": (
                "{% for n in range(9) %}{% if n > 3 %}{% break %}{% endif %}{{ n }}{% endfor %}"
            ),
        },
        {"name": "pay"},
        trusted=True,
    ),
    "tasks, which are not for the render": Story(
        {"copier.yml": "name: {type: str}\n_tasks: [touch ran]\n", "a.txt": "x"},
        {"name": "pay"},
        trusted=True,
    ),
}


@pytest.fixture
def template(tmp_path: Path) -> Template:
    template = Template(tmp_path / "template")
    template.release("v1.0.0", {"README.md": "the first release\n"})
    return template


def released(template: Template, tmp_path: Path, trusted: bool) -> Release:
    shelf = Shelf(tmp_path / "cache", lambda *_: trusted, lambda _: None)
    return shelf.release(parse_source(template.at(VERSION)))


def by_copier(template: Template, story: Story, into: Path) -> None:
    build_tree(into, dict(story.seeds))
    if story.before:
        build_tree(into, {ANSWERS: yaml.safe_dump(dict(story.before))})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        copier.run_copy(
            str(template.path),
            into,
            dict(story.data),
            vcs_ref=VERSION,
            defaults=True,
            overwrite=True,
            quiet=True,
            unsafe=story.trusted,
            skip_tasks=True,
        )
    for name in story.seeds:
        (into / name).unlink()


def by_idp(release: Release, story: Story, into: Path) -> Mapping[str, Any]:
    job = Job(
        tree=release.tree,
        url=release.template,
        version=release.version,
        commit=release.commit,
        trusted=release.trusted,
        into=into,
        answers_file=release.config.answers_file,
        answers=story.before,
        data=story.data,
        seeds=story.seeds,
    )
    return render(job).answers


def rendered(root: Path) -> dict[str, tuple[str, bytes]]:
    """Return each path's kind with its mode, and its bytes."""
    found = {}
    for folder, folders, names in os.walk(root):
        for path in (Path(folder) / name for name in [*folders, *names]):
            info, name = path.lstat(), path.relative_to(root).as_posix()
            if stat.S_ISLNK(info.st_mode):
                found[name] = ("link", os.fsencode(path.readlink()))
            elif stat.S_ISREG(info.st_mode):
                found[name] = (f"file {info.st_mode & 0o777:o}", path.read_bytes())
            else:
                found[name] = ("folder", b"")
    return found


@pytest.mark.parametrize("story", STORIES.values(), ids=STORIES)
def test_the_tree_is_copiers_own(story: Story, template: Template, tmp_path: Path) -> None:
    files = dict(story.files)
    if any(name.startswith("[[") for name in files):
        files[ANSWERS_TEMPLATE] = None
    template.release(VERSION, files)
    by_copier(template, story, tmp_path / "copier" / "pay")
    by_idp(released(template, tmp_path, story.trusted), story, tmp_path / "idp" / "pay")
    theirs, ours = rendered(tmp_path / "copier" / "pay"), rendered(tmp_path / "idp" / "pay")
    assert sorted(ours) == sorted(theirs)
    assert {n: (ours[n], theirs[n]) for n in ours if ours[n] != theirs[n]} == {}


def test_copiers_own_classes_are_as_they_were_afterwards(
    template: Template, tmp_path: Path
) -> None:
    from copier import _main, _template
    from jinja2.sandbox import SandboxedEnvironment

    owners = (_template.Template, _main, SandboxedEnvironment)
    before = [dict(vars(owner)) for owner in owners]
    story = Story({"a.txt.jinja": "{{ 1 / name|length }}"})
    template.release(VERSION, story.files)
    release = released(template, tmp_path, trusted=False)
    for number, data in enumerate(({"name": "pay"}, {"name": ""})):
        broken = Story(story.files, data)
        try:
            by_idp(release, broken, tmp_path / f"r{number}" / "pay")
        except IdpError as error:
            assert data["name"] == "", error
    assert [dict(vars(owner)) for owner in owners] == before


def test_a_template_without_an_answers_file_gets_one(template: Template, tmp_path: Path) -> None:
    commit = template.release(VERSION, {ANSWERS_TEMPLATE: None, "a.txt": "x"})
    assert commit
    by_idp(released(template, tmp_path, False), Story({}, {"name": "pay"}), tmp_path / "pay")
    told = yaml.safe_load((tmp_path / "pay" / ANSWERS).read_text())
    assert told == {"_commit": VERSION, "_src_path": str(template.path), "name": "pay"}


def test_what_was_asked_is_returned_and_a_secret_is_not(template: Template, tmp_path: Path) -> None:
    template.release(VERSION, {"copier.yml": QUESTIONS})
    answers = by_idp(released(template, tmp_path, False), Story({}, {"name": "p"}), tmp_path / "p")
    assert answers["tools"] == ["lint", "test"]
    assert {"token", "pin", "slug", "_commit"}.isdisjoint(answers)


@pytest.mark.parametrize(
    ("files", "data", "kind", "said"),
    [
        ({"copier.yml": "port: {type: int}\n"}, {"port": "many"}, InvalidInput, "port"),
        ({"copier.yml": "a: {type: str, choices: [x]}\n"}, {"a": "y"}, InvalidInput, "a"),
        ({"copier.yml": "a: {type: str, validator: no way}\n"}, {"a": "y"}, InvalidInput, "no way"),
        ({"copier.yml": "a: {type: str}\n"}, {}, UsageError, "a has no answer and no default"),
        ({"copier.yml": "a: {type: nonsense}\n"}, {"a": 1}, InvalidInput, "nonsense"),
        ({"bad.txt.jinja": "{% if %}"}, {"name": "x"}, InvalidInput, "bad.txt.jinja"),
        ({"bad.txt.jinja": "\n{{ 1 / 0 }}"}, {"name": "x"}, InvalidInput, "bad.txt.jinja:2"),
        ({"copier.yml": "_min_copier_version: '99'\n"}, {}, InvalidInput, "99"),
        (
            {"copier.yml": "_exclude: [copier.yml]\n", ".git{{ '' }}/hooks/x": "x"},
            {},
            InvalidInput,
            "git's own",
        ),
        (
            {"copier.yml": "_jinja_extensions: [jinja2.ext.do]\n"},
            {},
            Refused,
            "runs code",
        ),
    ],
)
def test_what_is_wrong_is_said_in_our_words(
    files: Files,
    data: dict[str, Any],
    kind: type[IdpError],
    said: str,
    template: Template,
    tmp_path: Path,
) -> None:
    template.release(VERSION, files)
    release = released(template, tmp_path, trusted=True)
    untrusted = Release(**{**vars(release), "trusted": False})
    with pytest.raises(kind) as caught:
        by_idp(untrusted, Story({}, data), tmp_path / "out" / "pay")
    assert said in str(caught.value)


@pytest.mark.parametrize("name", STORIES)
def test_copier_yml_is_read_as_copier_reads_it(
    name: str, template: Template, tmp_path: Path
) -> None:
    from copier._template import Template as Theirs

    template.release(VERSION, STORIES[name].files)
    tree = released(template, tmp_path, trusted=True).tree
    ours, theirs = config.read(tree), Theirs(url=str(tree))
    asked = {name: dict(asked) for name, asked in theirs.questions_data.items()}
    for name in ours.settings.get("secret_questions", ()):  # Copier marks them, we keep the list
        del asked[name]["secret"]
    assert dict(ours.questions) == asked
    merged = {key.removeprefix("_"): value for key, value in theirs.config_data.items()}
    told = {k: v for k, v in ours.settings.items() if k != "secret_questions"}
    assert told == {k: v for k, v in merged.items() if k != "secret_questions"}
    assert set(ours.settings.get("secret_questions", ())) <= set(theirs.secret_questions)


SECTIONS = {
    "one": "_exclude: [a]\nx: 1\n",
    "many": "_exclude: [a]\nx: 1\n---\n_exclude: [b]\nx: 2\n---\n_skip_if_exists: [c]\n",
    "empty documents": "---\n---\nx: 1\n---\n",
    "later wins": (
        "x: {type: int, default: 1}\n---\nx: {type: str}\n_envops: {a: 1}\n---\n_envops: {b: 2}\n"
    ),
    "includes": "!include inc/1.yml\n---\n!include inc/[2]*\n---\nx: 3\n_exclude: [z]\n",
    "secrets": (
        "_secret_questions: [x]\nx: 1\n---\n_secret_questions: [y]\ny: {default: 2, secret: true}\n"
    ),
    "merge keys": "x: &x {type: str, default: a}\ny: {<<: *x, default: b}\n",
    "all lists": (
        "_jinja_extensions: [a]\n_exclude: [a]\n---\n_jinja_extensions: [b]\n_exclude: []\n"
        "---\n_tasks: [one]\n---\n_tasks: [two]\n"
    ),
}


@pytest.mark.parametrize("text", SECTIONS.values(), ids=SECTIONS)
def test_sections_are_merged_as_copier_merges_them(text: str, tmp_path: Path) -> None:
    from copier._template import load_template_config

    included = {"inc/1.yml": "_exclude: [i]\nx: 1\n", "inc/2.yml": "y: 2\n---\nx: 2\n"}
    build_tree(tmp_path, {"copier.yml": text, **included})
    theirs = load_template_config(tmp_path / "copier.yml", quiet=True)
    ours = config.read(tmp_path)
    flat = {f"_{k}": v for k, v in ours.settings.items()}
    asked = {k: v for k, v in theirs.items() if not k.startswith("_")}
    assert flat == {k: v for k, v in theirs.items() if k.startswith("_")}
    assert list(ours.questions) == list(asked)
    wrapped = {k: v if isinstance(v, dict) else {"default": v} for k, v in asked.items()}
    assert dict(ours.questions) == wrapped


@pytest.mark.parametrize(
    "text",
    [
        "!include /etc/passwd\n",
        "!include ../*.yml\n",
        "- a\n- b\n",
        "just words\n",
        "a: [\n",
        "a: !x 1\n",
    ],
)
def test_a_copier_yml_that_cannot_be_is_refused(text: str, tmp_path: Path) -> None:
    build_tree(tmp_path, {"copier.yml": text})
    with pytest.raises(InvalidInput, match=r"copier\.yml"):
        config.read(tmp_path)


def test_a_link_does_not_lead_an_include_out(tmp_path: Path) -> None:
    build_tree(tmp_path / "outside", {"x.yml": "stolen: 1\n"})
    build_tree(
        tmp_path / "t", {"copier.yml": "!include x.yml\n", "x.yml": Link("../outside/x.yml")}
    )
    with pytest.raises(InvalidInput, match="outside the template"):
        config.read(tmp_path / "t")


def test_two_files_called_copier_are_one_too_many(tmp_path: Path) -> None:
    build_tree(tmp_path, {"copier.yml": "a: 1\n", "copier.yaml": "b: 1\n"})
    with pytest.raises(InvalidInput, match=r"copier\.yaml and copier\.yml"):
        config.read(tmp_path)


@pytest.mark.parametrize(
    ("name", "toolkit"), [("what Copier tells of itself", False), ("every type of question", True)]
)
def test_a_fresh_process_renders_the_same_without_the_terminal_toolkit(
    name: str, toolkit: bool, template: Template, tmp_path: Path
) -> None:
    """This process has all of Copier; a command of idp loads it without what asks questions.

    Only where a question has choices does Copier need that.
    """
    story = STORIES[name]
    template.release(VERSION, story.files)
    by_copier(template, story, tmp_path / "copier" / "pay")
    code = (
        "import sys; from idp.__main__ import main; code = main(sys.argv[1:])\n"
        f"assert ('questionary' in sys.modules) == {toolkit}\n"
        "sys.exit(code)"
    )
    words = ["create-service", "pay", "--template", template.at(VERSION), "--defaults"]
    words += ["--dest", str(tmp_path / "idp" / "pay"), "--data", f"name={story.data['name']}"]
    run = subprocess.run(
        [sys.executable, "-c", code, *words], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    ours = {
        n: f for n, f in rendered(tmp_path / "idp" / "pay").items() if n.split("/")[0] != ".git"
    }
    assert ours == rendered(tmp_path / "copier" / "pay")
