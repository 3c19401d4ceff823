"""The map of the house is true: imports point down its list, and what it names is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "src/cascade_qec"
MAP = (ROOT / "docs/architecture.md").read_text()


def test_imports_point_one_way() -> None:
    block = re.search(r"```\n(.*?)```", MAP, flags=re.DOTALL)
    assert block
    heights = {room: -line for line, rooms in enumerate(block[1].splitlines()) for room in rooms.split()}
    rooms = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert set(heights) == rooms - {"__init__", "__main__"} | {"workshop"}
    wrong = {
        f"{room} imports {other}" for room, other in _imports() if heights[other] >= heights[room] and room != other
    }
    assert not wrong


def test_files_and_names_are_there() -> None:
    named = re.findall(r"`(\S+\.py): (\w+)(?:\.(\w+))?`", MAP)
    assert named
    missing = []
    for file, name, member in named:
        source = (PACKAGE / file).read_text()
        for wanted in filter(None, (name, member)):
            if not re.search(rf"^\s*(def|class) {wanted}\b", source, flags=re.MULTILINE):
                missing.append(f"{file}: {wanted}")
    assert not missing


def test_calibration_meets_the_decoder_in_one_file() -> None:
    shared: dict[str, set[str]] = {}
    users = set()
    for path in (ROOT / "src/cascade_calibration").rglob("*.py"):
        lines = re.findall(r"^\s*(?:from|import) cascade_qec\b(.*)", path.read_text(), flags=re.MULTILINE)
        for line in lines:
            shared.setdefault(re.sub(r"^(?: import |\.)(\w+).*", r"\1", line), set()).add(path.name)
    for path in PACKAGE.rglob("*.py"):
        if re.search(r"^\s*(?:from|import) cascade_calibration\b", path.read_text(), flags=re.MULTILINE):
            users.add(path.relative_to(PACKAGE).parts[0])
    common = {"errors", "files", "locks", "statistics", "tables"}
    assert {room for room, files in shared.items() if files != {"noise.py"}} == common
    assert shared.keys() - common == {"circuits", "codes"}
    assert users == {"cli"}


def _imports() -> set[tuple[str, str]]:
    """Rooms, and rooms that they import, within functions too."""
    found = set()
    for folder, top in ((PACKAGE, ""), (ROOT / "workshop", "workshop")):
        for path in folder.rglob("*.py"):
            room = top or path.relative_to(folder).parts[0].removesuffix(".py")
            for module, names in re.findall(
                r"^\s*from (cascade_qec(?:\.\w+)?|workshop)\b[\w.]* import (.*)", path.read_text(), flags=re.MULTILINE
            ):
                others = names.split(", ") if module == "cascade_qec" else [module.removeprefix("cascade_qec.")]
                found |= {(room, other) for other in others if other == "workshop" or (PACKAGE / other).is_dir()}
                found |= {(room, other) for other in others if (PACKAGE / f"{other}.py").exists()}
    return {pair for pair in found if pair[0] not in ("__init__", "__main__")}
