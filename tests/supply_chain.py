"""What this project stands on: licences of all that is installed with it, and known vulnerabilities. Run by ``make check``.

python tests/supply_chain.py [--audit]

Exit status 1: a licence is not clear, a vulnerability is new, or an accepted one must be looked at again.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from typing import Any

PROJECT = "iskp-qa"
EXTRAS = ("test",)
PERMISSIVE = re.compile(
    r"\b(?:apache|mit|bsd|isc|psf|python software foundation|python-2\.0|zlib|unlicense|public domain|cc0|mpl|mozilla|hpnd|"
    r"mit-cmu|0bsd|zpl|historical permission|blueoak|boost|afl|artistic|ncsa|cnri|openssl|wtfpl)\b",
    re.I,
)
COPYLEFT = re.compile(r"\b(?:agpl|affero|sspl|(?<!l)gpl|gnu general public)\b", re.I)
# Looked up by hand where a package says nothing, or says it unusually.
KNOWN: dict[str, str] = {}
# Reciprocal licences that are fine for a program that imports the library unchanged, with the reason.
ALLOWED = {
    "fpdf2": "LGPL; test tool only, imported unchanged",
    "certifi": "MPL-2.0",
}


def closure(name: str = PROJECT, extras: tuple[str, ...] = EXTRAS) -> dict[str, Distribution]:
    """Every distribution that is installed because of ours, by name."""
    from packaging.requirements import Requirement

    found: dict[str, Distribution] = {}
    queue: list[tuple[str, frozenset[str]]] = [(name, frozenset(extras))]
    seen: set[tuple[str, frozenset[str]]] = set()
    while queue:
        wanted, parts = queue.pop()
        if (wanted, parts) in seen:
            continue
        seen.add((wanted, parts))
        try:
            found[wanted] = dist = distribution(wanted)
        except PackageNotFoundError:
            continue  # for another system, or an extra that nobody asked for
        for line in dist.requires or ():
            requirement = Requirement(line)
            marker = requirement.marker
            if marker is None or any(marker.evaluate({"extra": e}) for e in (*parts, "")):
                queue.append((_name(requirement.name), frozenset(requirement.extras)))
    found.pop(name, None)
    return found


def licence_of(dist: Distribution) -> str:
    """What the package says, in one line."""
    meta = dist.metadata
    name = _name(meta["Name"])
    if name in KNOWN:
        return KNOWN[name]
    if expression := meta.get("License-Expression"):
        return expression
    classes = [c.rsplit(" :: ", 1)[-1] for c in meta.get_all("Classifier") or () if c.startswith("License")]
    classes = [c for c in classes if c not in {"OSI Approved"}]
    text = (meta.get("License") or "").strip().split("\n", 1)[0][:80]
    return " / ".join(classes) or text or _from_files(dist)


def _from_files(dist: Distribution) -> str:
    """The kind of the licence file, by its words."""
    for file in dist.files or ():
        if re.search(r"(?:licen[cs]e|copying)", file.name, re.I):
            try:
                text = file.read_text()[:3000]
            except (OSError, UnicodeDecodeError):
                continue
            for kind, words in (
                ("Apache-2.0", "Apache License"), ("MIT", "Permission is hereby granted, free of charge"),
                ("BSD", "Redistribution and use in source and binary forms"), ("MPL-2.0", "Mozilla Public License"),
            ):  # fmt: skip
                if words in text:
                    return f"{kind} (from {file.name})"
    return "not stated"


def problems() -> Iterator[str]:
    """One line for each package whose licence is not clearly permissive."""
    for name, dist in sorted(closure().items()):
        licence = licence_of(dist)
        if name in ALLOWED or (PERMISSIVE.search(licence) and not _only_copyleft(licence)):
            continue
        yield f"{name} {dist.version}: {licence}"


def _only_copyleft(licence: str) -> bool:
    """Whether no permissive choice is left: "MIT OR GPL" leaves one, "MIT AND GPL" does not."""
    choices = re.split(r"\s+or\s+|\s*/\s*", licence, flags=re.I)
    return bool(COPYLEFT.search(licence)) and all(COPYLEFT.search(c) for c in choices)


def _name(text: str) -> str:
    return re.sub(r"[-_.]+", "-", text).lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A known vulnerability that does not reach us, looked at by hand.

    Attributes:
        ids: under which services tell of it.
        expires: from this day on the check fails until somebody has looked again.
    """

    ids: frozenset[str]
    package: str
    reason: str
    expires: date


ACCEPTED = (
    Accepted(
        ids=frozenset({"CVE-2026-45829", "PYSEC-2026-311", "GHSA-f4j7-r4q5-qw2c"}),
        package="chromadb",
        reason="Chroma's Python server runs a model's code before any log-in; we start no Python server",
        expires=date(2027, 2, 28),
    ),
    Accepted(
        ids=frozenset({"CVE-2026-45833"}),
        package="chromadb",
        reason="the same by an update of a collection, in the same server",
        expires=date(2027, 2, 28),
    ),
    Accepted(
        ids=frozenset({"CVE-2026-45830"}),
        package="chromadb",
        reason="tenants of one server see each other's data; we use one tenant, and a server of one's own",
        expires=date(2027, 2, 28),
    ),
    Accepted(
        ids=frozenset({"CVE-2026-45831"}),
        package="chromadb",
        reason="roles in the server's log-in; we use none, a proxy asks for the token",
        expires=date(2027, 2, 28),
    ),
)
"""No release of chromadb without these exists (November 2026); docs/security.md says what we do."""


def overdue(today: date, accepted: tuple[Accepted, ...] = ACCEPTED) -> list[str]:
    """One line for each accepted vulnerability that must be looked at again."""
    return [
        f"{a.package} {min(a.ids)}: accepted until {a.expires}; look again, then change ACCEPTED in tests/supply_chain.py"
        for a in accepted
        if today >= a.expires
    ]


def judge(report: Mapping[str, Any], accepted: tuple[Accepted, ...] = ACCEPTED) -> tuple[list[str], list[str], bool]:
    """What the JSON report of pip-audit comes to.

    Returns:
        Lines on new vulnerabilities, lines on accepted ones, and whether anything was checked at all: without a
        network pip-audit skips every package and tells success.
    """
    new, known = [], []
    for package in report["dependencies"]:
        for found in package.get("vulns", ()):
            ids = {found["id"], *found.get("aliases", ())}
            reason = next((a.reason for a in accepted if a.package == _name(package["name"]) and a.ids & ids), None)
            line = f"{package['name']} {package.get('version', '')} {' '.join(sorted(ids))}"
            fixed = ", ".join(found.get("fix_versions", ())) or "none"
            (new if reason is None else known).append(f"{line}: {reason or f'mended in: {fixed}'}")
    return new, known, any("skip_reason" not in package for package in report["dependencies"])


def audit() -> list[str]:
    """Ask the vulnerability service about every installed version; lines on what is wrong. Says where it can't ask."""
    done = subprocess.run(
        [
            sys.executable, "-m", "pip_audit", "--local", "--skip-editable", "--progress-spinner", "off",
            "--timeout", "20", "--format", "json",
        ],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "No module named pip_audit" in done.stderr:
        print("vulnerabilities: not checked; install pip-audit first: .venv/bin/pip install pip-audit")
        return []
    try:
        new, known, checked = judge(json.loads(done.stdout))
    except (ValueError, KeyError):
        new, known, checked = [], [], False
    if not checked:
        print("vulnerabilities: not checked; the service cannot be reached from here")
    for line in known:
        print(f"accepted: {line}")
    return [f"vulnerable: {line}" for line in new]


def main() -> int:
    """The list, what is wrong with it, and the audit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--audit", action="store_true", help="also ask for known vulnerabilities")
    options = parser.parse_args()
    for name, dist in sorted(closure().items()):
        print(f"{name:42}{dist.version:16}{licence_of(dist)}")
    wrong = [*(f"look at: {line}" for line in problems()), *(f"overdue: {line}" for line in overdue(date.today()))]
    wrong += audit() if options.audit else []
    for line in wrong:
        print(line)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
