"""Sphinx settings; pages that repeat the code are written from the code at each build."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import medsign
from medsign.status.model import StatusModel

project = "medsign"
author = "medsign maintainers"
copyright = "medsign maintainers"
language = "ru"
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx.ext.viewcode",
    "sphinxcontrib.mermaid",
]
exclude_patterns = ["_build", "_generated/status-tables.md"]  # the latter is included
html_theme = "furo"
html_title = "medsign"
default_role = "code"
myst_heading_anchors = 3
myst_fence_as_directive = ["mermaid"]
napoleon_use_ivar = True  # else a property and its line under "Attributes" are two objects
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_member_order = "bysource"
autodoc_default_options = {"members": True, "show-inheritance": True}

GENERATED = Path(__file__).parent / "_generated"

ROOMS = {
    "errors": "One error tree",
    "identifiers": "Checked identifiers",
    "clock": "Time as a parameter",
    "codec": "The door for bytes",
    "gost": "GOST cryptography",
    "status": "Status models",
    "store": "Stores",
    "exchange": "Exchanges and drivers",
    "transport": "HTTP transports, GOST TLS",
    "telemetry": "Spans and metrics",
    "pki": "Certificates and paths",
    "cms": "CAdES",
    "xmldsig": "XML signatures",
    "pdf": "Signatures inside PDF",
    "signers": "Signers",
    "ca": "Certification authority",
    "dss": "КриптоПро DSS",
    "mchd": "Powers of attorney (МЧД)",
    "sep": "Patient e-signing (СЭП)",
    "ekp": "Petersburg card (ЕКП)",
    "gosuslugi": "Госуслуги doctor cabinet",
    "watch": "Expiry watch",
    "recording": "Recorded exchanges",
    "config": "Settings",
    "client": "The one window",
    "durable": "Durable runs",
    "sandbox": "Sandbox",
    "testing": "Help for tests",
    "cli": "Command line",
}


def modules(name: str) -> Iterator[ModuleType]:
    """Yield a module and, when it is a package, what is inside it."""
    module = importlib.import_module(name)
    yield module
    for inner in pkgutil.iter_modules(getattr(module, "__path__", ())):
        if not inner.name.startswith("_"):
            yield from modules(f"{name}.{inner.name}")


def exporting(name: str) -> Iterator[str]:
    """Yield the modules whose names are public; a package with `__all__` speaks for its inside."""
    module = importlib.import_module(name)
    yield name
    if not hasattr(module, "__all__"):
        for inner in pkgutil.iter_modules(getattr(module, "__path__", ())):
            if not inner.name.startswith("_"):
                yield from exporting(f"{name}.{inner.name}")


def borrowed_names(name: str) -> list[str]:
    """Return what a module exports for convenience though another room describes it."""
    module = importlib.import_module(name)
    return [
        each
        for each in getattr(module, "__all__", ())
        if not getattr(getattr(module, each), "__module__", name).startswith(name)
    ]


def present_rooms() -> list[str]:
    """Return the rooms that are there, in the order of the house."""
    found = {inner.name for inner in pkgutil.iter_modules(medsign.__path__)}
    if unnamed := found - set(ROOMS):
        raise ValueError(f"rooms without a title: {sorted(unnamed)}")
    return [room for room in ROOMS if room in found]


def write_api_pages() -> None:
    """Write a page for each room; a name is described once, where its room exports it."""
    rooms = present_rooms()
    listed = "\n".join(f"api-{room}" for room in rooms)
    (GENERATED / "api.md").write_text(
        f"# API reference\n\n```{{toctree}}\n:maxdepth: 1\n\n{listed}\n```\n", encoding="utf-8"
    )
    for room in rooms:
        parts = [f"# medsign.{room}: {ROOMS[room]}\n"]
        for name in exporting(f"medsign.{room}"):
            if name != f"medsign.{room}":
                parts.append(f"## {name}\n")
            borrowed = ", ".join(borrowed_names(name))
            parts.append(
                f"```{{eval-rst}}\n.. automodule:: {name}\n   :exclude-members: {borrowed}\n```\n"
            )
        (GENERATED / f"api-{room}.md").write_text("\n".join(parts), encoding="utf-8")


def write_status_pages() -> None:
    """Write the table and the diagram of each status model."""
    found = {
        value.name: value
        for room in present_rooms()
        for module in modules(f"medsign.{room}")
        for value in vars(module).values()
        if isinstance(value, StatusModel)
    }
    parts = []
    for name, model in sorted(found.items()):
        rows = "\n".join(
            f"| `{state.code}` | {state.label} | {'да' if state.terminal else ''} |"
            for state in model.states.values()
        )
        parts.append(
            f"## {name}\n\n| Код | Название | Конечное |\n|---|---|---|\n{rows}\n\n"
            f"```mermaid\n{model.to_mermaid()}\n```\n"
        )
    (GENERATED / "status-tables.md").write_text("\n".join(parts), encoding="utf-8")


def setup(_app: object) -> None:
    GENERATED.mkdir(exist_ok=True)
    write_api_pages()
    write_status_pages()
