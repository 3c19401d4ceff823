"""From the checkout to the built site."""

import os
import subprocess
import sys
from pathlib import Path

from cascade_qec import page
from workshop.site import cards
from workshop.site.links import lost
from workshop.site.staging import Staging

_SETTINGS = Path(__file__).parent


def build(out: Path, *, external: bool) -> bool:
    """Build the site into ``out/html``, or check its links to other sites, and say whether all is well.

    Raises
    ------
    CascadeError
        If Sphinx is not installed.
    """
    sources, html = out / "sources", out / "html"
    Staging(sources).write()
    cards.draw_rates(sources / "cards")
    builder = "linkcheck" if external else "html"
    command = [sys.executable, "-m", "sphinx", "-b", builder, "-W", "--keep-going", "-q", "-c", _SETTINGS]
    done = subprocess.run([*command, "-d", out / "doctrees", sources, out / builder], env=_environment())
    if done.returncode or external:
        return not done.returncode
    page.write(html / "play")
    broken = lost(html)
    print(*broken or [f"Site: {html / 'index.html'}"], sep="\n")
    return not broken


def _environment() -> dict[str, str]:
    """Tutorials find the commands of this environment, one thread each, and nothing on the network."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return os.environ | {"PATH": path, "CASCADE_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
