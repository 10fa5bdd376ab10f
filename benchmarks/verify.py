"""What a verification costs beside the cryptography in it.

Run: `python benchmarks/verify.py`. A detached CAdES-T over a document of 100 kB: a chain of root,
authority and signer, a list of the root, OCSP answers for signer and time stamp service, and a
time stamp whose chain leads through the same authority. Measured is from bytes to the report; each
document is another one, by another signer, and verified once:

- strangers: every document comes from a root, an authority and services that were never seen;
- known issuers: the root, the authority and the services are those of the documents before, and
  the application holds the root, the authority and the root's list in memory.

The yardstick: the hashes and the verifications on the curve that the verdict rests on, each
different one once, done one after another. With known issuers four of the nine verifications were
done for the documents before and are not repeated; the yardstick still holds all of them, and how
many were computed is printed. Times of CPU. Printed are the median of the ratios, and the ratio of
the quickest verification to the quickest yardstick, which a busy machine disturbs less.
Goal of the native provider: 1.5.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import attrs

from medsign import cms
from medsign.codec.asn1 import Certificate, SingleResponse, decode_timestamp_request
from medsign.gost import (
    DigestAlgorithm,
    Hasher,
    ParamSet,
    PrivateKey,
    Provider,
    PublicKey,
    choose,
    default_provider,
    digest,
)
from medsign.gost.params import Octets
from medsign.pki import issuing
from medsign.pki.ocsp import ocsp_cert_id, ocsp_response
from medsign.pki.timestamp import message_imprint, timestamp_request, timestamp_response
from medsign.pki.trust import TrustStore
from medsign.signers import SoftwareKey, SoftwareSigner

START = datetime(2026, 1, 1, tzinfo=UTC)
SIGNED = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOW = SIGNED + timedelta(minutes=5)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PDF = b"%PDF-1.7\n" + bytes(range(256)) * 400
DOCUMENTS = {"native": 60, "portable": 12}
collecting = importlib.import_module("medsign.cms.collect")  # its name is also a function
CURVES = {"256 CryptoPro-A": "1.2.643.2.2.35.1", "512 tc26-A": "1.2.643.7.1.2.1.2.1"}


@attrs.frozen(kw_only=True)
class House:
    """A root, an authority below it, and the services of the authority."""

    root: SoftwareSigner
    authority: SoftwareSigner
    responder: SoftwareSigner
    stamper: SoftwareSigner
    crl: bytes

    @classmethod
    def build(cls, curve: str, number: int) -> House:
        key = SoftwareKey.generate(curve)
        name = issuing.subject_name(
            organization=f"Тестовый корень {number}", inn_legal="9909999999"
        )
        root = key.certified(
            issuing.issue_root(
                issuing.ROOT_CA, subject=name, signer=key, not_before=START - 400 * DAY
            )
        )
        issue = functools.partial(_issue, curve=curve)
        below = issuing.SUBORDINATE_CA
        authority = issue(below, root, organization=f"Тестовый УЦ {number}", ogrn="9999999999999")
        return cls(
            root=root,
            authority=authority,
            responder=issue(issuing.OCSP_SERVICE, authority, organization=f"Статусы {number}"),
            stamper=issue(issuing.TIMESTAMP_SERVICE, authority, organization=f"Штампы {number}"),
            crl=issuing.issue_crl(
                root, number=1, this_update=SIGNED, next_update=SIGNED + 90 * DAY
            ).der,
        )

    def document(self, number: int, curve: str) -> Document:
        content = PDF + b"%% %d" % number
        person = {"surname": "Тестова", "given_names": "Анна Петровна", "inn": "999999999999"}
        signer = _issue(issuing.QUALIFIED, self.authority, curve=curve, **person)
        bare = cms.sign(content, signer, at=SIGNED, chain=(self.authority.certificate,))
        question = timestamp_request(message_imprint(cms.signature_value(bare)), nonce=7)
        stamp = timestamp_response(
            decode_timestamp_request(question),
            self.stamper,
            policy="1.2.643.2.2.38.4",
            serial_number=number,
            gen_time=SIGNED + timedelta(minutes=1),
        )
        return Document(
            content=content,
            signature=cms.add_timestamp(bare, stamp),
            root=self.root.certificate.der,
            crl=self.crl,
            answers=tuple(map(self.answer, (signer.certificate, self.stamper.certificate))),
        )

    def answer(self, certificate: Certificate) -> bytes:
        single = SingleResponse(
            cert_id=ocsp_cert_id(certificate, self.authority.certificate),
            status="good",
            this_update=SIGNED + timedelta(minutes=2),
            next_update=SIGNED + HOUR,
        )
        return ocsp_response([single], self.responder, produced_at=SIGNED + timedelta(minutes=2))


def _issue(
    template: issuing.CertificateTemplate, issuer: SoftwareSigner, *, curve: str, **name: str
) -> SoftwareSigner:
    key = SoftwareKey.generate(curve)
    certificate = issuing.issue_certificate(
        template,
        subject=issuing.subject_name(**name),
        key=key.public_key,
        issuer=issuer,
        not_before=START,
    )
    return key.certified(certificate)


@attrs.frozen(kw_only=True)
class Document:
    """What comes in: nothing but octets."""

    content: bytes
    signature: bytes
    root: bytes
    crl: bytes
    answers: tuple[bytes, ...]

    def alone(self) -> cms.Evidence:
        trust = TrustStore.from_bytes(self.root)
        own = cms.Evidence(signature=self.signature, content=self.content, trust=trust)
        return own.with_fetched(crls=(self.crl,), ocsp_responses=self.answers)


def at_hand(house: House) -> Callable[[Document], cms.Evidence]:
    """Return how documents join what an application knows of an authority."""
    known = cms.Evidence(
        signature=b"",
        trust=TrustStore([house.root.certificate]),
        certificates=(house.authority.certificate,),
    ).with_fetched(crls=(house.crl,))

    def gather(document: Document) -> cms.Evidence:
        own = attrs.evolve(known, signature=document.signature, content=document.content)
        return own.with_fetched(ocsp_responses=document.answers)

    return gather


class Recorder:
    """A provider that notes what it is asked for."""

    name = "recorder"

    def __init__(self, provider: Provider) -> None:
        self.provider = provider
        self.verified: list[tuple[PublicKey, bytes, bytes]] = []
        self.hashers: list[RecordedHasher] = []

    def supports(self, params: ParamSet) -> bool:
        return self.provider.supports(params)

    def hasher(self, algorithm: DigestAlgorithm) -> Hasher:
        self.hashers.append(hasher := RecordedHasher(self.provider.hasher(algorithm)))
        return hasher

    def hash(self, algorithm: DigestAlgorithm, data: bytes) -> bytes:
        hasher = self.hasher(algorithm)
        hasher.update(data)
        return hasher.digest()

    def generate(self, params: ParamSet) -> PrivateKey:
        return self.provider.generate(params)

    def sign(self, key: PrivateKey, digest: bytes) -> bytes:
        return self.provider.sign(key, digest)

    def verify(self, key: PublicKey, digest: bytes, signature: bytes) -> bool:
        self.verified.append((key, digest, signature))
        return self.provider.verify(key, digest, signature)

    def once(self, provider: Provider) -> Callable[[], None]:
        """Return what does each different hash and each different verification again."""
        hashes = {each.algorithm_and_message for each in self.hashers}
        signatures = set(self.verified)

        def again() -> None:
            for algorithm, message in hashes:
                digest(algorithm, message, provider=provider)
            for each in signatures:
                assert provider.verify(*each)

        return again

    def __str__(self) -> str:
        hashes = {each.algorithm_and_message for each in self.hashers}
        return (
            f"{len(self.verified)} verifications ({len(set(self.verified))} different),"
            f" {len(self.hashers)} hashes ({len(hashes)} different)"
        )


class RecordedHasher:
    """A hasher that keeps its message."""

    def __init__(self, hasher: Hasher) -> None:
        self._hasher = hasher
        self.algorithm = hasher.algorithm
        self.message = bytearray()

    @property
    def algorithm_and_message(self) -> tuple[DigestAlgorithm, bytes]:
        return self.algorithm, bytes(self.message)

    def update(self, data: Octets, /) -> None:
        self.message += data
        self._hasher.update(data)

    def digest(self) -> bytes:
        return self._hasher.digest()

    def copy(self) -> Hasher:
        return self._hasher.copy()


class Tally:
    """A provider that counts the verifications that it computes, and adds next to nothing."""

    def __init__(self, provider: Provider) -> None:
        self.name, self.supports, self.generate = (
            provider.name,
            provider.supports,
            provider.generate,
        )
        self.hasher, self.hash, self.sign = provider.hasher, provider.hash, provider.sign
        self._verify = provider.verify
        self.computed = 0

    def verify(self, key: PublicKey, digest: bytes, signature: bytes) -> bool:
        self.computed += 1
        return self._verify(key, digest, signature)


class Stopwatch:
    """Shares time out among parts that call one another: each has what is its own."""

    def __init__(self) -> None:
        self.spent: Counter[Any] = Counter()
        self._stack = ["rest"]
        self._since = time.perf_counter_ns()

    def _switch(self) -> None:
        now = time.perf_counter_ns()
        self.spent[self._stack[-1]] += now - self._since
        self._since = now

    def timed(self, part: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*args: Any, **kwargs: Any) -> Any:
            self._switch()
            self._stack.append(part)
            try:
                return work(*args, **kwargs)
            finally:
                self._switch()
                self._stack.pop()

        return timed

    def total(self) -> Counter[Any]:
        self._switch()
        return self.spent


class Watched(Recorder):
    """A provider whose time is cryptography."""

    def __init__(self, provider: Provider, watch: Stopwatch) -> None:
        super().__init__(provider)
        self._watch = watch
        self.verify = watch.timed("cryptography", provider.verify)  # type: ignore[method-assign]

    def hasher(self, algorithm: DigestAlgorithm) -> Hasher:
        hasher = RecordedHasher(self.provider.hasher(algorithm))
        for name in ("update", "digest"):
            setattr(hasher, name, self._watch.timed("cryptography", getattr(hasher, name)))
        return hasher


PARTS = {
    "path": ("build_path",),
    "revocation": ("check_revocation",),
    "stamp": ("check_timestamp",),
    "signature": ("check_signer", "digest_of"),
    "decide": ("decide",),
    "parse": ("decode_signed_data", "_readable", "carried"),
}


@contextlib.contextmanager
def watched(watch: Stopwatch) -> Iterator[None]:
    """Let the watch run over the parts of a verification."""
    with contextlib.ExitStack() as stack:
        for part, names in PARTS.items():
            for name in names:
                whole = watch.timed(part, getattr(collecting, name))
                stack.enter_context(patch.object(collecting, name, whole))
        yield


def seconds(work: Callable[[], object]) -> float:
    start = time.process_time_ns()
    work()
    return (time.process_time_ns() - start) / 1e9


@attrs.frozen
class Case:
    """A document and how it is put together with what is known."""

    gather: Callable[[Document], cms.Evidence]
    document: Document

    def verify(self, provider: Provider) -> None:
        report = cms.verify(
            self.gather(self.document), policy=cms.WITH_STAMP, at=NOW, provider=provider
        )
        assert report.indication.value == "TOTAL-PASSED", report

    def race(self, provider: Tally) -> Outcome:
        """Verify, and then do again what the verdict rests on."""
        before = provider.computed
        whole = seconds(lambda: self.verify(provider))
        computed = provider.computed - before
        recorder = Recorder(provider)
        self.verify(recorder)
        return Outcome(whole, seconds(recorder.once(provider)), computed, recorder)


@attrs.frozen
class Outcome:
    """Seconds of a verification and of its cryptography, and how much of it was computed anew."""

    whole: float
    raw: float
    computed: int
    recorder: Recorder


def measure(title: str, cases: list[Case], provider: Provider) -> None:
    gc.collect()
    gc.freeze()  # the collector must not walk through all the other documents meanwhile
    # The first ones also load modules and meet the issuers.
    tally = Tally(provider)
    outcomes = [each.race(tally) for each in cases][len(cases) // 4 :]
    gc.unfreeze()
    ratios = [each.whole / each.raw for each in outcomes]
    whole = statistics.median(each.whole for each in outcomes) * 1e3
    bare = statistics.median(each.raw for each in outcomes) * 1e3
    print(f"  {title}: {whole:.2f} ms, raw cryptography {bare:.2f} ms")
    quickest = min(each.whole for each in outcomes) / min(each.raw for each in outcomes)
    print(f"    ratio: median {statistics.median(ratios):.2f}, of the quickest {quickest:.2f}")
    print(f"    rests on {outcomes[-1].recorder}; {outcomes[-1].computed} verifications computed")
    print(f"    {breakdown(cases[-len(cases) // 4 :], provider)}")


def breakdown(cases: list[Case], provider: Provider) -> str:
    """Return the shares of the parts; documents are read a second time here."""
    totals: Counter[Any] = Counter()
    for each in cases:
        watch = Stopwatch()
        with watched(watch):
            gather = watch.timed("parse", each.gather)
            attrs.evolve(each, gather=gather).verify(Watched(provider, watch))
        totals += watch.total()
    whole = sum(totals.values())
    return ", ".join(f"{part} {spent / whole:.0%}" for part, spent in totals.most_common())


def main() -> None:
    providers = {"native": default_provider(), "portable": choose("portable")}
    for curve_name, curve in CURVES.items():
        one = House.build(curve, 0)
        known = at_hand(one)
        for name, provider in providers.items():
            numbers = range(DOCUMENTS[name])
            print(f"{curve_name}, {name}")
            houses = (House.build(curve, number + 1) for number in numbers)
            strangers = [Case(Document.alone, each.document(1, curve)) for each in houses]
            measure("strangers", strangers, provider)
            papers = (one.document(number, curve) for number in numbers)
            measure("known issuers", [Case(known, each) for each in papers], provider)


if __name__ == "__main__":
    main()
