"""Compare the time of `import medsign` with that of `import httpx`; the bound is 1.3."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

BOUND = 1.3
ROUNDS = 15


def seconds(statement: str) -> float:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True)
    return time.perf_counter() - started


def main() -> int:
    # Rounds take turns, so that a busy moment of the machine falls on all three.
    rounds = [
        [seconds(statement) for statement in ("pass", "import httpx", "import medsign")]
        for _ in range(ROUNDS)
    ]
    bare, httpx, medsign = map(statistics.median, zip(*rounds, strict=True))
    ratio = (medsign - bare) / (httpx - bare)
    print(f"import httpx {httpx - bare:.3f} s, import medsign {medsign - bare:.3f} s: {ratio:.2f}x")
    return 0 if ratio <= BOUND else 1


if __name__ == "__main__":
    sys.exit(main())
