"""What is required of a signature, as data.

A policy says how serious each failed check is, which algorithms are allowed and which revocation
evidence is enough. Its digest goes into every report, so that a verdict names its policy exactly.
"""

from __future__ import annotations

import enum
import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from types import MappingProxyType
from typing import Any, Protocol, cast

import attrs

from medsign.cms.facts import StatusFacts
from medsign.cms.messages import MESSAGES
from medsign.codec.asn1 import oids
from medsign.errors import UsageError
from medsign.pki.claims import Source
from medsign.pki.foreign import ALGORITHMS, WEAK

# An answer that promises no newer one is taken for fresh this long.
UNPROMISED = timedelta(days=1)


class Level(enum.Enum):
    """How serious a failed check is; only `FAIL` keeps a signature from passing."""

    FAIL = "fail"
    WARN = "warn"
    INFORM = "inform"
    IGNORE = "ignore"


class Requirement(Protocol):
    """What evidence calls a certificate not revoked; `Crl`, `Ocsp`, `AllOf`, `AnyOf`."""

    def met_by(self, good: tuple[StatusFacts, ...], moment: datetime) -> bool:
        """Tell whether the statuses, all of them ``good``, are enough for the moment."""
        ...


@attrs.frozen
class AllOf:
    """Every one of the requirements; none at all is no way to pass.

    Example:
        >>> from datetime import UTC, datetime
        >>> AllOf(()).met_by((), datetime(2026, 1, 1, tzinfo=UTC))
        False
    """

    requirements: tuple[Requirement, ...]

    def met_by(self, good: tuple[StatusFacts, ...], moment: datetime) -> bool:
        return bool(self.requirements) and all(
            each.met_by(good, moment) for each in self.requirements
        )


@attrs.frozen
class AnyOf:
    """At least one of the requirements."""

    requirements: tuple[Requirement, ...]

    def met_by(self, good: tuple[StatusFacts, ...], moment: datetime) -> bool:
        return any(each.met_by(good, moment) for each in self.requirements)


@attrs.frozen
class Crl:
    """A revocation list that covers the moment.

    Attributes:
        max_age: How old the list may be at the moment, however long it promises to be good.
    """

    max_age: timedelta | None = None

    def met_by(self, good: tuple[StatusFacts, ...], moment: datetime) -> bool:
        return _covered("crl", good, moment, self.max_age)


@attrs.frozen
class Ocsp:
    """An OCSP answer that covers the moment.

    Attributes:
        max_age: How old the answer may be at the moment, however long it promises to be good.
    """

    max_age: timedelta | None = None

    def met_by(self, good: tuple[StatusFacts, ...], moment: datetime) -> bool:
        return _covered("ocsp", good, moment, self.max_age)


@attrs.frozen
class UnsafeNoRevocation:
    """No evidence at all: a certificate revoked yesterday passes. For tests and archives only."""

    def met_by(self, good: tuple[StatusFacts, ...], moment: datetime) -> bool:  # noqa: ARG002
        return True


def _covered(
    source: Source, good: tuple[StatusFacts, ...], moment: datetime, max_age: timedelta | None
) -> bool:
    for each in good:
        age = moment - each.this_update
        term = each.next_update - each.this_update if each.next_update else UNPROMISED
        if each.source == source and (
            age <= timedelta(0) or (age <= term and (max_age is None or age <= max_age))
        ):
            return True
    return False


_DEFAULT_LEVELS: Mapping[str, Level] = MappingProxyType(
    {
        "CERTIFICATE_REFERENCE_PRESENT": Level.WARN,
        "QUALIFIED_PROFILE": Level.INFORM,
        "EVIDENCE_JUDGED": Level.INFORM,
        "SIGNATURE_POLICY": Level.WARN,
        "ACCREDITED": Level.INFORM,
        "ACCREDITED_AT_SIGNING": Level.INFORM,
        "ACCREDITATION_KNOWN": Level.INFORM,
        "TOOL_CLASS": Level.INFORM,
        "KEY_IN_TIME": Level.WARN,
        "STAMP_TRUSTED": Level.WARN,
        "STAMP_PRESENT": Level.IGNORE,
    }
)
# Without these there is no signature at all, and no policy can say otherwise.
_INVIOLABLE = frozenset(
    {
        "FORMAT",
        "SIGNATURE_PRESENT",
        "SIGNING_CERTIFICATE",
        "CERTIFICATE_REFERENCE",
        "CONTENT_PRESENT",
        "CONTENT_INTACT",
        "SIGNATURE_INTACT",
        "ALGORITHM_IMPLEMENTED",
    }
)
_TRUST = ("CHAIN_", "CERTIFICATE_", "REVOCATION_")
# Doing without these must be admitted in the name of the policy.
_PERILOUS = (*_TRUST, "ALGORITHM_", "SIGNED_ATTRIBUTES")
_UNSAFE = "unsafe-"
_GOST_2012: Mapping[str, datetime | None] = MappingProxyType(
    dict.fromkeys(
        (
            oids.STREEBOG_256,
            oids.STREEBOG_512,
            oids.GOST_KEY_256,
            oids.GOST_KEY_512,
            oids.GOST_SIGNATURE_256,
            oids.GOST_SIGNATURE_512,
        )
    )
)


# SHA-1 signs nothing since 2014 (NIST SP 800-131A): collisions can be made.
_FOREIGN: Mapping[str, datetime | None] = MappingProxyType(
    {oid: datetime(2014, 1, 1, tzinfo=UTC) if oid in WEAK else None for oid in sorted(ALGORITHMS)}
)


def _is_unsafe(requirement: Requirement) -> bool:
    """Tell whether no evidence at all is enough, however the requirement is put together."""
    return requirement.met_by((), datetime.min.replace(tzinfo=UTC))


def _frozen(levels: Mapping[str, Level]) -> Mapping[str, Level]:
    return MappingProxyType(dict(levels))


def _frozen_ends(ends: Mapping[str, datetime | None]) -> Mapping[str, datetime | None]:
    return MappingProxyType(dict(ends))


@attrs.frozen(kw_only=True)
class Policy:
    """The rules of one verdict.

    Attributes:
        name: How reports call it. A policy that does without trust (``CHAIN_…``,
            ``CERTIFICATE_…``, ``REVOCATION_…``, ``ALGORITHM_…`` or ``SIGNED_ATTRIBUTES`` below
            `Level.FAIL`, or `UnsafeNoRevocation`) must be called ``unsafe-…``.
        levels: How serious each check of `medsign.cms.messages.MESSAGES` is, where it differs from
            the usual.
        revocation: What evidence each certificate below the root needs.
        algorithms: Identifiers of allowed algorithms with the moment up to which they are allowed,
            ``None`` for no end.
        clock_skew: How far clocks of signers and services may be apart.
        stamp_at_its_own_time: Whether the certificate of a time stamp service is judged at the
            moment it names rather than today, or when a stamp around it was made. It accepts old
            stamps without another one around, and trusts that no expired service key has leaked.

    Raises:
        UsageError: A code is unknown or may not be lowered, or the name hides that it is unsafe.

    Example:
        >>> Policy(name="ward").digest == Policy(name="ward").digest
        True
        >>> Policy(name="ward", levels={"SIGNATURE_INTACT": Level.WARN})
        Traceback (most recent call last):
        medsign.errors.UsageError: no policy can lower SIGNATURE_INTACT
    """

    name: str
    levels: Mapping[str, Level] = attrs.field(factory=dict[str, Level], converter=_frozen)
    revocation: Requirement = AnyOf((Ocsp(), Crl()))
    algorithms: Mapping[str, datetime | None] = attrs.field(
        default=_GOST_2012, converter=_frozen_ends
    )
    clock_skew: timedelta = timedelta(minutes=5)
    stamp_at_its_own_time: bool = False

    def __attrs_post_init__(self) -> None:
        if unknown := self.levels.keys() - MESSAGES.keys():
            raise UsageError(f"there is no check {', '.join(sorted(unknown))}")
        lowered = {code for code, level in self.levels.items() if level is not Level.FAIL}
        if broken := lowered & _INVIOLABLE:
            raise UsageError(f"no policy can lower {', '.join(sorted(broken))}")
        blind = [code for code in lowered - _DEFAULT_LEVELS.keys() if code.startswith(_PERILOUS)]
        if (blind or _is_unsafe(self.revocation)) and not self.is_unsafe:
            raise UsageError("a policy that does without trust must be called unsafe-…")

    def level(self, code: str) -> Level:
        """Return how serious the failure of a check is."""
        return self.levels.get(code) or _DEFAULT_LEVELS.get(code, Level.FAIL)

    @property
    def is_unsafe(self) -> bool:
        """Whether it does without trust, by its own name."""
        return self.name.startswith(_UNSAFE)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON of the policy, hexadecimal.

        The usual levels are part of it: a release that changes them changes the digest.
        """
        every = attrs.evolve(self, levels={code: self.level(code) for code in MESSAGES})
        text = json.dumps(_plain(every), default=_leaf, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def _plain(value: object) -> object:
    if attrs.has(type(value)):
        fields = attrs.asdict(cast("attrs.AttrsInstance", value), recurse=False)
        return {"": type(value).__name__} | {name: _plain(each) for name, each in fields.items()}
    if isinstance(value, Mapping):
        items = cast("Mapping[str, object]", value).items()
        return {key: _plain(each) for key, each in items}
    if isinstance(value, tuple):
        return [_plain(each) for each in cast("tuple[object, ...]", value)]
    return value


def _leaf(value: Any) -> Any:
    match value:
        case enum.Enum():
            return value.value
        case datetime():
            return value.isoformat()
        case _:
            return value.total_seconds()


DEFAULT = Policy(name="default")
"""Trust, fresh revocation evidence and CAdES; a time stamp is welcome and not required."""

WITH_STAMP = Policy(name="cades-t", levels={"STAMP_PRESENT": Level.FAIL})
"""The same, and a trustworthy time stamp."""

QUALIFIED = Policy(
    name="qualified",
    levels={
        "QUALIFIED_PROFILE": Level.FAIL,
        "ACCREDITED": Level.FAIL,
        "ACCREDITATION_KNOWN": Level.FAIL,
        "ACCREDITED_AT_SIGNING": Level.WARN,
        "TOOL_CLASS": Level.WARN,
    },
)
"""The default, and a qualified signature (УКЭП): a certificate in the form of order 795 by an
authority that the list calls accredited on the day of issue (63-ФЗ, ст. 11)."""

INTERNATIONAL = Policy(name="international", algorithms={**_GOST_2012, **_FOREIGN})
"""The default, and besides GOST also RSA, ECDSA and EdDSA with SHA-2; SHA-1 before 2014."""

UNSAFE_INTEGRITY = Policy(
    name="unsafe-integrity-only",
    levels=dict.fromkeys(
        (code for code in MESSAGES if code.startswith(_TRUST) and code not in _INVIOLABLE),
        Level.WARN,
    ),
    revocation=UnsafeNoRevocation(),
)
"""Only that the content is unchanged and the key fits: it says nothing about who signed."""
