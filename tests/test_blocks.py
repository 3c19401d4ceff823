"""What the documents show to paste is pasted: every block runs, in order, in a folder of its page's own."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.warm import MODULES
from workshop.site.notebooks import notebook
from workshop.site.sources import documents, is_tutorial

ROOT = Path(__file__).parents[1]
PAGES = documents()
GIVEN = ("benchmarks", "recipes", "checkpoints", "docs/images")
"""Folders of the checkout that blocks may name; they get copies."""

DATA = ROOT / "tests/data"
"""Files that blocks may name, too."""

SAID = {"README.md": ("block error 0.", "surface_d5 [[25, 1, 5]]", "failures: ")}
"""What blocks of a page must print among other things, in this order."""

_BLOCK = re.compile(r"(?:<!-- not run: (?P<why>.+?) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.M | re.S)


@dataclass(frozen=True)
class Block:
    """A block of a page that is code; `why` it is not run, if it is not."""

    language: str
    text: str
    why: str | None


def _blocks(page: Path) -> list[Block]:
    """A page's blocks; a tutorial's are cells of one session, and those that are not run."""
    found = [Block(one["language"], one["text"], one["why"]) for one in _BLOCK.finditer(page.read_text())]
    blocks = [block for block in found if block.language in ("sh", "bash", "python", "pycon", "console")]
    if is_tutorial(page):
        return [Block("session", _session(page), None), *(block for block in blocks if block.why)]
    return blocks


def _session(page: Path) -> str:
    """What Jupyter runs of the page's cells."""
    return "\n".join(cell["source"] for cell in notebook(page.read_text())["cells"] if cell["cell_type"] == "code")


def _runnable() -> list[Path]:
    return [page for page in PAGES if any(block.why is None for block in _blocks(page))]


@pytest.mark.slow
@pytest.mark.parametrize("page", _runnable(), ids=lambda page: str(page.relative_to(ROOT)))
def test_blocks_run_as_pasted(page: Path, programs: Path, tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    before, said = _checkout(), ""
    for block in (block for block in _blocks(page) if block.why is None):
        _give(block.text, here)
        if block.language == "console":
            for command, shown in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block.text, flags=re.M):
                done = _run(["bash", "-c", command], here, programs)
                assert " ".join(shown.split()) in " ".join((done.stdout + done.stderr).split())
            continue
        if block.language in ("sh", "bash"):
            words = ["bash", "-euo", "pipefail", "-c", block.text]
        elif block.language == "session":
            words = ["python", "-c", block.text]
        elif block.language == "pycon":  # typed in, not saved: processes may be started from it
            words = ["python", "-c", "\n".join(re.findall(r"^(?:>>> |\.\.\. )(.*)", block.text, flags=re.M))]
        else:
            (here / "block.py").write_text(block.text)
            words = ["python", "block.py"]
        done = _run(words, here, programs)
        assert done.returncode == 0, f"{block.text}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        said += done.stdout
    assert re.search(".*".join(map(re.escape, SAID.get(str(page.relative_to(ROOT)), ()))), said, flags=re.S)
    assert _checkout() == before


def test_what_is_typed_is_marked_as_such() -> None:
    """A block with a prompt is a console's; and who skips a block says why, right above it."""
    for page in PAGES:
        text = page.read_text()
        assert not re.findall(r"^```\n\$ ", text, flags=re.M), page
        assert len(re.findall("<!-- not run:", text)) == sum(block.why is not None for block in _blocks(page)), page


def _give(text: str, here: Path) -> None:
    """Copies of what a block names of the checkout, and of all of it for the workshop."""
    for folder in GIVEN:
        if (f"{folder}/" in text or "python -m workshop" in text) and not (here / folder).exists():
            shutil.copytree(ROOT / folder, here / folder)
    for file in DATA.iterdir():
        if file.name in text:
            shutil.copyfile(file, here / file.name)


def _run(words: list[str], here: Path, programs: Path) -> subprocess.CompletedProcess[str]:
    """Run in a folder, with the commands of this environment and a home of its own, without a network."""
    path = os.pathsep.join([str(programs), str(Path(sys.executable).parent), os.environ["PATH"]])
    own = {"PATH": path, "PYTHONPATH": MODULES, "HOME": str(here.parent), "CASCADE_OFFLINE": "1", "MPLBACKEND": "agg"}
    left = {name: value for name, value in os.environ.items() if not name.startswith("CASCADE_")}
    return subprocess.run(words, cwd=here, env=left | own, capture_output=True, text=True, timeout=300)


def _checkout() -> dict[Path, tuple[int, int]]:
    """Sizes and times of the files that commands could reach."""
    folders = [*(ROOT / folder for folder in GIVEN), ROOT / "docs", ROOT / "src/cascade_qec/zoo"]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    return {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in files}
