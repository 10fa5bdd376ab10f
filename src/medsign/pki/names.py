"""Name constraints: which names an authority may certify (RFC 5280 §4.2.1.10, §6.1.3 b-c)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from medsign.codec.asn1 import Certificate, GeneralName, Name, oids
from medsign.pki.problems import Problem, ProblemCode

# Pairs of a name and a subtree that are compared for one chain: both come from an attacker.
_MAX_COMPARISONS = 1 << 14

Subtrees = tuple[GeneralName, ...]


def name_problems(chain: Sequence[Certificate]) -> Iterator[Problem]:
    """Yield the certificates of a chain whose names an authority above them may not certify.

    An authority that renews its own certificate is not bound by its own constraints; the first
    certificate of the chain always is. The constraints of the anchor count too (RFC 5937 §3.2).

    Args:
        chain: From the certificate in question upwards.
    """
    permitted: list[Subtrees] = []
    excluded: list[Subtrees] = []
    left = _MAX_COMPARISONS
    for index, certificate in reversed(tuple(enumerate(chain))):
        bound = permitted or excluded
        if bound and (index == 0 or not certificate.is_self_issued):
            names = tuple(_names(certificate))
            left -= len(names) * sum(map(len, permitted + excluded))
            if left < 0:
                detail = "names and constraints"
                yield Problem(ProblemCode.BUDGET_EXCEEDED, certificate.fingerprint, detail)
                return
            if refused := next((each for each in names if _fails(each, permitted, excluded)), None):
                yield Problem(ProblemCode.NAME_CONSTRAINTS, certificate.fingerprint, refused.kind)
        if (constraints := certificate.name_constraints) is not None:
            permitted.append(constraints.permitted)
            excluded.append(constraints.excluded)


def _names(certificate: Certificate) -> Iterator[GeneralName]:
    if certificate.subject.rdns:
        yield GeneralName("directory", certificate.subject)
    yield from (GeneralName("rfc822", each) for each in certificate.subject.all(oids.EMAIL))
    yield from certificate.subject_alternative_names


def _fails(name: GeneralName, permitted: list[Subtrees], excluded: list[Subtrees]) -> bool:
    """Tell whether a name is outside what one authority permits, or inside what one excludes."""

    def about(subtrees: Subtrees) -> list[GeneralName]:
        return [each for each in subtrees if each.kind == name.kind]

    try:
        lacks = any(
            bases and not any(_within(name, base) for base in bases)
            for bases in map(about, permitted)
        )
        return lacks or any(
            _within(name, base, could=True) for bases in map(about, excluded) for base in bases
        )
    except ValueError:  # a form that nobody can compare is refused, as RFC 5280 demands
        return True


def _within(name: GeneralName, base: GeneralName, *, could: bool = False) -> bool:
    """Tell whether a name is in a subtree, or ``could`` be when it stands for many.

    Raises:
        ValueError: The name cannot be read, or names of the kind are not compared.
    """
    if isinstance(name.value, Name) and isinstance(base.value, Name):
        key = base.value.key()
        return name.value.key()[: len(key)] == key
    if isinstance(name.value, bytes) and isinstance(base.value, bytes) and name.kind == "ip":
        return _within_network(name.value, base.value)
    if isinstance(name.value, str) and isinstance(base.value, str):
        within = {"rfc822": _within_mail, "dns": _within_domain, "uri": _within_host}.get(name.kind)
        if within:
            value, area = name.value, base.value
            many = could and name.kind == "dns" and value.startswith("*.")
            return within(value, area) or (many and _within_domain(area, value[2:]))
    raise ValueError(name.kind)


def _within_network(address: bytes, network: bytes) -> bool:
    size = len(address)
    if size not in {4, 16} or len(network) not in {8, 32}:
        raise ValueError("ip")
    mask = int.from_bytes(network[size:])
    return len(network) == 2 * size and (
        int.from_bytes(address) & mask == int.from_bytes(network[:size]) & mask
    )


def _within_mail(mailbox: str, base: str) -> bool:
    local, at, host = mailbox.rpartition("@")
    if not (local and at and host):
        raise ValueError("rfc822")
    if "@" in base:
        owner, _, home = base.rpartition("@")
        return local == owner and host.lower() == home.lower()
    return _within_host_name(host, base)


def _within_domain(domain: str, base: str) -> bool:
    domain, base = domain.lower().rstrip("."), base.lower().rstrip(".")
    if not domain:
        raise ValueError("dns")
    return not base or domain == base or domain.endswith("." + base.removeprefix("."))


def _within_host(uri: str, base: str) -> bool:
    host = urlsplit(uri).hostname
    if not host or "." not in host or ":" in host or host.rpartition(".")[2].isdigit():
        raise ValueError("uri")
    return _within_host_name(host, base)


def _within_host_name(host: str, base: str) -> bool:
    """Compare as mail and URI ask: a leading dot takes the hosts below and not the host itself."""
    host, base = host.lower(), base.lower()
    return host.endswith(base) if base.startswith(".") else not base or host == base
