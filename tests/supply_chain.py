"""What this project stands on: licences of all that is installed with it, and known vulnerabilities. Run by ``make check``.

python tests/supply_chain.py [--audit]
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution

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


def audit() -> int:
    """Ask the vulnerability service about every installed version; 2 where it can't be asked."""
    done = subprocess.run(
        [sys.executable, "-m", "pip_audit", "--local", "--skip-editable", "--progress-spinner", "off", "--timeout", "20"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "No module named pip_audit" in done.stderr:
        print("vulnerabilities: not checked; install pip-audit first: .venv/bin/pip install pip-audit")
        return 2
    if done.returncode and ("onnection" in done.stderr or "ServiceError" in done.stderr or "HTTPError" in done.stderr):
        print("vulnerabilities: not checked; the service cannot be reached from here")
        return 2
    print(done.stdout.strip() or done.stderr.strip())
    return done.returncode


def main() -> int:
    """The list, what is wrong with it, and the audit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--audit", action="store_true", help="also ask for known vulnerabilities")
    options = parser.parse_args()
    for name, dist in sorted(closure().items()):
        print(f"{name:42}{dist.version:16}{licence_of(dist)}")
    wrong = list(problems())
    for line in wrong:
        print(f"look at: {line}")
    code = audit() if options.audit else 0
    return 1 if wrong or code == 1 else 0


if __name__ == "__main__":
    sys.exit(main())
