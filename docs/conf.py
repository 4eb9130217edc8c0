"""How Sphinx builds these pages: from committed outputs, without a network, without a script from elsewhere."""

from __future__ import annotations

import sys
from pathlib import Path

import cometnb

sys.path.insert(0, str(Path(__file__).resolve().parent / "_ext"))

import public  # from _ext

project = "cometnb"
version = release = cometnb.__version__
project_copyright = ""
html_show_copyright = False
html_show_sphinx = False
html_title = "cometnb"

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "docstrings",
    "generated",
    "mathml",
    "named",
    "prompt_cells",
]
exclude_patterns = ["_*", "**/_*"]
exclude_patterns += [
    f"reference/api/{group.slug}.md" for group in public.GROUPS if not any(public.named(group))
]

# Pages.
html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["cometnb.css"]
html_copy_source = False
html_show_sourcelink = False
html_math_renderer = "mathml"
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3

# Notebooks are shown as they are in the repository; nothing is run.
nb_execution_mode = "off"
nb_render_markdown_format = "myst"
nb_output_stderr = "show"
# What was shown while it streamed is not in the file; what is, is for every reader.
nb_mime_priority_overrides = [("html", "application/vnd.jupyter.widget-view+json", None)]
# A heading in an answer need not fit the page's outline, and a word of a docstring such as `model` is many attributes.
suppress_warnings = ["myst.header", "mystnb.unknown_mime_type", "ref.python"]

# Docstrings.
autodoc_member_order = "groupwise"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autoclass_content = "class"
default_role = "py:obj"
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_param = False
napoleon_use_rtype = False
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 76
add_module_names = False
toc_object_entries_show_parents = "hide"

# Names of cometnb have to lead somewhere; where others document theirs is not looked up.
nitpick_ignore_regex = [("py:.*", r"(?!cometnb\.).*")]
