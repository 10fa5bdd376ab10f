"""Fuzz one door for as long as you like: the invariant of targets.py, led by coverage.

atheris is no dependency of the project (`pip install atheris`; it has wheels for Linux):

    python tests/fuzz/atheris_harness.py certificate --seeds corpus/certificate
    python tests/fuzz/atheris_harness.py certificate corpus/certificate -max_total_time=600

The first line writes the good artefacts to start from, the second one looks for bytes that raise
anything but MalformedError and BudgetExceeded, or take longer than libFuzzer's -timeout. Without a
name the doors are listed. What is found becomes a test by name in test_fuzz.py.
"""

from __future__ import annotations

import sys
from pathlib import Path

import targets


def main() -> None:
    if len(sys.argv) < 2 or sys.argv[1] not in targets.TARGETS:
        raise SystemExit("the doors: " + " ".join(targets.TARGETS))
    target = targets.TARGETS[sys.argv.pop(1)]
    if sys.argv[1:2] == ["--seeds"]:
        folder = Path(sys.argv[2])
        folder.mkdir(parents=True, exist_ok=True)
        for number, seed in enumerate(targets.seeds()[target.kind]):
            (folder / f"seed-{number}").write_bytes(seed)
        return
    try:
        import atheris
    except ImportError:
        raise SystemExit("needs atheris: pip install atheris") from None

    targets.seeds()
    atheris.instrument_all()
    atheris.Setup([*sys.argv, "-timeout=10"], lambda data: targets.refused(target, data))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
