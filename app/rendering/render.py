"""Templates of the page, filled."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader


def render(template: str, **values: Any) -> str:
    """A template of ``app/rendering/templates`` with everything escaped that is not markup of ours."""
    return _environment().get_template(template).render(**values)


@cache
def _environment() -> Environment:
    return Environment(loader=PackageLoader("app.rendering", "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True)
