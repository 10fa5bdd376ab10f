"""Print which rows of the requirements table the tests cover, module by module.

Marks are read from the source of the tests: `@pytest.mark.req("F021", …)` on a test, a class or,
as `pytestmark`, on a file. Rows that are not the work of an SDK stand with their reasons in
`requirements-scope.toml`. The table is not part of the repository: it is read from
`../shared/reference/requirements.tsv` or from the path given.

Exit code 1 means that a mark or the scope file names a row that does not exist; rows without a
test are told, not punished.
"""

from __future__ import annotations

import argparse
import ast
import csv
import sys
import textwrap
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT.parent / "shared" / "reference" / "requirements.tsv"
SCOPE = Path(__file__).with_name("requirements-scope.toml")


class Row(NamedTuple):
    """A row of the table."""

    id: str
    module: str
    feature: str


def read_table(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as lines:
        table = csv.DictReader(lines, delimiter="\t")
        return [Row(line["id"], line["module"], line["feature"]) for line in table]


def read_marks(tests: Path) -> dict[str, list[str]]:
    """Return the places that name each row: `{"F021": ["tests/ca/test_renewal.py:12"]}`."""
    marks: dict[str, list[str]] = defaultdict(list)
    for path in sorted(tests.rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.req":
                place = f"{path.relative_to(tests.parent)}:{node.lineno}"
                for argument in node.args:
                    marks[ast.literal_eval(argument)].append(place)
    return dict(marks)


def read_scope(path: Path) -> dict[str, str]:
    """Return the reason for each row that is out of scope."""
    entries = tomllib.loads(path.read_text(encoding="utf-8"))["rows"]
    return {row: entry["reason"] for entry in entries for row in expand(entry["ids"])}


def expand(ids: list[str]) -> list[str]:
    """Spell out ranges: `["F045-F047"]` becomes F045, F046, F047."""
    spelled = []
    for each in ids:
        first, _, last = each.partition("-")
        numbers = range(int(first[1:]), int((last or first)[1:]) + 1)
        spelled += [f"{first[0]}{number:03}" for number in numbers]
    return spelled


def report(rows: list[Row], marks: dict[str, list[str]], scope: dict[str, str]) -> str:
    """Return the report as text."""
    out = []
    totals = [0, 0, 0]
    for module in sorted({row.module for row in rows}):
        mine = [row for row in rows if row.module == module]
        covered = [row for row in mine if row.id in marks]
        beyond = [row for row in mine if row.id in scope and row.id not in marks]
        missing = [row for row in mine if row.id not in scope and row.id not in marks]
        for index, part in enumerate((covered, missing, beyond)):
            totals[index] += len(part)
        out.append(
            f"\n{module}: {len(mine)} rows, {len(covered)} covered, {len(missing)} not covered, "
            f"{len(beyond)} not an SDK's work"
        )
        out += lines("covered", " ".join(row.id for row in covered))
        out += [f"  not covered   {row.id} {row.feature}" for row in missing]
        out += [f"  not SDK work  {row.id} {row.feature}: {scope[row.id]}" for row in beyond]
    stale = sorted(marks.keys() & scope.keys())
    if stale:
        out.append(f"\nCovered by a test, so to be taken out of {SCOPE.name}: {' '.join(stale)}")
    out.append(
        f"\nAll: {len(rows)} rows, {totals[0]} covered, {totals[1]} not covered, "
        f"{totals[2]} not an SDK's work"
    )
    return "\n".join(out)


def lines(title: str, text: str) -> list[str]:
    start = f"  {title:<14}"
    return textwrap.wrap(text, 100, initial_indent=start, subsequent_indent=" " * len(start))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("table", nargs="?", type=Path, default=TABLE)
    table: Path = parser.parse_args().table
    marks = read_marks(ROOT / "tests")
    scope = read_scope(SCOPE)
    if not table.is_file():
        print(f"The requirements table is not here; tests name {len(marks)} of its rows.")
        return 0
    rows = read_table(table)
    print(report(rows, marks, scope))
    unknown = sorted((marks.keys() | scope.keys()) - {row.id for row in rows})
    for row in unknown:
        print(f"Unknown row {row}: {', '.join(marks.get(row, [SCOPE.name]))}", file=sys.stderr)
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main())
