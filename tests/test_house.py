"""The walls of docs/architecture.md as tests: who imports whom, sizes, exports, both READMEs."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

import medsign

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src" / "medsign"
MODULES = sorted(SOURCE.rglob("*.py"))

# Ground floor first; the rooms of one line stand side by side and do not import each other.
FLOORS = [
    {"errors"},
    {"clock", "identifiers"},
    {"codec"},
    {"gost"},
    {"status"},
    {"store"},
    {"exchange"},
    {"transport"},
    {"telemetry"},
    {"pki"},
    {"cms"},
    {"xmldsig", "pdf"},
    {"signers"},
    {"ca", "dss", "mchd", "sep", "ekp", "gosuslugi"},
    {"recording", "watch"},
    {"config"},
    {"client"},
    {"durable"},
    {"sandbox"},
    {"testing"},
    {"cli"},
]
HOMES = {name: getattr(medsign, name).__module__ for name in medsign.__all__}
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}

BEHIND_THE_DOOR = {"asn1crypto", "cattrs", "http_sf", "lxml"}
# What may be called only in the rooms named: time, sleep and output are parameters elsewhere.
GUARDED_CALLS = {
    "datetime.datetime.now": {"clock"},
    "datetime.datetime.utcnow": set(),
    "datetime.datetime.today": set(),
    "datetime.date.today": set(),
    "time.time": set(),
    "time.monotonic": {"clock"},
    "time.sleep": {"exchange", "cli"},
    "asyncio.sleep": set(),
    "asyncio.run": {"cli"},
    "anyio.run": {"cli", "sandbox"},
    "print": {"cli"},
    "os.getenv": {"config"},
    "os.environ.get": {"config"},
}
LIGHT_IMPORTS_NOT = {
    *(
        "asn1crypto",
        "cattrs",
        "http_sf",
        "lxml",
        "opentelemetry",
        "pyhanko",
        "pypdf",
        "reportlab",
        "rich",
        "starlette",
        "typer",
        "uvicorn",
    ),
    *("sqlite3", "tenacity"),
}


def room_of(module: Path) -> str:
    return module.relative_to(SOURCE).parts[0].removesuffix(".py")


def named(module: Path) -> str:
    return str(module.relative_to(ROOT))


def imports(module: Path) -> Iterator[tuple[int, str]]:
    """Yield line and full name of each import, also of those inside functions."""
    package = ["medsign", *module.relative_to(SOURCE).parent.parts]
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*origin, *([node.module] if node.module else [])])
            # `from medsign import pki` names a room, `from medsign import MedSign` a name in one.
            whole = (
                [HOMES.get(alias.name, f"{base}.{alias.name}") for alias in node.names]
                if base == "medsign"
                else [base]
            )
            yield from ((node.lineno, name) for name in whole)


def test_every_room_stands_on_a_floor():
    rooms = {room_of(module) for module in MODULES} - {"__init__"}
    assert rooms <= FLOOR.keys()


def test_a_room_imports_only_from_below():
    wrong = [
        f"{named(module)}:{line} imports {name}"
        for module in MODULES
        if (room := room_of(module)) != "__init__"
        for line, name in imports(module)
        if name.startswith("medsign.")
        and (other := name.split(".")[1]) != room
        and FLOOR.get(other, len(FLOORS)) >= FLOOR[room]
    ]
    assert wrong == []


def test_bytes_come_in_by_one_door():
    wrong = [
        f"{named(module)}:{line} imports {name}"
        for module in MODULES
        if room_of(module) != "codec"
        for line, name in imports(module)
        if name.split(".")[0] in BEHIND_THE_DOOR
    ]
    assert wrong == []


def test_what_is_imported_is_declared():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = f"{project['dependencies']} {project['optional-dependencies']}"
    named_otherwise = {
        "http-sf": "http_sf",
        "opentelemetry-api": "opentelemetry",
        "python-pkcs11": "pkcs11",
    }
    packages = re.findall(r"'([\w-]+)[>\[]", declared)
    known = {named_otherwise.get(package, package) for package in packages}
    known |= sys.stdlib_module_names | {"medsign"}
    wrong = {
        f"{named(module)}: {name}"
        for module in MODULES
        for _, name in imports(module)
        if name.split(".")[0] not in known and room_of(module) != "testing"
    }
    assert wrong == set()


def calls(module: Path) -> Iterator[tuple[int, str]]:
    """Yield line and full name of each call of something imported or built in."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    full = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            full |= {alias.asname: alias.name for alias in node.names if alias.asname}
        elif isinstance(node, ast.ImportFrom):
            full |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            first, dot, rest = ast.unparse(node.func).partition(".")
            yield node.lineno, full.get(first, first) + dot + rest


def test_time_sleep_and_output_are_taken_only_where_allowed():
    wrong = [
        f"{named(module)}:{line} calls {name}"
        for module in MODULES
        for line, name in calls(module)
        if room_of(module) not in GUARDED_CALLS.get(name, {room_of(module)})
    ]
    assert wrong == []


def test_no_module_is_over_600_lines():
    lengths = {named(module): len(module.read_text("utf-8").splitlines()) for module in MODULES}
    assert {name: length for name, length in lengths.items() if length > 600} == {}


def test_no_file_names_a_path_of_one_machine():
    home = re.compile(r"(?<![\w.:/-])/(?:home|root|Users|work)/\w")
    texts = [
        path
        for folder in ("src", "tests", "docs", "examples", "tools", "benchmarks")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".py", ".md", ".toml", ".json", ".txt"} and "_build" not in path.parts
    ]
    texts += [*ROOT.glob("*.md"), *ROOT.glob("*.py"), *ROOT.glob("*.toml")]
    wrong = [
        f"{named(path)}:{number}"
        for path in texts
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if home.search(line)
    ]
    assert wrong == []


def packages() -> list[str]:
    """Return medsign and its rooms that say what they export."""
    inits = [module for module in MODULES if module.name == "__init__.py"]
    return [
        ".".join(["medsign", *module.relative_to(SOURCE).parent.parts])
        for module in inits
        if "__all__" in module.read_text(encoding="utf-8")
    ]


@pytest.mark.parametrize("package", packages())
def test_all_names_real_exports(package: str):
    module = importlib.import_module(package)
    assert [name for name in module.__all__ if not hasattr(module, name)] == []
    assert len(set(module.__all__)) == len(module.__all__)


def test_medsign_exports_nothing_beside_all():
    exported = getattr(medsign, "__all__", [])
    public = {
        name
        for name in dir(medsign)
        if not name.startswith("_")
        and not inspect.ismodule(getattr(medsign, name))
        and getattr(getattr(medsign, name), "__module__", "medsign").startswith("medsign")
    }
    assert public - set(exported) == set()


def promised_methods() -> set[str]:
    """Return the methods that a documented Protocol describes once for all who keep it."""
    return {
        method.name
        for module in MODULES
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
        and any("Protocol" in ast.unparse(base) for base in node.bases)
        for method in node.body
        if isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef) and ast.get_docstring(method)
    }


@pytest.mark.parametrize("package", packages())
def test_every_public_name_says_what_it_is(package: str):
    module = importlib.import_module(package)
    things = {name: getattr(module, name) for name in module.__all__}
    told = promised_methods()
    silent = [
        name
        for name, thing in things.items()
        if (inspect.isclass(thing) or inspect.isfunction(thing)) and not inspect.getdoc(thing)
    ]
    silent += [
        f"{name}.{label}"
        for name, thing in things.items()
        if inspect.isclass(thing)
        for label, member in vars(thing).items()
        if inspect.isfunction(member)
        and not label.startswith("_")
        and label not in told
        and not inspect.getdoc(getattr(thing, label))
    ]
    assert silent == []


def test_import_medsign_loads_no_optional_part():
    code = "import sys, medsign; print(*{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) & LIGHT_IMPORTS_NOT == set()


def skeleton(readme: str) -> list[int]:
    text = re.sub(r"```.*?```", "", readme, flags=re.DOTALL)
    return [len(marks) for marks in re.findall(r"^(#+) ", text, flags=re.MULTILINE)]


def code_blocks(readme: str) -> list[str]:
    return re.findall(r"^```\w*\n.*?^```", readme, flags=re.DOTALL | re.MULTILINE)


def test_both_readmes_have_the_same_sections_and_the_same_code():
    english, russian = (
        (ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "README.ru.md")
    )
    assert skeleton(english) == skeleton(russian)
    assert code_blocks(english) == code_blocks(russian)


def test_ci_calls_the_very_line_that_the_readme_gives():
    line = "python3 -m venv .venv && .venv/bin/pip install -q nox && .venv/bin/nox -s tests"
    assert line in (ROOT / "README.md").read_text(encoding="utf-8")
    assert line in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
