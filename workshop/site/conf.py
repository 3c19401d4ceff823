"""Sphinx's settings for the site, which `python -m workshop site` builds."""

# Sphinx is of the extra [docs], which the types are checked without.
# pyright: reportMissingImports=false, reportMissingModuleSource=false

from importlib import import_module, metadata

from docutils import nodes
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx

from workshop.site.reference import doors

for door in doors():  # before autodoc does, under which pydantic refuses FastAPI's models
    import_module(door)

project = "Cascade"
author = copyright = "The cascade-qec authors"
release = metadata.version("cascade-qec")

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["jupyter_execute"]

myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]
nb_execution_mode = "cache"
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_show_tb = True
nb_execution_timeout = 300
nb_merge_streams = True

default_role = "code"  # as docstrings are written
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
napoleon_google_docstring = False
napoleon_use_rtype = False
toc_object_entries = False  # the table above them is enough, and every page would carry them all

html_theme = "furo"
html_title = f"Cascade {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = True
html_show_sphinx = False
html_theme_options = {
    "light_css_variables": {"color-brand-primary": "#1f5fa8", "color-brand-content": "#1f5fa8"},
    "dark_css_variables": {"color-brand-primary": "#7fb2f0", "color-brand-content": "#7fb2f0"},
}


def setup(app: Sphinx) -> None:
    app.connect("doctree-read", _without_links_of_shapes)


def _without_links_of_shapes(app: Sphinx, doctree: nodes.document) -> None:
    """Types such as ``bool [shots, k]`` name no classes."""
    for link in list(doctree.findall(pending_xref)):
        if link.get("refdomain") == "py" and link["reftype"] == "class" and link["reftarget"].islower():
            link.replace_self(nodes.Text(link["reftarget"]))
