"""Chains, lists and answers of RSA and ECDSA, each with one thing that decides the verdict.

Every case is a question and the expected answer: for a chain whether it is good, for a status
good, revoked or unknown.
"""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import attrs
import pytest

pytest.importorskip("cryptography", minversion="45", reason="needs its policies of extensions")
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID as Purpose
from cryptography.x509.oid import NameOID

from medsign.pki import PolicyRules

from .oracle import Question

# `cryptography` dates its OCSP answers with the moment of their making: in a long run that must not
# come to lie after the moment of judging.
AT = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=2)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
P1, P2, ANY = "1.3.6.1.4.1.55555.1", "1.3.6.1.4.1.55555.2", "2.5.29.32.0"
WITH_P1 = PolicyRules(acceptable=frozenset({P1}), required=True)
CERT_SIGN, CRL_SIGN, SIGN = "key_cert_sign", "crl_sign", "digital_signature"
KINDS = {
    "RSA": lambda: rsa.generate_private_key(65537, 2048),
    "ECDSA": lambda: ec.generate_private_key(ec.SECP256R1()),
}
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def usage(*bits: str) -> x509.KeyUsage:
    names = (
        *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
        *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
    )
    return x509.KeyUsage(**{each: each in bits for each in names})


def named(name: str, **more: str) -> x509.Name:
    kinds = {"unit": NameOID.ORGANIZATIONAL_UNIT_NAME, "mail": NameOID.EMAIL_ADDRESS}
    parts = [(kinds[kind], value) for kind, value in more.items()]
    every = [*parts, (NameOID.COMMON_NAME, name)]
    return x509.Name([x509.NameAttribute(kind, value) for kind, value in every])


@attrs.frozen
class Owner:
    """A certificate with its key."""

    certificate: x509.Certificate
    key: Key

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)


class Maker:
    """Issues certificates; keys are made once, because those of RSA take long."""

    def __init__(self, kind: str) -> None:
        self.keys = [KINDS[kind]() for _ in range(5)]
        self.serials = itertools.count(100)
        self.root = self.issue("Root", None, *self.authority(), key=0)

    @staticmethod
    def authority(length: int | None = None) -> list[x509.ExtensionType]:
        return [x509.BasicConstraints(ca=True, path_length=length), usage(CERT_SIGN, CRL_SIGN)]

    def issue(
        self,
        name: str | x509.Name,
        issuer: Owner | None,
        *extensions: x509.ExtensionType,
        key: int = 2,
        signing: int | None = None,
        since: datetime = AT - 30 * DAY,
        until: datetime = AT + 30 * DAY,
        soft: tuple[x509.ExtensionType, ...] = (),
    ) -> Owner:
        """Issue a certificate; `extensions` are critical and `soft` ones are not."""
        subject = named(name) if isinstance(name, str) else name
        own = self.keys[key]
        signer = self.keys[signing] if signing is not None else issuer.key if issuer else own
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer.certificate.subject if issuer else subject)
            .public_key(own.public_key())
            .serial_number(next(self.serials))
            .not_valid_before(since)
            .not_valid_after(until)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(own.public_key()), False)
        )
        if issuer:
            pointing = x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key())
            builder = builder.add_extension(pointing, False)
        for each in extensions:
            builder = builder.add_extension(each, critical=True)
        for each in soft:
            builder = builder.add_extension(each, critical=False)
        return Owner(builder.sign(signer, hashes.SHA256()), own)

    def ca(
        self,
        *extensions: x509.ExtensionType,
        name: str = "Authority",
        above: Owner | None = None,
        length: int | None = None,
        key: int = 1,
        **how: object,
    ) -> Owner:
        issuer = above or self.root
        return self.issue(name, issuer, *self.authority(length), *extensions, key=key, **how)

    def leaf(
        self, issuer: Owner, *extensions: x509.ExtensionType, name: str | x509.Name = "Owner", **how
    ) -> Owner:
        return self.issue(name, issuer, usage(SIGN), *extensions, **how)

    def question(self, leaf: Owner, *others: Owner, **how: object) -> Question:
        return Question(
            peer=leaf.der,
            trusted=[self.root.der],
            others=[each.der for each in others],
            at=AT,
            **how,
        )


def policies(*oids: str) -> x509.CertificatePolicies:
    return x509.CertificatePolicies(
        [x509.PolicyInformation(x509.ObjectIdentifier(each), None) for each in oids]
    )


def mapping(issuer: str, subject: str) -> x509.UnrecognizedExtension:
    """Return SEQUENCE OF SEQUENCE { issuer, subject }, which cryptography does not build."""
    pair = b"".join(_oid(each) for each in (issuer, subject))
    value = _tlv(0x30, _tlv(0x30, pair))
    return x509.UnrecognizedExtension(x509.ObjectIdentifier("2.5.29.33"), value)


def alternative(name: x509.GeneralName) -> x509.SubjectAlternativeName:
    return x509.SubjectAlternativeName([name])


Cases = Iterator[tuple[str, Question, bool]]


def paths(make: Maker) -> Cases:
    """Yield the chains."""
    ca = make.ca()
    good = make.leaf(ca)
    yield "good", make.question(good, ca), True
    yield "of the root", make.question(make.leaf(make.root)), True
    yield "without the authority", make.question(good), False
    yield "leaf::expired", make.question(make.leaf(ca, until=AT - DAY), ca), False
    yield "leaf::not yet", make.question(make.leaf(ca, since=AT + DAY), ca), False
    old = make.ca(until=AT - DAY)
    yield "authority::expired", make.question(make.leaf(old), old), False
    early = make.ca(since=AT + DAY)
    yield "authority::not yet", make.question(make.leaf(early), early), False
    yield "signature::by another key", make.question(make.leaf(ca, signing=3), ca), False
    twin = make.ca(key=3)
    yield "signature::of a namesake", make.question(make.leaf(twin), ca, twin), True
    spoilt = Question(
        peer=good.der[:-1] + bytes((good.der[-1] ^ 1,)),
        trusted=[make.root.der],
        others=[ca.der],
        at=AT,
    )
    yield "signature::changed", spoilt, False
    for what, extensions in {
        "none": [],
        "false": [x509.BasicConstraints(ca=False, path_length=None)],
    }.items():
        person = make.issue("Authority", make.root, *extensions, usage(CERT_SIGN), key=1)
        yield f"basic constraints::{what}", make.question(make.leaf(person), person), False
    mute = make.issue(
        "Authority",
        make.root,
        x509.BasicConstraints(ca=True, path_length=None),
        usage(CRL_SIGN),
        key=1,
    )
    yield "key usage::may not issue", make.question(make.leaf(mute), mute), False
    for length, is_good in ((0, False), (1, True)):
        top = make.ca(length=length, name="Top", key=3)
        below = make.ca(above=top)
        yield (
            f"path length::{length} above one",
            make.question(make.leaf(below), below, top),
            is_good,
        )
        again = make.ca(above=top, name="Top", key=1)
        yield (
            f"path length::{length} above itself renewed",
            make.question(make.leaf(again), again, top),
            True,
        )
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier(f"{P1}.9"), b"\x05\x00")
    yield "extension::critical", make.question(make.leaf(ca, unknown), ca), False
    yield "extension::not critical", make.question(make.leaf(ca, soft=(unknown,)), ca), True
    odd = make.ca(unknown)
    yield "extension::critical in the authority", make.question(make.leaf(odd), odd), False
    yield from name_constraints(make)
    yield from of_policies(make)


def name_constraints(make: Maker) -> Cases:
    """Yield chains with constraints: names inside, outside and at the border of a subtree."""
    place = named("Owner", unit="Clinic")
    unit = x509.DirectoryName(x509.Name(list(place)[:1]))
    other = x509.DirectoryName(x509.Name(list(named("x", unit="Bank"))[:1]))
    address = x509.IPAddress(ipaddress.ip_address("10.1.2.3"))

    def network(text: str) -> x509.IPAddress:
        return x509.IPAddress(ipaddress.ip_network(text))

    # a base, a name, and whether the name is inside
    table: list[tuple[str, x509.GeneralName, x509.GeneralName, bool]] = [
        ("dns", x509.DNSName("a.test"), x509.DNSName("a.test"), True),
        ("dns-below", x509.DNSName("a.test"), x509.DNSName("x.a.test"), True),
        ("dns-case", x509.DNSName("a.test"), x509.DNSName("X.A.TEST"), True),
        ("dns-label", x509.DNSName("a.test"), x509.DNSName("ba.test"), False),
        ("dns-other", x509.DNSName("a.test"), x509.DNSName("b.test"), False),
        ("mail-host", x509.RFC822Name("a.test"), x509.RFC822Name("me@a.test"), True),
        ("mail-below", x509.RFC822Name("a.test"), x509.RFC822Name("me@x.a.test"), False),
        ("mail-domain", x509.RFC822Name(".a.test"), x509.RFC822Name("me@x.a.test"), True),
        ("mail-box", x509.RFC822Name("me@a.test"), x509.RFC822Name("me@a.test"), True),
        ("mail-other-box", x509.RFC822Name("me@a.test"), x509.RFC822Name("you@a.test"), False),
        (
            "uri-host",
            x509.UniformResourceIdentifier("a.test"),
            x509.UniformResourceIdentifier("https://a.test/x"),
            True,
        ),
        (
            "uri-domain",
            x509.UniformResourceIdentifier(".a.test"),
            x509.UniformResourceIdentifier("https://x.a.test/x"),
            True,
        ),
        (
            "uri-other",
            x509.UniformResourceIdentifier("a.test"),
            x509.UniformResourceIdentifier("https://b.test/x"),
            False,
        ),
        ("ip", network("10.1.0.0/16"), address, True),
        ("ip-other", network("10.2.0.0/16"), address, False),
    ]
    for what, base, name, inside in table:
        permitting = make.ca(x509.NameConstraints([base], None))
        excluding = make.ca(x509.NameConstraints(None, [base]))
        for how, ca in (("permitted", permitting), ("excluded", excluding)):
            leaf = make.leaf(ca, soft=(alternative(name),))
            yield f"names::{how}::{what}", make.question(leaf, ca), inside == (how == "permitted")
    for what, base, inside in (("directory", unit, True), ("directory-other", other, False)):
        for how in ("permitted", "excluded"):
            lists = ([base], None) if how == "permitted" else (None, [base])
            ca = make.ca(x509.NameConstraints(*lists))
            leaf = make.leaf(ca, name=place)
            yield f"names::{how}::{what}", make.question(leaf, ca), inside == (how == "permitted")
    # what the upper one lets, the lower one narrows; both must let a name
    wide = make.ca(x509.NameConstraints([x509.DNSName("a.test")], None), name="Top", key=3)
    narrow = make.ca(x509.NameConstraints([x509.DNSName("x.a.test")], None), above=wide)
    for name, is_good in (("y.x.a.test", True), ("z.a.test", False)):
        leaf = make.leaf(narrow, soft=(alternative(x509.DNSName(name)),))
        yield f"names::both::{name}", make.question(leaf, narrow, wide), is_good
    mail = make.ca(x509.NameConstraints([x509.RFC822Name("a.test")], None))
    for host, is_good in (("a.test", True), ("b.test", False)):
        leaf = make.leaf(mail, name=named("Owner", mail=f"me@{host}"))
        yield f"names::mail in the subject::{host}", make.question(leaf, mail), is_good


def of_policies(make: Maker) -> Cases:
    """Yield chains of which a policy is wanted."""

    def chain(above: list[x509.ExtensionType], below: list[x509.ExtensionType], **how) -> Question:
        ca = make.ca(*above)
        return make.question(make.leaf(ca, soft=tuple(below)), ca, **how)

    explicit = x509.PolicyConstraints(require_explicit_policy=0, inhibit_policy_mapping=None)
    unmapped = x509.PolicyConstraints(require_explicit_policy=None, inhibit_policy_mapping=0)
    yield "policies::same", chain([policies(P1)], [policies(P1)], rules=WITH_P1), True
    yield "policies::one of two", chain([policies(P1)], [policies(P2, P1)], rules=WITH_P1), True
    yield "policies::other", chain([policies(P2)], [policies(P2)], rules=WITH_P1), False
    yield "policies::none in the leaf", chain([policies(P1)], [], rules=WITH_P1), False
    yield "policies::none above", chain([], [policies(P1)], rules=WITH_P1), False
    yield "policies::any above", chain([policies(ANY)], [policies(P1)], rules=WITH_P1), True
    yield "policies::any below", chain([policies(P1)], [policies(ANY)], rules=WITH_P1), True
    inhibited = [policies(ANY), x509.InhibitAnyPolicy(0)]
    yield "policies::any inhibited", chain(inhibited, [policies(ANY)], rules=WITH_P1), False
    yield "policies::not asked", chain([policies(P2)], [policies(P1)]), True
    yield "policies::demanded", chain([policies(P2), explicit], [policies(P1)]), False
    yield "policies::demanded and met", chain([policies(P1), explicit], [policies(P1)]), True
    mapped = [policies(P1), mapping(P1, P2)]
    yield "policies::mapped", chain(mapped, [policies(P2)], rules=WITH_P1), True
    yield "policies::mapped away", chain(mapped, [policies(P1)], rules=WITH_P1), False
    closed = make.ca(policies(P1), unmapped, name="Top", key=3)
    ca = make.ca(*mapped, above=closed)
    leaf = make.leaf(ca, soft=(policies(P2),))
    yield (
        "policies::mapping inhibited",
        make.question(leaf, ca, closed, rules=WITH_P1),
        False,
    )
    never = [policies(ANY), mapping(ANY, P2)]
    yield "policies::any mapped", chain(never, [policies(P2)], rules=WITH_P1), False


def _tlv(tag: int, value: bytes) -> bytes:
    return bytes((tag, len(value))) + value


def _oid(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    octets = [40 * first + second]
    for number in rest:
        groups = [number & 127]
        while number := number >> 7:
            groups.append(number & 127 | 128)
        octets += reversed(groups)
    return _tlv(6, bytes(octets))


def statuses(make: Maker) -> Iterator[tuple[str, Question, str]]:
    """Yield questions about the status of the last certificate."""
    yield from of_lists(make)
    yield from of_answers(make)


def of_lists(make: Maker) -> Iterator[tuple[str, Question, str]]:
    ca, other = make.ca(), make.ca(name="Other", key=3)
    point = x509.DistributionPoint(
        [x509.UniformResourceIdentifier("http://a.test/crl")], None, None, None
    )
    leaf = make.leaf(ca, soft=(x509.CRLDistributionPoints([point]),))

    def crl(
        *revoked: tuple[Owner, timedelta],
        issuer: Owner = ca,
        key: Key | None = None,
        scope: x509.ExtensionType | None = None,
        since: datetime = AT - DAY,
        until: datetime = AT + DAY,
        whose: Owner | None = None,
    ) -> bytes:
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(issuer.certificate.subject)
            .last_update(since)
            .next_update(until)
            .add_extension(x509.CRLNumber(1), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer.key.public_key()), False
            )
        )
        if scope:
            builder = builder.add_extension(scope, critical=True)
        for owner, ago in revoked:
            entry = (
                x509.RevokedCertificateBuilder()
                .serial_number(owner.certificate.serial_number)
                .revocation_date(AT - ago)
                .add_extension(x509.CRLReason(x509.ReasonFlags.key_compromise), critical=False)
            )
            if whose:
                named = [x509.DirectoryName(whose.certificate.subject)]
                entry = entry.add_extension(x509.CertificateIssuer(named), critical=True)
            builder = builder.add_revoked_certificate(entry.build())
        return builder.sign(key or issuer.key, hashes.SHA256()).public_bytes(Encoding.DER)

    def scope(
        *,
        users: bool = False,
        authorities: bool = False,
        indirect: bool = False,
        place: list[x509.GeneralName] | None = None,
    ) -> x509.IssuingDistributionPoint:
        return x509.IssuingDistributionPoint(
            full_name=place,
            relative_name=None,
            only_contains_user_certs=users,
            only_contains_ca_certs=authorities,
            only_some_reasons=None,
            indirect_crl=indirect,
            only_contains_attribute_certs=False,
        )

    def ask(*crls: bytes, about: Owner = leaf) -> Question:
        return make.question(about, ca, other, crls=crls)

    stranger = make.leaf(ca)
    yield "crl::good", ask(crl()), "good"
    yield "crl::another is revoked", ask(crl((stranger, DAY))), "good"
    yield "crl::revoked", ask(crl((leaf, HOUR))), "revoked"
    yield "crl::none", ask(), "unknown"
    yield "crl::stale", ask(crl(since=AT - 9 * DAY, until=AT - 2 * DAY)), "unknown"
    yield "crl::of the future", ask(crl(since=AT + DAY, until=AT + 9 * DAY)), "unknown"
    yield "crl::of another authority", ask(crl(issuer=other)), "unknown"
    yield "crl::by another key", ask(crl((leaf, HOUR), key=other.key)), "unknown"
    yield "crl::users", ask(crl(scope=scope(users=True))), "good"
    yield "crl::users, revoked", ask(crl((leaf, HOUR), scope=scope(users=True))), "revoked"
    yield "crl::authorities", ask(crl(scope=scope(authorities=True))), "unknown"
    here = [x509.UniformResourceIdentifier("http://a.test/crl")]
    there = [x509.UniformResourceIdentifier("http://a.test/another")]
    yield "crl::this place", ask(crl(scope=scope(place=here))), "good"
    yield "crl::another place", ask(crl(scope=scope(place=there))), "unknown"
    strange = x509.UnrecognizedExtension(x509.ObjectIdentifier(f"{P1}.9"), b"\x05\x00")
    yield "crl::unknown critical", ask(crl(scope=strange)), "unknown"
    mute = make.issue(
        "Mute", make.root, x509.BasicConstraints(ca=True, path_length=None), usage(CERT_SIGN), key=4
    )
    silent = make.leaf(mute)
    question = make.question(silent, mute, crls=[crl(issuer=mute)])
    yield "crl::may not sign lists", question, "unknown"
    # an indirect list: another authority of the same root publishes it
    named = [x509.DirectoryName(other.certificate.subject)]
    elsewhere = x509.CRLDistributionPoints([x509.DistributionPoint(here, None, None, named)])
    charged = make.leaf(ca, soft=(elsewhere,))

    def indirect(*revoked: tuple[Owner, timedelta], whose: Owner | None, is_so: bool = True):
        place = scope(indirect=is_so, place=here)
        return ask(crl(*revoked, issuer=other, scope=place, whose=whose), about=charged)

    yield "crl::indirect, good", indirect(whose=None), "good"
    yield "crl::indirect, revoked", indirect((charged, HOUR), whose=ca), "revoked"
    yield "crl::indirect, of its own", indirect((charged, HOUR), whose=None), "good"
    yield "crl::not called indirect", indirect(whose=None, is_so=False), "unknown"


def of_answers(make: Maker) -> Iterator[tuple[str, Question, str]]:
    ca = make.ca()
    leaf, another = make.leaf(ca), make.leaf(ca)
    serving = x509.ExtendedKeyUsage([Purpose.OCSP_SIGNING])

    def service(*soft: x509.ExtensionType, issuer: Owner = ca, **how) -> Owner:
        return make.leaf(issuer, name="Service", key=3, soft=(x509.OCSPNoCheck(), *soft), **how)

    def answer(
        responder: Owner,
        *,
        about: Owner = leaf,
        issuer: Owner = ca,
        status: ocsp.OCSPCertStatus = ocsp.OCSPCertStatus.GOOD,
        ago: timedelta = HOUR,
        lasting: timedelta = DAY,
        revoked: timedelta = 2 * HOUR,
        hashing: hashes.HashAlgorithm | None = None,
        by_name: bool = True,
    ) -> bytes:
        is_revoked = status is ocsp.OCSPCertStatus.REVOKED
        how = ocsp.OCSPResponderEncoding.NAME if by_name else ocsp.OCSPResponderEncoding.HASH
        builder = (
            ocsp.OCSPResponseBuilder()
            .add_response(
                cert=about.certificate,
                issuer=issuer.certificate,
                algorithm=hashing or hashes.SHA1(),
                cert_status=status,
                this_update=AT - ago,
                next_update=AT - ago + lasting,
                revocation_time=AT - revoked if is_revoked else None,
                revocation_reason=x509.ReasonFlags.superseded if is_revoked else None,
            )
            .responder_id(how, responder.certificate)
        )
        if responder is not ca:
            builder = builder.certificates([responder.certificate])
        return builder.sign(responder.key, hashes.SHA256()).public_bytes(Encoding.DER)

    def ask(*answers: bytes) -> Question:
        return make.question(leaf, ca, answers=answers)

    good, revoked = service(serving), ocsp.OCSPCertStatus.REVOKED
    unknown = ocsp.OCSPCertStatus.UNKNOWN
    yield "ocsp::the issuer says good", ask(answer(ca)), "good"
    yield "ocsp::a service says good", ask(answer(good)), "good"
    yield "ocsp::a service by its key", ask(answer(good, by_name=False)), "good"
    yield "ocsp::sha-256", ask(answer(good, hashing=hashes.SHA256())), "good"
    yield "ocsp::revoked", ask(answer(good, status=revoked)), "revoked"
    yield "ocsp::the issuer says revoked", ask(answer(ca, status=revoked)), "revoked"
    yield "ocsp::unknown", ask(answer(good, status=unknown)), "unknown"
    yield "ocsp::about another", ask(answer(good, about=another)), "unknown"
    yield "ocsp::stale", ask(answer(good, ago=9 * DAY)), "unknown"
    yield "ocsp::of the future", ask(answer(good, ago=-DAY)), "unknown"
    signed = answer(ca)
    yield "ocsp::changed", ask(signed[:-1] + bytes((signed[-1] ^ 1,))), "unknown"
    yield "ocsp::a service without the purpose", ask(answer(service())), "unknown"
    mailing = x509.ExtendedKeyUsage([Purpose.EMAIL_PROTECTION])
    yield "ocsp::a service of another purpose", ask(answer(service(mailing))), "unknown"
    late = service(serving, until=AT - DAY)
    yield "ocsp::an expired service", ask(answer(late)), "unknown"
    other = make.ca(name="Other", key=4)
    foreign = service(serving, issuer=other)
    yield "ocsp::a service of another authority", ask(answer(foreign)), "unknown"
    yield "ocsp::the owner itself", ask(answer(leaf)), "unknown"
