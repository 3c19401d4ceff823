"""Where models come from, for the terminal."""

from cascade_qec.zoo import registry
from cascade_qec.zoo.home import home

_TITLES = {
    "bundled": "Come with the package",
    "fetched": "Fetched",
    "released": "Released, fetched on first use",
}


def sources_view() -> str:
    """A line for each source of models that there is, with the names of its models."""
    sources = registry.sources()
    lines = []
    for source, title in _TITLES.items():
        names = [name for name, found in sources.items() if found == source]
        if names:
            where = f" into {home() / 'models'}" if source == "fetched" else ""
            lines.append(f"{title}{where}: {', '.join(names)}")
    return "\n".join(lines)
