"""A key on a token or smart card, by the library of the token's maker (PKCS#11).

Kinds of keys and mechanisms are for 256 bits those of PKCS#11 2.30, for 512 bits those of ТК 26
(«Расширение PKCS#11 для использования российских стандартов ГОСТ Р 34.10-2012 и ГОСТ Р
34.11-2012»). A token takes a digest as the hash gives it and returns s‖r, each big-endian; its
public keys are x‖y, each little-endian (PKCS#11 2.30, «GOST R 34.10-2001 without hashing»). Each
value is verified before it leaves: a token of other habits, or one that fails, signs nothing.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from functools import partial
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

import attrs

from medsign.codec.asn1 import (
    Certificate,
    SubjectPublicKeyInfo,
    decode_certificate,
    decode_spki,
    der,
    oids,
)
from medsign.errors import (
    InvalidKey,
    MissingExtra,
    TokenError,
    TokenProblem,
    Unavailable,
    UsageError,
)
from medsign.gost import DigestAlgorithm, Provider, PublicKey, default_provider
from medsign.pki.keys import public_key

if TYPE_CHECKING:
    import pkcs11
    from pkcs11._pkcs11 import lib

T = TypeVar("T")

_TC26 = 0xD4321000
# CKK_GOSTR3410 and CKK_GOSTR3410_512
_KEY_OIDS = MappingProxyType({0x30: oids.GOST_KEY_256, _TC26 | 0x003: oids.GOST_KEY_512})
# CKM_GOSTR3410 and CKM_GOSTR3410_512, which sign a digest
_MECHANISMS = MappingProxyType(
    {DigestAlgorithm.STREEBOG_256: 0x1201, DigestAlgorithm.STREEBOG_512: _TC26 | 0x006}
)


@attrs.define(eq=False)
class Pkcs11Token:
    """A token: opened when it is first needed, closed by who made this object.

    One object for a token is enough for a process, and one session under a lock for all of its
    threads: the device does one thing at a time, its login belongs to the whole process, and some
    allow few sessions. A session that was lost, because the token was out or somebody logged out,
    is opened anew by itself. A PIN that was refused is never sent again: repeats lock the token.

    Args:
        module: The library of the maker, such as ``librtpkcs11ecp.so`` of Рутокен or
            ``libjcPKCS11-2.so`` of JaCarta.
        pin: The PIN, or who asks for it whenever a session is opened; ``None`` when it is entered
            on the device itself.
        serial: The serial number as the token tells it; needed when several are plugged in.
        provider: Who verifies each value; by default `medsign.gost.default_provider`.
        lock: Held while the library is at work. Threads that use several tokens of one library
            need one lock for them all: python-pkcs11 tells the library that threads do not meet.

    Example:
        >>> with Pkcs11Token("no-such-library.so", pin=input) as token:
        ...     token.signer()
        Traceback (most recent call last):
            ...
        medsign.errors.Unavailable: the PKCS#11 library is not available; install: ...
    """

    module: str = attrs.field(converter=os.fspath)
    pin: str | Callable[[], str] | None = attrs.field(repr=False, kw_only=True)
    serial: str | None = attrs.field(default=None, kw_only=True)
    provider: Provider = attrs.field(factory=default_provider, repr=False, kw_only=True)
    lock: threading.RLock = attrs.field(factory=threading.RLock, repr=False, kw_only=True)
    _process: int = attrs.field(factory=os.getpid, init=False, repr=False)
    _session: _Session | None = attrs.field(default=None, init=False, repr=False)
    _refused: str | None = attrs.field(default=None, init=False, repr=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Log out and close the session; a later use opens another."""
        if os.getpid() == self._process:  # the session of a parent is not a child's to close
            with self.lock:
                self._drop()

    def key(self, *, label: str | None = None, key_id: bytes | None = None) -> Pkcs11Key:
        """Return a key without its certificate: it signs a request for one.

        Args:
            label: The label of the private key (``CKA_LABEL``).
            key_id: Its identifier (``CKA_ID``). With neither, it is the only GOST key.

        Raises:
            TokenError: As its `problem` says.
            UsageError: The PIN or the label is no proper text.
            Unavailable: The extra ``pkcs11`` or the library is missing, or the curve is not known.
            MalformedError: The public key on the token cannot be read.
            InvalidKey: It fails its checks.
        """
        chosen = _Choice(label, key_id)
        info = self._run(lambda session: session.public_key(chosen))
        if info is None:
            raise TokenError(TokenProblem.NO_KEY, "its public half is not there")
        return Pkcs11Key(partial(self._sign, chosen), public_key(info), self.provider)

    def signer(
        self,
        *,
        label: str | None = None,
        key_id: bytes | None = None,
        certificate: Certificate | None = None,
    ) -> Pkcs11Signer:
        """Return a key with its certificate.

        Args:
            label: The label of the private key (``CKA_LABEL``).
            key_id: Its identifier (``CKA_ID``). With neither, it is the only GOST key.
            certificate: Its certificate; by default the one on the token with its identifier.

        Raises:
            TokenError: As its `problem` says.
            UsageError: The PIN or the label is no proper text.
            InvalidKey: The certificate is of another key.
            Unavailable: The extra ``pkcs11`` or the library is missing, or the certificate holds
                no GOST key.
            MalformedError: The certificate on the token cannot be read.
        """
        chosen = _Choice(label, key_id)
        own = self._run(lambda session: session.public_key(chosen))
        found = certificate or self._run(lambda session: session.certificate(chosen))
        if own is not None and own.octets != found.public_key.octets:
            raise InvalidKey("the certificate is of another key")
        key = public_key(found.public_key)
        return Pkcs11Signer(partial(self._sign, chosen), key, self.provider, found)

    def _sign(self, chosen: _Choice, algorithm: DigestAlgorithm, digest: bytes) -> bytes:
        return self._run(lambda session: session.sign(chosen, _MECHANISMS[algorithm], digest))

    def _run(self, action: Callable[[_Session], T]) -> T:
        if os.getpid() != self._process:
            raise TokenError(TokenProblem.FORKED)
        with self.lock, _told():
            if self._session:
                try:
                    return action(self._session)
                except TokenError:
                    if self._session.sees_private_keys():
                        raise
                except _lost():
                    pass
                self._drop()
            self._session = self._open()
            return action(self._session)

    def _drop(self) -> None:
        session, self._session = self._session, None
        if session:
            with suppress(RuntimeError):  # the root of what python-pkcs11 raises
                session.handle.close()

    def _open(self) -> _Session:
        import pkcs11
        from pkcs11.attributes import AttributeMapper, handle_bytes, handle_ulong

        # Kinds of keys as plain numbers, for the enumeration of python-pkcs11 lacks that of ТК 26.
        mapper = AttributeMapper()
        mapper.register_handler(pkcs11.Attribute.KEY_TYPE, *handle_ulong)
        mapper.register_handler(pkcs11.Attribute.GOSTR3410_PARAMS, *handle_bytes)
        token = self._plugged_in()
        session = _Session(token.open(attribute_mapper=mapper))
        if session.sees_private_keys():  # another part of the process has logged in
            return session
        session.handle.close()
        if token.flags & pkcs11.TokenFlag.USER_PIN_LOCKED:
            raise TokenError(TokenProblem.PIN_LOCKED)
        pin = self.pin() if callable(self.pin) else self.pin
        if pin is not None and pin == self._refused:
            raise TokenError(_after_wrong_pin(token.flags), "it was refused before, not sent again")
        by = pkcs11.PROTECTED_AUTH if pin is None else pin
        try:
            return _Session(token.open(user_pin=by, attribute_mapper=mapper))
        except pkcs11.UserAlreadyLoggedIn:  # in the meantime
            return _Session(token.open(attribute_mapper=mapper))
        except (pkcs11.PinIncorrect, pkcs11.PinInvalid, pkcs11.PinLenRange):
            self._refused = pin
            raise TokenError(_after_wrong_pin(token.slot.get_token().flags)) from None

    def _plugged_in(self) -> pkcs11.Token:
        tokens = list(_library(self.module).get_tokens())
        if self.serial is not None:
            tokens = [each for each in tokens if each.serial == self.serial.encode()]
        return _only(tokens, TokenProblem.ABSENT, TokenProblem.SEVERAL_TOKENS)


@attrs.frozen(eq=False)
class Pkcs11Key:
    """A key on a token, made by `Pkcs11Token.key`; its private part never leaves the device.

    Attributes:
        public_key: The key that verifies what this one signs.
        provider: Who verifies each value.
    """

    _sign: Callable[[DigestAlgorithm, bytes], bytes] = attrs.field(alias="sign", repr=False)
    public_key: PublicKey
    provider: Provider = attrs.field(repr=False)

    @property
    def digest_algorithm(self) -> DigestAlgorithm:
        """The digest that goes with the length of the key."""
        return self.public_key.params.digest

    def sign_digest(self, digest: bytes) -> bytes:
        """Sign a digest.

        Args:
            digest: The octets as the hash gives them, 32 or 64.

        Returns:
            s‖r, each big-endian, 64 or 128 octets in all (RFC 9215 §2).

        Raises:
            UsageError: The digest has another length.
            TokenError: As its `problem` says.
            InvalidKey: What the token returned does not verify: the certificate is of another key,
                or the token orders its octets in another way.
        """
        algorithm = self.digest_algorithm
        if len(digest) != algorithm.size:
            raise UsageError(f"this key signs digests of {algorithm.size} octets")
        signature = self._sign(algorithm, digest)
        if not self.provider.verify(self.public_key, digest, signature):
            raise InvalidKey("the certificate is of another key, or the token orders octets oddly")
        return signature


@attrs.frozen(eq=False)
class Pkcs11Signer(Pkcs11Key):
    """A key on a token with its certificate, made by `Pkcs11Token.signer`.

    Attributes:
        certificate: The certificate of the key.
    """

    certificate: Certificate


@attrs.frozen
class _Choice:
    label: str | None
    key_id: bytes | None


@attrs.frozen(eq=False)
class _Session:
    """An open session, the private keys found in it so far, and what lies beside them."""

    handle: pkcs11.Session
    _keys: dict[_Choice, pkcs11.SignMixin] = attrs.field(
        factory=dict[_Choice, "pkcs11.SignMixin"], init=False
    )

    def sign(self, chosen: _Choice, mechanism: int, digest: bytes) -> bytes:
        import pkcs11

        # python-pkcs11 takes members of its enumeration only, and of them needs just the number.
        member = int.__new__(pkcs11.Mechanism, mechanism)
        return self._private_key(chosen).sign(digest, mechanism=member)

    def certificate(self, chosen: _Choice) -> Certificate:
        import pkcs11

        found = self._beside(chosen, pkcs11.ObjectClass.CERTIFICATE)
        only = _only(found, TokenProblem.NO_CERTIFICATE, TokenProblem.NO_CERTIFICATE)
        return decode_certificate(only[pkcs11.Attribute.VALUE])

    def public_key(self, chosen: _Choice) -> SubjectPublicKeyInfo | None:
        import pkcs11

        for key in self._beside(chosen, pkcs11.ObjectClass.PUBLIC_KEY):
            algorithm = der.oid(_KEY_OIDS[key[pkcs11.Attribute.KEY_TYPE]])
            curve = der.sequence(key[pkcs11.Attribute.GOSTR3410_PARAMS])
            point = der.bits(der.octets(key[pkcs11.Attribute.VALUE]))
            return decode_spki(der.sequence(der.sequence(algorithm, curve), point))
        return None

    def sees_private_keys(self) -> bool:
        """Tell whether the process is logged in: without that they are not refused but hidden."""
        import pkcs11

        wanted = {
            pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY,
            pkcs11.Attribute.PRIVATE: True,
        }
        return bool(list(self.handle.get_objects(wanted)))

    def _private_key(self, chosen: _Choice) -> pkcs11.SignMixin:
        import pkcs11

        if chosen not in self._keys:
            wanted: dict[pkcs11.Attribute, Any] = {
                pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY,
                pkcs11.Attribute.LABEL: chosen.label,
                pkcs11.Attribute.ID: chosen.key_id,
            }
            given = {attribute: value for attribute, value in wanted.items() if value is not None}
            found = [
                key
                for key in self.handle.get_objects(given)
                if isinstance(key, pkcs11.SignMixin) and key[pkcs11.Attribute.KEY_TYPE] in _KEY_OIDS
            ]
            self._keys[chosen] = _only(found, TokenProblem.NO_KEY, TokenProblem.SEVERAL_KEYS)
        return self._keys[chosen]

    def _beside(self, chosen: _Choice, kind: pkcs11.ObjectClass) -> list[pkcs11.Object]:
        import pkcs11

        key_id = self._private_key(chosen)[pkcs11.Attribute.ID]
        same = {pkcs11.Attribute.CLASS: kind, pkcs11.Attribute.ID: key_id}
        return list(self.handle.get_objects(same))


def _after_wrong_pin(flags: pkcs11.TokenFlag) -> TokenProblem:
    import pkcs11

    if flags & pkcs11.TokenFlag.USER_PIN_LOCKED:
        return TokenProblem.PIN_LOCKED
    last = flags & pkcs11.TokenFlag.USER_PIN_FINAL_TRY
    return TokenProblem.PIN_LAST_TRY if last else TokenProblem.PIN_WRONG


def _only(found: list[T], none: TokenProblem, several: TokenProblem) -> T:
    if len(found) != 1:
        raise TokenError(several if found else none)
    return found[0]


def _library(module: str) -> lib:
    import pkcs11

    try:
        library = pkcs11.lib(module)
    except pkcs11.PKCS11Error:
        raise Unavailable("the PKCS#11 library", "the software of the token's maker") from None
    try:
        library.get_slots()
    except pkcs11.PKCS11Error:
        # In a forked child nothing is initialised, whatever the parent did and Python remembers.
        with suppress(pkcs11.PKCS11Error):
            library.finalize()
        library = pkcs11.lib(module)
    return library


def _lost() -> tuple[type[Exception], ...]:
    import pkcs11

    return (
        *(pkcs11.SessionHandleInvalid, pkcs11.SessionClosed, pkcs11.UserNotLoggedIn),
        *(pkcs11.KeyHandleInvalid, pkcs11.ObjectHandleInvalid),
        *(pkcs11.DeviceRemoved, pkcs11.DeviceError, pkcs11.TokenNotPresent),
    )


@contextmanager
def _told() -> Generator[None]:
    """Tell in our words what the library of the token says."""
    try:
        import pkcs11
    except ImportError:
        raise MissingExtra("the use of tokens", "pkcs11") from None
    try:
        yield
    except (pkcs11.DeviceRemoved, pkcs11.TokenNotPresent):
        raise TokenError(TokenProblem.ABSENT) from None
    except pkcs11.PinLocked:
        raise TokenError(TokenProblem.PIN_LOCKED) from None
    except pkcs11.PKCS11Error as error:
        raise TokenError(TokenProblem.FAILED, type(error).__name__) from None
    except UnicodeEncodeError:  # it holds the whole text
        raise UsageError(
            "the PIN, the label or the serial number is no proper text",
            "В PIN-коде или номере токена недопустимый знак. Введите их ещё раз.",
        ) from None
