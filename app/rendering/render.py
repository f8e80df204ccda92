"""Templates of the page, filled."""

from __future__ import annotations

from functools import cache, partial
from typing import Any

from jinja2 import Environment, PackageLoader

from app.text.messages import said


def render(template: str, *, language: str = "en", **values: Any) -> str:
    """A template of ``app/rendering/templates`` with everything escaped that is not markup of ours.

    Args:
        language: ISO 639-1 code of what the page itself says, which stands in the templates as ``_("English words")``.
    """
    return _environment().get_template(template).render(_=partial(said, language=language), language=language, **values)


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("app.rendering", "templates"), autoescape=True, trim_blocks=True, lstrip_blocks=True
    )
