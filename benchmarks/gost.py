"""How much faster the portable provider is than gostcrypto, the Python peer on PyPI.

Run: `python benchmarks/gost.py`. Candidates take turns inside each round, so that what else the
machine does falls on all of them; the medians of CPU time are compared. Read the ratios: absolute
times belong to the machine. Goals on 256 bits: sign 100 times, verify 40 times with no table of
the key, Streebog 4 times.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import attrs
from gostcrypto import gosthash, gostsignature

from medsign.gost import ParamSet, PortableProvider, param_set
from medsign.gost.streebog import Streebog

ROUNDS = 9
CURVES = {
    "256 CryptoPro-A": ("1.2.643.2.2.35.1", "id-tc26-gost-3410-2012-256-paramSetB"),
    "256 tc26-A": ("1.2.643.7.1.2.1.1.1", "id-tc26-gost-3410-2012-256-paramSetA"),
    "512 tc26-A": ("1.2.643.7.1.2.1.2.1", "id-tc26-gost-3410-12-512-paramSetA"),
    "512 tc26-C": ("1.2.643.7.1.2.1.2.3", "id-tc26-gost-3410-2012-512-paramSetC"),
}
MESSAGE = bytes(range(256)) * 64


@attrs.frozen
class Race:
    """One thing done by us and by the peer; a faster candidate repeats it to be measurable."""

    name: str
    ours: Callable[[], object]
    theirs: Callable[[], object]
    repeats: int
    goal: int | None = None


def hash_race() -> Race:
    def ours() -> None:
        Streebog(param_set("1.2.643.2.2.35.1").digest, MESSAGE).digest()

    def theirs() -> None:
        gosthash.new("streebog256", data=bytearray(MESSAGE)).digest()

    return Race("Streebog-256, 16 KiB", ours, theirs, 2, 4)


def signature_races(name: str, params: ParamSet, their_name: str) -> list[Race]:
    provider = PortableProvider()
    key = provider.generate(params)
    public = key.public_key()
    size = params.size
    digest = bytes(range(size))
    signature = provider.sign(key, digest)

    peer = gostsignature.new(
        gostsignature.MODE_256 if size == 32 else gostsignature.MODE_512,
        gostsignature.CURVES_R_1323565_1_024_2019[their_name],
    )
    secret = key.value.to_bytes(size, "big")
    point = bytearray(public.x.to_bytes(size, "big") + public.y.to_bytes(size, "big"))
    their_digest = bytearray(digest[::-1])
    their_signature = bytearray(signature[size:] + signature[:size])

    cold, warm = PortableProvider(), PortableProvider()
    for _ in range(6):
        warm.verify(public, digest, signature)

    def verify_cold() -> None:
        cold._table_of.cache_clear()
        assert cold.verify(public, digest, signature)

    def verify_warm() -> None:
        assert warm.verify(public, digest, signature)

    def their_sign() -> None:
        peer.sign(bytearray(secret), their_digest)

    def their_verify() -> None:
        assert peer.verify(point, their_digest, their_signature)

    goals = (100, 40) if size == 32 else (None, None)
    return [
        Race(f"sign, {name}", lambda: provider.sign(key, digest), their_sign, 20, goals[0]),
        Race(f"verify, {name}, new key", verify_cold, their_verify, 8, goals[1]),
        Race(f"verify, {name}, known key", verify_warm, their_verify, 20),
    ]


def cpu_seconds(work: Callable[[], object], repeats: int) -> float:
    start = time.process_time()
    for _ in range(repeats):
        work()
    return (time.process_time() - start) / repeats


def main() -> None:
    races = [hash_race()]
    for name, (oid, their_name) in CURVES.items():
        races += signature_races(name, param_set(oid), their_name)
    times: dict[str, list[tuple[float, float]]] = {race.name: [] for race in races}
    for _ in range(ROUNDS):
        for race in races:
            pair = cpu_seconds(race.ours, race.repeats), cpu_seconds(race.theirs, 1)
            times[race.name].append(pair)
    print(f"{'median of CPU time':32}{'medsign, ms':>13}{'gostcrypto, ms':>16}{'ratio':>8}  goal")
    for race in races:
        ours, theirs = (statistics.median(each) for each in zip(*times[race.name], strict=True))
        ratio = statistics.median(theirs / ours for ours, theirs in times[race.name])
        goal = f"{race.goal}x" if race.goal else ""
        print(f"{race.name:32}{ours * 1e3:13.3f}{theirs * 1e3:16.2f}{ratio:7.1f}x  {goal}")


if __name__ == "__main__":
    main()
