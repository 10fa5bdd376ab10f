"""Write gost-limbo.json; with --check only tell whether it is what would be written.

The keys are numbers that anybody can compute and the signatures deterministic, so the file is the
same octets wherever it is made.
"""

from __future__ import annotations

import itertools
import json
import sys
from pathlib import Path

import path_keys
import path_rules
import stamp_cases
import status_cases

FILE = Path(__file__).with_name("gost-limbo.json")


def main() -> int:
    found = [
        each.as_json()
        for each in itertools.chain(
            path_keys.cases(), path_rules.cases(), status_cases.cases(), stamp_cases.cases()
        )
    ]
    if len({each["id"] for each in found}) != len(found):
        raise SystemExit("two cases have the same id")
    whole = {"version": 1, "cases": found}
    text = json.dumps(whole, ensure_ascii=False, indent=1) + "\n"
    if "--check" in sys.argv:
        return int(FILE.read_text(encoding="utf-8") != text)
    FILE.write_text(text, encoding="utf-8")
    sys.stdout.write(f"{len(found)} cases, {len(text.encode())} octets\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
