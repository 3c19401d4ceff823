"""What Sphinx is given: the documents with their links turned, and the pages that are made."""

import json
import re
from pathlib import Path

from cascade_qec.files import written_whole
from workshop import CHECKOUT
from workshop.site import cards, reference
from workshop.site.links import relinked
from workshop.site.notebooks import notebook
from workshop.site.sources import INDEX, documents, is_tutorial, page_of, sections

_MADE = {
    "src/cascade_qec": "api/index.rst",
    "src/cascade_qec/cli": "commands.md",
    "src/cascade_qec/zoo/models": "cards/index.md",
}
"""Made pages that stand for a folder of the checkout."""

_PLAY = """<p><a class="play" href="play/index.html">Put errors into a code, and watch a network decode them</a></p>
<script>if (location.protocol === "file:") document.querySelector("a.play").href = "page.html";</script>"""
"""The page in the browser lies beside the site, and wants a web server: from a disk, what says so."""

_SHOWN = {".csv", ".cpp", ".h", ".proto", ".py", ".sh", ".toml", ".ts"}
"""Files of these kinds are listed where a document links to a folder."""


class Staging:
    """Writes the site's sources into a folder. What has not changed is not written again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._pages = {
            document: f"{page_of(document)}.{'ipynb' if is_tutorial(document) else 'md'}" for document in documents()
        }
        self._pages |= {reference.SOURCE.joinpath(*door.split(".")): f"api/{door}.rst" for door in reference.doors()}
        self._pages |= {CHECKOUT / folder: page for folder, page in _MADE.items()}
        self._listed: set[Path] = set()
        self._kept: set[Path] = set()

    def write(self) -> None:
        """Everything, and nothing else: what an earlier call wrote and this one does not is gone."""
        for document in documents():
            self._document(document)
        for name, text in reference.api_pages():
            self._text(f"api/{name}.rst", text)
        self._text("commands.md", reference.commands_page())
        for name, text in cards.card_pages():
            self._text(f"cards/{name}.md", text)
        for picture in (CHECKOUT / "docs/images").iterdir():
            self._copy(picture, f"images/{picture.name}")
        self._listings()
        for path in self.folder.rglob("*"):
            if path.is_file() and path not in self._kept and path.suffix != ".png":
                path.unlink()

    def _document(self, document: Path) -> None:
        page = self._pages[document]
        text = relinked(document.read_text(), document, page, self.place)
        if document == INDEX:
            text = re.sub(r"^(\* \[[^]]+\]\([^)]+\)):", r"\1", text, flags=re.MULTILINE)  # a card has no colon
            text = text.replace("\n## ", f"\n{_PLAY}\n\n## ", 1) + self._trees()
        if is_tutorial(document):
            title, _, rest = text.partition("\n")
            text = f"{title}\n\n{{download}}`This page as a notebook <{document.stem}.ipynb>`\n{rest}"
            text = json.dumps(notebook(text), indent=1, ensure_ascii=False)
        self._text(page, text)

    def place(self, path: Path) -> str:
        """Where a file or folder of the checkout is on the site."""
        page = self._pages.get(path) or self._pages.get(path / "README.md")
        if page:
            return page
        where = path.relative_to(CHECKOUT).as_posix()
        if path.is_dir():
            self._listed.add(path)
            return f"files/{where}/index.md"
        if where.startswith("docs/images/"):
            return where.removeprefix("docs/")
        self._copy(path, f"files/{where}")
        return f"files/{where}"

    def _trees(self) -> str:
        """The site's navigation, of the index' sections."""
        lines = []
        for section in sections():
            entries = [f"{title} <{self.place((INDEX.parent / at).resolve())}>" for title, at in section.links]
            lines += ["```{toctree}", ":hidden:", f":caption: {section.heading}", "", *entries, "```", ""]
        return "\n" + "\n".join(lines)

    def _listings(self) -> None:
        """A page for each folder that documents link to, with what is in it."""
        for folder in sorted(self._listed):
            where = folder.relative_to(CHECKOUT).as_posix()
            files = sorted(path for path in folder.rglob("*") if path.suffix in _SHOWN)
            lines = [
                f"* [{path.relative_to(folder).as_posix()}]({path.relative_to(folder).as_posix()})" for path in files
            ]
            for path in files:
                self._copy(path, f"files/{path.relative_to(CHECKOUT).as_posix()}")
            self._text(
                f"files/{where}/index.md", "\n".join(["---", "orphan: true", "---", f"# {where}", "", *lines, ""])
            )

    def _text(self, where: str, text: str) -> None:
        self._bytes(where, text.encode())

    def _copy(self, path: Path, where: str) -> None:
        self._bytes(where, path.read_bytes())

    def _bytes(self, where: str, content: bytes) -> None:
        file = self.folder / where
        self._kept.add(file)
        if file.exists() and file.read_bytes() == content:
            return
        file.parent.mkdir(parents=True, exist_ok=True)
        with written_whole(file) as opened:
            opened.write(content)
