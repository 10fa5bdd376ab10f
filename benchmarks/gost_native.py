"""How near the providers come to gost-engine called from C, and how they compare to Python.

Run: `python benchmarks/gost_native.py`. Needs gcc, libssl-dev and the GOST engine for the yardstick
(gost_native.c); without them it says so and prints times only. Candidates take turns inside each
round; the medians of CPU time are compared. Goals for the default provider: Streebog 0.9 of the
speed of C, signatures 0.85.
"""

from __future__ import annotations

import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import attrs

from medsign.gost import (
    DigestAlgorithm,
    ParamSet,
    PrivateKey,
    Provider,
    choose,
    default_provider,
    digest,
    param_set,
    provider_reports,
)

ROUNDS = 15
SECONDS = 0.02  # of one measurement
SETS = {
    "256 CryptoPro-A": "1.2.643.2.2.35.1",
    "256 tc26-A": "1.2.643.7.1.2.1.1.1",
    "512 tc26-A": "1.2.643.7.1.2.1.2.1",
    "512 tc26-C": "1.2.643.7.1.2.1.2.3",
}


class Yardstick:
    """The C program, compiled for this run."""

    def __init__(self, folder: Path) -> None:
        source, binary = Path(__file__).with_suffix(".c"), folder / "yardstick"
        subprocess.run(
            ["gcc", "-O2", "-o", binary, source, "-lcrypto"], check=True, capture_output=True
        )
        self._process = subprocess.Popen(
            [binary], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.seconds("hash 64", 1)

    def seconds(self, task: str, repeats: int) -> float:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(f"{task} {repeats}\n")
        self._process.stdin.flush()
        return float(self._process.stdout.readline())


def yardstick(folder: Path) -> Yardstick | None:
    try:
        return Yardstick(folder)
    except (OSError, subprocess.CalledProcessError, ValueError) as error:
        print(f"SKIPPED the yardstick: it needs gcc, libssl-dev, libengine-gost-openssl ({error})")
        return None


def pkcs8(key: PrivateKey) -> str:
    """Return the key as hexadecimal DER (RFC 9215 §5), shorter than 128 octets."""

    def tlv(tag: int, *contents: bytes) -> bytes:
        body = b"".join(contents)
        return bytes([tag, len(body)]) + body

    def oid(dotted: str) -> bytes:
        first, second, *rest = map(int, dotted.split("."))
        octets = bytearray([40 * first + second])
        for arc in rest:
            octets += bytes([arc >> 7 | 128, arc & 127]) if arc > 127 else bytes([arc])
        return tlv(6, bytes(octets))

    kind = "1.2.643.7.1.1.1.1" if key.params.size == 32 else "1.2.643.7.1.1.1.2"
    algorithm = tlv(0x30, oid(kind), tlv(0x30, oid(key.params.oid), oid(key.params.digest.oid)))
    return tlv(0x30, tlv(2, b"\0"), algorithm, tlv(4, tlv(4, key.to_octets()))).hex()


@attrs.frozen
class Task:
    name: str
    in_c: str
    goal: float
    candidates: dict[str, Callable[[], object]]


def hash_task(octets: int, providers: dict[str, Provider]) -> Task:
    message = bytes(octets)

    def hashing(provider: Provider) -> Callable[[], object]:
        return lambda: digest(DigestAlgorithm.STREEBOG_256, message, provider=provider)

    patient = octets <= 1 << 14  # Python takes a second for a mebibyte
    candidates = {n: hashing(p) for n, p in providers.items() if patient or n != "portable"}
    return Task(f"Streebog-256, {octets >> 10} KiB", f"hash {octets}", 0.9, candidates)


def signature_tasks(name: str, params: ParamSet, providers: dict[str, Provider]) -> list[Task]:
    key = choose("portable").generate(params)
    public = key.public_key()
    message = bytes([1, *bytes(params.size - 1)])
    signature = choose("portable").sign(key, message)
    able = {n: p for n, p in providers.items() if p.supports(params)}

    def signing(provider: Provider) -> Callable[[], object]:
        return lambda: provider.sign(key, message)

    def verifying(provider: Provider) -> Callable[[], object]:
        return lambda: provider.verify(public, message, signature)

    return [
        Task(f"sign, {name}", f"sign {pkcs8(key)}", 0.85, {n: signing(p) for n, p in able.items()}),
        Task(
            f"verify, {name}",
            f"verify {pkcs8(key)}",
            0.85,
            {n: verifying(p) for n, p in able.items()},
        ),
    ]


def cpu_seconds(work: Callable[[], object], repeats: int) -> float:
    start = time.process_time()
    for _ in range(repeats):
        work()
    return (time.process_time() - start) / repeats


def race(task: Task, c: Yardstick | None) -> None:
    once = {
        name: min(cpu_seconds(work, 2) for _ in range(3)) for name, work in task.candidates.items()
    }
    repeats = {name: max(1, round(SECONDS / seconds)) for name, seconds in once.items()}
    rounds: list[dict[str, float]] = []
    for _ in range(ROUNDS):
        times = {n: cpu_seconds(work, repeats[n]) for n, work in task.candidates.items()}
        if c:
            times["C"] = c.seconds(task.in_c, repeats["default"])
        rounds.append(times)
    print(f"{task.name}  (goal of default: {task.goal} of C)")
    for name in rounds[0]:
        median = statistics.median(times[name] for times in rounds)
        ratio = statistics.median(times["C"] / times[name] for times in rounds) if c else None
        print(f"    {name:12}{median * 1e6:12.1f} us" + (f"{ratio:8.2f} of C" if ratio else ""))


def main() -> None:
    providers = {"default": default_provider()}
    for report in provider_reports():
        if report.ok:
            providers[report.name] = choose(report.name)
        else:
            print(f"SKIPPED {report.name}: {report.reason}; install {report.install}")
    tasks = [hash_task(octets, providers) for octets in (1 << 10, 1 << 14, 1 << 20)]
    for name, oid in SETS.items():
        tasks += signature_tasks(name, param_set(oid), providers)
    with tempfile.TemporaryDirectory() as folder:
        c = yardstick(Path(folder))
        for task in tasks:
            race(task, c)


if __name__ == "__main__":
    main()
