"""Fuzz doors for as long as you like: the invariant of targets.py, led by coverage.

atheris is no dependency of the project (`pip install atheris`; it has wheels for Linux):

    python tests/fuzz/atheris_harness.py                       lists the doors
    python tests/fuzz/atheris_harness.py all                   ten minutes, shared by all doors
    python tests/fuzz/atheris_harness.py pfx crl --seconds 60  a minute, shared by two doors

Each door begins with the good artefacts of targets.py. Bytes that raise anything but what the door
may raise, or take longer than ten seconds, are left in `--findings` (by default `fuzz-findings`,
which git ignores). Move them to corpus/found as `door--what`: from then on test_fuzz.py holds them,
and every later run begins with them as well.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

SLOW = 10


def main() -> int:
    """Share the time between the doors, each in a process of its own."""
    parser = argparse.ArgumentParser(description="Fuzz the doors through which bytes come in.")
    parser.add_argument("doors", nargs="*", metavar="door", help="names of doors, or all")
    parser.add_argument("--seconds", type=int, default=600, help="for all of the doors together")
    parser.add_argument("--findings", type=Path, default=Path("fuzz-findings"))
    parser.add_argument("--seeds", type=Path, help="only write the seeds to this folder")
    parser.add_argument("--alone", action="store_true", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.alone:
        fuzz(asked.doors[0], asked.findings, asked.seconds)
    import targets

    doors = list(targets.TARGETS) if asked.doors == ["all"] else asked.doors
    if not doors or set(doors) - set(targets.TARGETS):
        parser.error("the doors: " + " ".join(targets.TARGETS))
    if asked.seeds:
        for door in doors:
            write_seeds(door, asked.seeds)
        return 0
    asked.findings.mkdir(parents=True, exist_ok=True)
    share = max(1, asked.seconds // len(doors))
    failed = [door for door in doors if not alone(door, asked.findings, share)]
    sys.stdout.write(f"found something: {' '.join(failed)}\n" if failed else "found nothing\n")
    return bool(failed)


def alone(door: str, findings: Path, seconds: int) -> bool:
    """Fuzz one door in another process; tell whether nothing was found."""
    sys.stderr.write(f"{door}: {seconds} s\n")
    command = [sys.executable, __file__, door, "--alone"]
    command += ["--findings", str(findings), "--seconds", str(seconds)]
    return subprocess.run(command, check=False).returncode == 0


def fuzz(door: str, findings: Path, seconds: int) -> None:
    """Fuzz one door and end the process."""
    try:
        import atheris
    except ImportError:
        raise SystemExit("needs atheris: pip install atheris") from None
    with atheris.instrument_imports(include=["medsign"]):
        import targets
    target = targets.TARGETS[door]
    with tempfile.TemporaryDirectory() as folder:
        write_seeds(door, Path(folder))
        options = [f"-max_total_time={seconds}", f"-timeout={SLOW}", "-max_len=20000"]
        options += [f"-artifact_prefix={findings}/{door}--", "-print_final_stats=1", "-verbosity=0"]
        atheris.Setup(
            [sys.argv[0], *options, folder], lambda data: targets.refused(target, data) and None
        )
        atheris.Fuzz()


def write_seeds(door: str, folder: Path) -> None:
    """Write good artefacts of a door, and what was found there before."""
    import targets

    folder.mkdir(parents=True, exist_ok=True)
    for number, seed in enumerate(targets.seeds()[targets.TARGETS[door].kind]):
        (folder / f"seed-{number}").write_bytes(seed)
    for name, data in targets.found(door):
        (folder / name).write_bytes(data)


if __name__ == "__main__":
    raise SystemExit(main())
