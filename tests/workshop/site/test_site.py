"""The site has every page, every public name, every command and every model; what builds it from these is Sphinx."""

import json
from importlib import import_module
from pathlib import Path

import pytest

from cascade_qec import zoo
from workshop.pages.learning_curves import CHECKPOINTS
from workshop.site import cards, reference
from workshop.site.links import lost, relinked
from workshop.site.notebooks import notebook
from workshop.site.sources import INDEX, documents, is_tutorial, sections
from workshop.site.staging import Staging


@pytest.fixture(scope="module")
def staged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sources")
    Staging(folder).write()
    return folder


def test_the_index_leads_to_every_document() -> None:
    linked = [(INDEX.parent / target).resolve() for section in sections() for _, target in section.links]
    assert len(linked) == len(set(linked))
    assert {path for path in linked if path.suffix == ".md"} == {*documents()} - {INDEX}


def test_every_document_is_staged_and_links_between_them_lead_somewhere(staged: Path) -> None:
    index = (staged / "index.md").read_text()
    entries = [
        line.rpartition("<")[2].rstrip(">") for line in index.splitlines() if line.endswith((".md>", "nb>", "st>"))
    ]
    assert len(entries) == sum(len(section.links) for section in sections())
    assert all((staged / entry).is_file() for entry in entries)
    assert {path.stem for path in documents() if is_tutorial(path)} == {
        path.stem for path in staged.glob("tutorials/*.ipynb")
    }


def test_every_public_name_is_in_the_reference(staged: Path) -> None:
    doors = reference.doors()
    assert {"cascade_qec", "cascade_qec.codes", "cascade_qec.decoders.streams", "cascade_calibration"} <= set(doors)
    described = "".join(path.read_text() for path in staged.glob("api/*.rst"))
    for door in doors:
        page = (staged / f"api/{door}.rst").read_text()
        names = import_module(door).__all__
        # a row for each, which links to where it is described
        assert [
            name for name in names if f"   * - :py:obj:`{name} <" not in page and f":doc:`{name} <" not in page
        ] == []
    homes = {line.rpartition(" <")[2].rstrip(">`") for line in described.splitlines() if ":py:obj:`" in line}
    assert [home for home in sorted(homes) if f":: {home}\n" not in described] == []


def test_constants_have_their_docstrings() -> None:
    assert reference._data_docstring("cascade_qec.codes", "BASES") == reference._data_docstring(
        "cascade_qec.codes.basis", "BASES"
    )
    assert "what draws them" in reference._data_docstring("cascade_qec.plotting", "FIGURES")


def test_every_command_has_its_help() -> None:
    names = [name for name, _ in reference.commands()]
    assert {"cascade decode", "cascade zoo verify", "cascade bench stream"} <= set(names)
    page = reference.commands_page()
    assert all(f"# `{name}`\n" in page for name in names)
    assert "--save_resume_filepath" in page


def test_every_model_has_a_page_with_its_rates_guards_and_history() -> None:
    pages = dict(cards.card_pages())
    names = {name for name, source in zoo.sources().items() if source == "bundled"}
    assert set(pages) == names | {"index"}
    for name in names:
        card = zoo.card(name)
        for row in (*card.measurements, *card.rivals):
            assert f"{row.failures:,} / {row.shots:,} | {row.block_error:.2e} [" in pages[name]
        assert all(heading in pages[name] for heading in ("## Guards\n", "## Recipe\n"))
        assert ("## History\n" in pages[name]) == (CHECKPOINTS / name).exists()
        assert f"({name}.md)" in pages["index"]


def test_a_notebook_has_the_blocks_of_its_page_in_order() -> None:
    rest = "<!-- not run: long -->\n```sh\nsleep\n```\n\n```toml\nx = 1\n```"
    text = f"# A\n\n```python\n1\n```\nb\n\n```sh\nls\n```\n\n{rest}\n"
    cells = notebook(text)["cells"]
    assert [(cell["cell_type"], cell["source"]) for cell in cells[1:]] == [
        ("markdown", "# A"),
        ("code", "1"),
        ("markdown", "b\n\n```sh\nls\n```"),
        ("code", "shell('ls\\n')"),
        ("markdown", rest),
    ]
    assert json.loads(json.dumps(notebook(text)))["nbformat"] == 4


def test_links_are_turned_outside_code() -> None:
    def place(path: Path) -> str:
        return f"files/{path.name}"

    text = "[a](b.csv#c) ![p](images/q.png) `[a](b)` [w](https://example.org) [h](#here)\n```\n[a](b)\n```\n"
    turned = (
        "[a](../files/b.csv#c) ![p](../files/q.png) `[a](b)` [w](https://example.org) [h](#here)\n```\n[a](b)\n```\n"
    )
    assert relinked(text, INDEX, "tutorials/x.md", place) == turned


def test_lost_links_are_found(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.html").write_text('<a id="x" href="sub/b.html#y">b</a> <img src="c.png"> <a href="#x">x</a>')
    (tmp_path / "sub/b.html").write_text(
        '<p id="z"><a href="../a.html?q=1#x">a</a> <a href="https://example.org">e</a>'
    )
    assert lost(tmp_path) == ["a.html: c.png", "a.html: sub/b.html#y"]
