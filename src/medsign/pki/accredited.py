"""The list of accredited authorities: who might issue qualified certificates, and when.

Минцифры publishes it at e-trust.gosuslugi.ru in a Russian schema, not in that of ETSI TS 119 612.
A certificate is qualified when its authority was accredited on the day of issue (63-ФЗ, ст. 11),
so the history of statuses is what counts and not the status of today.

The list is signed as XML. `medsign.xmldsig.accredited_list` checks that signature and hands on what
was signed; here the contents are read.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import cached_property

import attrs

from medsign.clock import MOSCOW, aware
from medsign.codec.asn1 import Certificate, SubjectPublicKeyInfo, decode_certificate
from medsign.codec.xml import Node, parse
from medsign.errors import BudgetExceeded, MalformedError, UsageError
from medsign.pki.path import PathFacts
from medsign.pki.problems import Problem, ProblemCode
from medsign.pki.profile import profile_findings

#: The status of an authority that may issue; others are ``Прекращена``, ``Аннулирована``…
ACTIVE = "Действует"

_ROOT = "АккредитованныеУдостоверяющиеЦентры"
_CERTIFICATES = (
    "ПрограммноАппаратныеКомплексы/ПрограммноАппаратныйКомплекс/"
    "КлючиУполномоченныхЛиц/Ключ/Сертификаты/ДанныеСертификата/Данные"
)
MAX_BYTES = 1 << 27
_ALWAYS = datetime.min.replace(tzinfo=UTC)


@attrs.frozen
class AccreditationStatus:
    """A status of an authority.

    Attributes:
        text: As the list words it; a wording never seen before is kept.
        since: Since when, UTC.
    """

    text: str
    since: datetime


@attrs.frozen(kw_only=True)
class AccreditedCa:
    """An authority of the list.

    Attributes:
        name: Its name.
        ogrn: ОГРН.
        number: Number in the register.
        statuses: The history, the oldest first.
        certificates: Certificates of the keys it signs with.
        unread: How many more certificates there are that cannot be read.
    """

    name: str
    ogrn: str | None
    number: str | None
    statuses: tuple[AccreditationStatus, ...]
    certificates: tuple[Certificate, ...]
    unread: int = 0

    def status(self, at: datetime) -> AccreditationStatus | None:
        """Return the status at a moment, ``None`` before the first one."""
        return next((each for each in reversed(self.statuses) if each.since <= at), None)


@attrs.frozen(kw_only=True)
class Accreditation:
    """What the list knows about an authority at a moment.

    Attributes:
        at: The moment.
        as_of: When the list was made that says so.
        source: SHA-256 of that list, hexadecimal.
        authority: The authority, ``None`` when the list has no such key.
        status: Its status, ``None`` when it had none yet.
    """

    at: datetime
    as_of: datetime
    source: str
    authority: AccreditedCa | None
    status: AccreditationStatus | None

    @property
    def is_outdated(self) -> bool:
        """Whether the list is older than the moment and cannot know what has happened since."""
        return self.as_of < self.at

    @property
    def is_accredited(self) -> bool:
        """Whether the authority might issue qualified certificates."""
        return _permits(self.status)


@attrs.frozen(kw_only=True)
class Snapshot:
    """The list as it was one day.

    Attributes:
        version: Its version.
        made_at: When it was made, UTC.
        authorities: Who is in it.
        fingerprint: SHA-256 of what was read, hexadecimal; empty when nothing was.
        signed_by: SHA-256 of the certificate of who signed it, hexadecimal; ``None`` when nobody
            has checked that.
    """

    version: str
    made_at: datetime
    authorities: tuple[AccreditedCa, ...]
    fingerprint: str = ""
    signed_by: str | None = None


def _by_time(snapshots: Iterable[Snapshot]) -> tuple[Snapshot, ...]:
    return tuple(sorted(snapshots, key=lambda each: each.made_at))


@attrs.frozen
class AccreditedList:
    """Lists of accredited authorities of one day or of several; they are joined by ``|``.

    Args:
        snapshots: The lists; at least one.

    Raises:
        UsageError: There is none.

    Example:
        >>> data = '''<АккредитованныеУдостоверяющиеЦентры>
        ...   <Версия>7</Версия><Дата>2026-01-01T00:00:00Z</Дата>
        ... </АккредитованныеУдостоверяющиеЦентры>'''
        >>> AccreditedList.unsafe_from_bytes(data.encode()).snapshots[0].version
        '7'
    """

    snapshots: tuple[Snapshot, ...] = attrs.field(converter=_by_time)

    def __attrs_post_init__(self) -> None:
        if not self.snapshots:
            raise UsageError("a list of accredited authorities needs a snapshot")

    @classmethod
    def unsafe_from_bytes(cls, *files: bytes) -> AccreditedList:
        """Read lists without checking who signed them: whoever wrote the file is believed.

        Args:
            files: XML files as the site gives them, one of each day.

        Raises:
            MalformedError: One of them is something else.
            BudgetExceeded: One of them is too large.
        """
        return cls(map(_read, files))

    def __or__(self, other: AccreditedList) -> AccreditedList:
        return AccreditedList(dict.fromkeys((*self.snapshots, *other.snapshots)))

    def accreditation(self, authority: Certificate, *, at: datetime) -> Accreditation:
        """Tell whether an authority was accredited at a moment.

        The first list made after the moment is asked, because it knows what was true then; when
        there is none, the last one is, and the answer is outdated.

        Args:
            authority: Any certificate of the authority's key.
            at: The moment; aware.

        Raises:
            UsageError: The moment has no time zone.
        """
        at = aware(at)
        later = (number for number, each in enumerate(self.snapshots) if each.made_at >= at)
        number = next(later, len(self.snapshots) - 1)
        # A key that two authorities share is that of the accredited one.
        found = max(
            self._keys[number].get(authority.public_key, ()),
            key=lambda each: _permits(each.status(at)),
            default=None,
        )
        return Accreditation(
            at=at,
            as_of=self.snapshots[number].made_at,
            source=self.snapshots[number].fingerprint,
            authority=found,
            status=found.status(at) if found else None,
        )

    @cached_property
    def _keys(self) -> tuple[dict[SubjectPublicKeyInfo, list[AccreditedCa]], ...]:
        return tuple(map(_by_key, self.snapshots))


def _by_key(snapshot: Snapshot) -> dict[SubjectPublicKeyInfo, list[AccreditedCa]]:
    found: dict[SubjectPublicKeyInfo, list[AccreditedCa]] = {}
    for authority in snapshot.authorities:
        for certificate in authority.certificates:
            found.setdefault(certificate.public_key, []).append(authority)
    return found


def _permits(status: AccreditationStatus | None) -> bool:
    return status is not None and status.text == ACTIVE


def qualification_problems(path: PathFacts, accredited: AccreditedList) -> Iterator[Problem]:
    """Yield why the first certificate of a chain is not a qualified one (63-ФЗ, ст. 11 и 17).

    Args:
        path: The chain; whether it is valid is another question.
        accredited: The list.
    """
    certificate = path.chain[0]
    for rule in profile_findings(certificate):
        if rule.mandatory:
            yield Problem(ProblemCode.NOT_QUALIFIED, certificate.fingerprint, rule.code)
    issuer = path.issuer_of(certificate)
    if issuer is None:
        yield Problem(ProblemCode.NOT_ACCREDITED, certificate.fingerprint, "the issuer is unknown")
        return
    found = accredited.accreditation(issuer, at=certificate.not_before)
    if not found.is_accredited:
        yield Problem(ProblemCode.NOT_ACCREDITED, issuer.fingerprint)
    elif found.is_outdated:
        yield Problem(ProblemCode.ACCREDITATION_OUTDATED, issuer.fingerprint)


def _read(data: bytes) -> Snapshot:
    root = parse(data, what="list of accredited authorities", max_bytes=MAX_BYTES)
    if root.tag != _ROOT:
        raise _malformed("", "another root element")
    made_at = _moment(root, "Дата")
    if made_at is None:
        raise _malformed("Дата", "missing")
    return Snapshot(
        version=_text(root, "Версия") or "",
        made_at=made_at,
        authorities=tuple(
            _authority(each, made_at) for each in root.iterfind("УдостоверяющийЦентр")
        ),
        fingerprint=hashlib.sha256(data).hexdigest(),
    )


def _authority(node: Node, made_at: datetime) -> AccreditedCa:
    history = node.iterfind("ИсторияСтатусовАккредитации/СтатусАккредитации")
    statuses = [_status(each, made_at) for each in (*history, *node.iterfind("СтатусАккредитации"))]
    certificates = [_certificate(each.text or "") for each in node.iterfind(_CERTIFICATES)]
    read = [each for each in certificates if each is not None]
    return AccreditedCa(
        name=_text(node, "Название") or "",
        ogrn=_text(node, "ОГРН"),
        number=_text(node, "РеестровыйНомер"),
        statuses=tuple(sorted(statuses, key=lambda each: each.since)),
        certificates=tuple(read),
        unread=len(certificates) - len(read),
    )


def _status(node: Node, made_at: datetime) -> AccreditationStatus:
    """Read a status; one without a date permits from the list on and forbids ever since."""
    text = _text(node, "Статус") or ""
    undated = made_at if text == ACTIVE else _ALWAYS
    return AccreditationStatus(text, _moment(node, "ДействуетС") or undated)


def _certificate(text: str) -> Certificate | None:
    """Read a certificate; old ones of which one is spoilt must not hide all the others."""
    try:
        return decode_certificate(b64decode("".join(text.split()), validate=True))
    except (ValueError, MalformedError, BudgetExceeded):  # base64 spoilt in either way
        return None


def _moment(node: Node, name: str) -> datetime | None:
    if (text := _text(node, name)) is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=MOSCOW)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _malformed(name, "not a moment") from None


def _text(node: Node, name: str) -> str | None:
    return (node.findtext(name) or "").strip() or None


def _malformed(where: str, why: str) -> MalformedError:
    return MalformedError("list of accredited authorities", where, why)
