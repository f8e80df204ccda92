"""Prompt templates, one TOML file each: declared variables, a system text and a user text with ``$name`` places."""

from __future__ import annotations

import hashlib
import string
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

NAMES = ("answer", "strong", "verify", "overview", "repair", "condense", "judge")
_KEYS = frozenset({"variables", "system", "user"})


class PromptError(Exception):
    """A prompt file or what it is filled with does not fit its declaration."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A template.

    Attributes:
        variables: the names that it must be filled with, no more and no fewer.
        fingerprint: first 12 hex digits of the SHA-256 of the file.
    """

    name: str
    variables: tuple[str, ...]
    system: str
    user: str
    fingerprint: str

    @property
    def id(self) -> str:
        """Name and fingerprint, kept in every answer that it led to."""
        return f"{self.name}:{self.fingerprint}"

    def render(self, **values: str) -> tuple[str, str]:
        """System and user text with the values in their places; ``$`` inside values is left alone.

        Raises:
            PromptError: a variable is missing or not declared.
        """
        wrong = set(self.variables) ^ set(values)
        if wrong:
            raise PromptError(
                f"prompt {self.name!r} takes {', '.join(self.variables)}; check: {', '.join(sorted(wrong))}"
            )
        return string.Template(self.system).substitute(values), string.Template(self.user).substitute(values)


@cache
def load(name: str) -> Prompt:
    """The prompt of this name.

    Raises:
        PromptError: there is none, or its places are not the declared variables.
    """
    if name not in NAMES:
        raise PromptError(f"there is no prompt {name!r}; known are {', '.join(NAMES)}")
    return parse(name, files("prompts").joinpath(f"{name}.toml").read_bytes())


def parse(name: str, raw: bytes) -> Prompt:
    """A prompt from the bytes of its file.

    Raises:
        PromptError: as for :func:`load`.
    """
    try:
        data = tomllib.loads(raw.decode("utf-8"))
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise PromptError(f"prompt {name!r} cannot be read: {exc}") from exc
    if set(data) != _KEYS:
        raise PromptError(f"prompt {name!r} needs exactly {', '.join(sorted(_KEYS))}, not {', '.join(sorted(data))}")
    system, user = string.Template(data["system"].strip()), string.Template(data["user"].strip())
    if not (system.is_valid() and user.is_valid()):
        raise PromptError(f"prompt {name!r} holds a '$' that is no place; write '$$' for a dollar sign")
    used = {*system.get_identifiers(), *user.get_identifiers()}
    if used != set(data["variables"]):
        raise PromptError(f"prompt {name!r} declares {sorted(data['variables'])} but uses {sorted(used)}")
    return Prompt(
        name=name,
        variables=tuple(data["variables"]),
        system=system.template,
        user=user.template,
        fingerprint=hashlib.sha256(raw).hexdigest()[:12],
    )
