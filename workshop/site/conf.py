"""Sphinx's settings for the site, which `python -m workshop site` builds."""

from importlib import metadata

project = "Cascade"
author = copyright = "The cascade-qec authors"
release = metadata.version("cascade-qec")

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["jupyter_execute"]

myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]
nb_execution_mode = "cache"
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
