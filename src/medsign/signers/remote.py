"""Signing with a key that is far away: in a phone, on another machine, in a service.

Two phases: here the documents are prepared and their digests leave; later, perhaps in another
process, the values come back and become signatures. What lies between is a `SigningSession`, which
can be stored.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

import attrs

from medsign.clock import aware
from medsign.cms import Content, Prepared, finish, prepare
from medsign.codec import json
from medsign.codec.asn1 import Certificate
from medsign.errors import UsageError
from medsign.gost import Provider
from medsign.status import State, StatusModel


class SessionState(StrEnum):
    """State of a signing session."""

    PREPARED = "PREPARED"
    SENT = "SENT"
    SIGNED = "SIGNED"
    REFUSED = "REFUSED"
    EXPIRED = "EXPIRED"
    CANCELLED = "CANCELLED"


SESSION_STATUS = StatusModel(
    name="signing_session",
    states=[
        State(SessionState.PREPARED, "Подготовлена"),
        State(SessionState.SENT, "Ожидает подписания"),
        State(SessionState.SIGNED, "Подписана", terminal=True, success=True),
        State(SessionState.REFUSED, "Отклонена владельцем ключа", terminal=True),
        State(SessionState.EXPIRED, "Срок подписания истёк", terminal=True),
        State(SessionState.CANCELLED, "Отменена", terminal=True),
    ],
    initial=SessionState.PREPARED,
    transitions={
        SessionState.PREPARED: {
            "send": SessionState.SENT,
            "complete": SessionState.SIGNED,
            "expire": SessionState.EXPIRED,
            "cancel": SessionState.CANCELLED,
        },
        SessionState.SENT: {
            "complete": SessionState.SIGNED,
            "refuse": SessionState.REFUSED,
            "expire": SessionState.EXPIRED,
            "cancel": SessionState.CANCELLED,
        },
    },
    events={
        "send": "отправить на подписание",
        "complete": "получить все подписи",
        "refuse": "отклонить",
        "expire": "окончить срок",
        "cancel": "отменить",
    },
)
"""The life of a signing session."""


@attrs.frozen
class SessionDocument:
    """One document of a session.

    Attributes:
        name: By which the caller knows it; an opaque identifier, never a person's name.
        prepared: All of its signature but the value.
        signature: DER of the finished signature, ``None`` until its value has come.
    """

    name: str
    prepared: Prepared = attrs.field(repr=False)
    signature: bytes | None = attrs.field(default=None, repr=False)


@attrs.frozen(kw_only=True)
class SigningSession:
    """Documents that wait for their signature values by one key.

    A session never changes: each step returns the next one, and a step that fails leaves
    everything as it was.

    Attributes:
        documents: What is signed, in order.
        created: When it was prepared: the signing time inside the signatures.
        expires: From when on values come too late.
        state: Where it stands; ask `state_at`, for time passes.
        reference: Under which identifier the far side knows it, ``None`` until it was sent.

    Raises:
        UsageError: There is no document, two have one name, a moment has no time zone, or the
            state contradicts the documents.

    Example:
        >>> from datetime import UTC
        >>> from medsign.pki.issuing import ROOT_CA, issue_root, subject_name
        >>> from medsign.signers import SoftwareKey
        >>> now, key = datetime(2026, 6, 1, tzinfo=UTC), SoftwareKey.generate()
        >>> name = subject_name(organization="Тест")
        >>> certificate = issue_root(ROOT_CA, subject=name, signer=key, not_before=now)
        >>> session = SigningSession.prepare(
        ...     {"consent": b"...", "plan": b"..."}, certificate, at=now, lasts=timedelta(hours=1)
        ... )
        >>> stored = session.sent("far-17", at=now).to_json()
        >>> resumed = SigningSession.from_json(stored)
        >>> values = {name: key.sign_digest(digest) for name, digest in resumed.digests.items()}
        >>> sorted(resumed.accept(values, at=now).signatures)
        ['consent', 'plan']
    """

    documents: tuple[SessionDocument, ...]
    created: datetime = attrs.field(converter=aware)
    expires: datetime = attrs.field(converter=aware)
    state: SessionState = SessionState.PREPARED
    reference: str | None = None

    def __attrs_post_init__(self) -> None:
        names = [document.name for document in self.documents]
        if not names or len(set(names)) < len(names):
            raise UsageError("a session has documents, each of its own name")
        if (self.state is SessionState.SIGNED) != (not self.digests):
            raise UsageError("a session is signed when all of its documents are")

    @classmethod
    def prepare(
        cls,
        contents: Mapping[str, Content],
        certificate: Certificate,
        *,
        at: datetime,
        lasts: timedelta,
        detached: bool = True,
        chain: Iterable[Certificate] = (),
        provider: Provider | None = None,
    ) -> SigningSession:
        """Prepare documents for one key.

        Args:
            contents: What is signed, by the caller's names.
            certificate: The certificate of the key.
            at: When, aware; it becomes the signing time.
            lasts: After how long the values come too late.
            detached: Whether the contents stay out of the signatures, and out of the session.
            chain: Further certificates to send along.
            provider: Who hashes; by default `medsign.gost.default_provider`.

        Raises:
            UsageError: There is nothing to sign, or as `medsign.cms.prepare` says.
            Unavailable: The key of the certificate is not one of GOST R 34.10-2012.
        """
        others = tuple(chain)
        return cls(
            documents=tuple(
                SessionDocument(
                    name,
                    prepare(
                        content,
                        certificate,
                        at=at,
                        detached=detached,
                        chain=others,
                        provider=provider,
                    ),
                )
                for name, content in contents.items()
            ),
            created=at,
            expires=aware(at) + lasts,
        )

    @property
    def digests(self) -> dict[str, bytes]:
        """What the key still has to sign, by name: 32 or 64 octets as the hash gives them."""
        return {
            document.name: document.prepared.digest
            for document in self.documents
            if document.signature is None
        }

    @property
    def signatures(self) -> dict[str, bytes]:
        """DER of the signatures that are finished, by name; more may come before the end."""
        return {each.name: each.signature for each in self.documents if each.signature is not None}

    def state_at(self, moment: datetime) -> SessionState:
        """Return the state at a moment: an open session expires by itself."""
        open_still = not SESSION_STATUS.state(self.state).terminal
        late = open_still and aware(moment) >= self.expires
        return SessionState.EXPIRED if late else self.state

    def sent(self, reference: str, *, at: datetime) -> SigningSession:
        """Return the session after its digests have left.

        Args:
            reference: Under which identifier the far side knows it.
            at: When.

        Raises:
            IllegalTransition: It was sent already, or is over.
        """
        return attrs.evolve(self, state=self._after("send", at), reference=reference)

    def accept(
        self, values: Mapping[str, bytes], *, at: datetime, provider: Provider | None = None
    ) -> SigningSession:
        """Return the session with signature values, all that came or none.

        A value of a document that has its signature already changes nothing, so an answer may
        come twice.

        Args:
            values: By name, s‖r, each big-endian: the signatures of `digests`.
            at: When they came.
            provider: Who checks them; by default `medsign.gost.default_provider`.

        Raises:
            UsageError: A value is by another key or of another document, or nobody knows the name.
            IllegalTransition: The session has expired or is over otherwise.
        """
        if unknown := values.keys() - {document.name for document in self.documents}:
            raise UsageError(f"the session has no documents for {len(unknown)} of the values")
        if self.state is SessionState.SIGNED:
            return self
        signed = self._after("complete", at)
        documents = tuple(
            attrs.evolve(
                each, signature=finish(each.prepared, values[each.name], provider=provider)
            )
            if each.signature is None and each.name in values
            else each
            for each in self.documents
        )
        done = all(each.signature is not None for each in documents)
        return attrs.evolve(self, documents=documents, state=signed if done else self.state)

    def refused(self, *, at: datetime) -> SigningSession:
        """Return the session after the owner of the key said no.

        Raises:
            IllegalTransition: It was not sent, or is over.
        """
        return attrs.evolve(self, state=self._after("refuse", at))

    def cancelled(self, *, at: datetime) -> SigningSession:
        """Return the session after the caller gave it up.

        Raises:
            IllegalTransition: It is over.
        """
        return attrs.evolve(self, state=self._after("cancel", at))

    def to_json(self) -> bytes:
        """Return everything as JSON in UTF-8.

        Certificates and attached contents are in it, so it is personal data; and whoever can
        change it chooses what is signed.
        """
        return json.encode(self)

    @classmethod
    def from_json(cls, data: bytes) -> SigningSession:
        """Read what `to_json` wrote.

        Raises:
            MalformedError: It is not such JSON, or contradicts itself.
            BudgetExceeded: It is too large.
        """
        return json.decode(cls, data, what="signing session")

    def _after(self, event: str, at: datetime) -> SessionState:
        return SessionState(SESSION_STATUS.apply(self.state_at(at), event))
