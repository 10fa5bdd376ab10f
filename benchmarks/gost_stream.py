"""Hash 1 GiB in pieces with each native provider: speed, and memory over the start.

Run: `python benchmarks/gost_stream.py [MiB]`. Goal: at most 32 MiB more than before, however long
the message. The portable provider hashes a thousandth of it, for it takes a quarter of an hour
for all.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Iterator

from medsign.gost import DigestAlgorithm, choose, digest, provider_reports

GOAL = 32
_PIECE = bytes(1 << 20)


def pieces(count: int) -> Iterator[bytes]:
    for _ in range(count):
        yield _PIECE


def peak_mib() -> float:
    """Return the most memory that the process ever had; Linux counts in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 1024
    reports = [report for report in provider_reports() if report.ok]
    for report in reports:
        count = size if report.name != "portable" else -(-size // 1024)
        provider, before = choose(report.name), peak_mib()
        start = time.process_time()
        digest(DigestAlgorithm.STREEBOG_256, pieces(count), provider=provider)
        seconds = time.process_time() - start
        more = peak_mib() - before
        print(
            f"{report.name:12}{count:6} MiB{count / seconds:8.1f} MiB/s"
            f"{more:7.1f} MiB more (goal: at most {GOAL})"
        )


if __name__ == "__main__":
    main()
