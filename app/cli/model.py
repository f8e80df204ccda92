"""``iskp model``: which language models there are, getting one, and using one."""

from __future__ import annotations

import json
from pathlib import Path

import click

from app.cli.home import home_option, open_home
from app.cli.output import bar, status, write


@click.group("model", invoke_without_command=True)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@home_option
@click.pass_context
def model(ctx: click.Context, as_json: bool, own_home: Path | None) -> None:
    """List the language models that can word answers; get one, and use one.

    Without one, answers are quotations. Looks at Ollama on this machine, at the server of the settings, at keys in the
    environment (never shown) and at model files; nothing else is asked.

    \b
    Examples:
      iskp model
      iskp model get qwen2.5-7b
      iskp model use gguf:qwen2.5-7b
    """
    root = own_home or ctx.obj
    if ctx.invoked_subcommand is not None:
        ctx.obj = root
        return
    from dataclasses import asdict

    from app.writing.available import available

    engine = open_home(root).settings.engine.name
    with status("looking for models"):
        found = available(engine)
    if as_json:
        click.echo(json.dumps({"in_use": engine, **asdict(found), "keys": dict(found.keys)}, ensure_ascii=False, indent=2))
        return
    write(f"In use: {engine}" + (" (quotations, no model)" if engine == "extractive" else ""))
    headings = {"Ollama": "Ollama on this machine", "server": "Server of the settings", "file": "Model files"}
    for where, heading in headings.items():
        mine = [m for m in found.models if m.where == where]
        if mine:
            click.echo(f"\n{heading}:")
        for m in mine:
            away = "" if m.stays else "; runs elsewhere: your questions and passages are sent"
            write(f"{m.engine}  [{m.state}]  {m.about}{away}", "  ")
    if found.keys:
        click.echo("\nKeys in the environment:")
    for variable, form in found.keys.items():
        write(f"{variable} is set: {form}", "  ")
    if found.notes:
        click.echo()
    for note in found.notes:
        write(f"{note[:1].upper()}{note[1:]}.", "")
    click.echo("\nGet a model file: iskp model get NAME. Use a model: iskp model use ENGINE, back to quotations: iskp model use extractive")


@model.command("get")
@click.argument("name", metavar="NAME|ADDRESS")
def get(name: str) -> None:
    """Download a model file of the list, or from an ADDRESS that ends with .gguf.

    A download that broke off goes on where it was. The SHA-256 is told, and compared where the list has one.

    \b
    Example:
      iskp model get qwen2.5-1.5b
    """
    from app.writing.download import get as fetch
    from app.writing.download import wanted

    entry = wanted(name)
    if entry.url:
        size = f", {entry.gigabytes:g} GB" if entry.gigabytes else ""
        click.echo(f"{entry.title}{size}, licence {entry.licence}\nfrom {entry.url}", err=True)
    with bar(entry.name, "MB") as show:
        got = fetch(entry, progress=lambda done, whole: show(done, whole or None, done // 1_000_000))
    click.echo(f"{'Already here' if got.already else 'Saved'}: {got.path} ({got.size / 1e9:.2f} GB)")
    checked = "as listed" if got.verified else "not verified: compare it with the one on the model's page"
    click.echo(f"SHA-256 {got.sha256}, {checked}")
    click.echo(f"Use it: iskp model use gguf:{got.name}")


@model.command("use")
@click.argument("name", metavar="ENGINE")
@click.option("--no-try", is_flag=True, help="Write the setting without asking the model for a word first.")
@home_option
@click.pass_obj
def use(root_home: Path | None, name: str, no_try: bool, own_home: Path | None) -> None:
    """Set who words the answers of this home; the model is asked for a word first, so that what is missing is told now.

    ENGINE is a line of 'iskp model', the name of a model file, or extractive for quotations.

    \b
    Example:
      iskp model use ollama:llama3.1
    """
    import os

    from app.config import set_engine
    from app.wiring import engine, writes
    from app.writing.engines import Usage, parse_engine
    from app.writing.local import SUFFIX, known, models_folder

    is_file = name in known() or name.endswith(SUFFIX) or (models_folder() / f"{name}{SUFFIX}").is_file()
    if is_file and not name.startswith(("gguf:", "http:", "https:")):
        name = f"gguf:{name}"
    spec = parse_engine(name)
    home = open_home(own_home or root_home)
    if writes(spec.name) and not no_try:
        with status(f"trying {spec.name}"):
            # A reasoning model thinks first, so the reply may be empty; that it comes to an end is enough.
            short = home.settings.engine.model_copy(update={"answer_tokens": 16})
            for _ in engine(short, spec.name).ask("Answer with one word.", "Say: yes", Usage()):
                break
    file = set_engine(home.folder, spec.name)
    click.echo(f"{spec.name} words the answers now ({file})." if writes(spec.name) else f"Answers are quotations now ({file}).")
    if not spec.stays_here():
        click.echo("Your questions and the passages found are sent to it; see docs/engines.md.")
    if os.environ.get("ISKP_ENGINE_NAME"):
        click.echo("ISKP_ENGINE_NAME is set and stands over this setting.", err=True)
