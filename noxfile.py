"""The jobs of the project; `nox -l` lists them.

Every job works on the built wheel in an environment of its own, so what is tested is what is
shipped. `nox` alone runs what a change must pass on any machine.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

import nox

ROOT = Path(__file__).parent
PYPROJECT = nox.project.load_toml("pyproject.toml")
PYTHONS = nox.project.python_versions(PYPROJECT)

nox.needs_version = ">=2024.10.9"
nox.options.sessions = ["tests", "types", "lint", "docs", "requirements"]


def install_wheel(session: nox.Session, *groups: str, constraints: Path | None = None) -> None:
    """Install the wheel that pip builds of this folder, all extras and the dependency groups."""
    bounds = ("--constraint", str(constraints)) if constraints else ()
    session.install(".[all]", *nox.project.dependency_groups(PYPROJECT, *groups), *bounds)


def run_pytest(session: nox.Session, *arguments: str) -> None:
    """Run the tests, and the examples in the docstrings of the installed package.

    Paths among what follows ``--`` take the place of both.
    """
    named = any((ROOT / each.partition("::")[0]).exists() for each in session.posargs)
    session.run(
        "pytest",
        "--doctest-modules",
        "--collect-in-virtualenv",
        *(() if named else ("--pyargs", "medsign", "tests")),
        *arguments,
        *session.posargs,
    )


@nox.session
def tests(session: nox.Session) -> None:
    """Test the wheel on the Python that runs nox."""
    install_wheel(session, "test")
    run_pytest(session)


@nox.session(python=PYTHONS)
def versions(session: nox.Session) -> None:
    """Test the wheel on every supported Python; those not installed are reported as skipped."""
    install_wheel(session, "test")
    run_pytest(session)


@nox.session
def lowest(session: nox.Session) -> None:
    """Test the wheel with the lower bound of each dependency."""
    project = PYPROJECT["project"]
    declared = f"{project['dependencies']} {project['optional-dependencies']}"
    pins = [f"{name}=={low}" for name, low in re.findall(r"([\w-]+)>=([\w.]+)", declared)]
    constraints = Path(session.create_tmp()) / "lowest.txt"
    constraints.write_text("\n".join(pins))
    install_wheel(session, "test", constraints=constraints)
    run_pytest(session)


@nox.session
def interop(session: nox.Session) -> None:
    """Test against programs of the system; a missing one is a failure here, not a skip."""
    install_wheel(session, "test")
    session.env["MEDSIGN_INTEROP"] = "require"
    session.run("pytest", "-m", "interop", "tests", *session.posargs)


@nox.session
def faults(session: nox.Session) -> None:
    """Try every fault on every operation in every colour; the tests take a sample of these."""
    install_wheel(session, "test")
    session.env["MEDSIGN_FAULTS"] = "all"
    session.run("pytest", "tests/faults/test_matrix.py", *session.posargs)


@nox.session
def types(session: nox.Session) -> None:
    """Check the types twice: mypy strict and pyright strict."""
    install_wheel(session, "types")
    session.run("mypy")
    session.run("pyright", "--pythonpath", f"{session.bin}/python")


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and format."""
    session.install(*nox.project.dependency_groups(PYPROJECT, "lint"))
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation, warnings are errors, and run every example in it."""
    install_wheel(session, "docs")
    session.run(
        *("sphinx-build", "-E", "-W", "--keep-going", "-b", "html", "-d", "docs/_build/doctrees"),
        *("docs", "docs/_build/html"),
    )
    session.run("pytest", "-q", "tests/test_examples.py")


@nox.session
def fuzz(session: nox.Session) -> None:
    """Throw bytes at every door for ten minutes; a find ends it with an error."""
    install_wheel(session, "test")
    session.install("atheris>=3.0")
    session.run(
        "python", "tests/fuzz/atheris_harness.py", *(session.posargs or ["all", "--seconds", "600"])
    )


@nox.session
def bench(session: nox.Session) -> None:
    """Measure what the performance page states."""
    install_wheel(session, "test")
    for script in sorted((ROOT / "benchmarks").glob("*.py")):
        session.run("python", str(script.relative_to(ROOT)), *session.posargs)


@nox.session(venv_backend="none")
def requirements(session: nox.Session) -> None:
    """Print which rows of the requirements table the tests cover."""
    session.run(sys.executable, "tools/requirements_report.py", *session.posargs, external=True)
