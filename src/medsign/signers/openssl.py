"""A key that only the program `openssl` touches: in a file, or on a token behind an engine.

So signs a token whose maker gives an engine for OpenSSL and no library for Python, and a file
whose key shall never lie in the memory of this process.
"""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import attrs

from medsign.codec.asn1 import Certificate
from medsign.errors import InvalidKey, TimedOut, Unavailable, UsageError
from medsign.gost import DigestAlgorithm, Provider, PublicKey, default_provider
from medsign.pki.keys import public_key

# The library and the reason of a line of OpenSSL's error queue; what follows may hold paths.
_REASON = re.compile(r"error:[0-9A-F]+:([^:]*):[^:]*:([^:]*):")
_PASSWORD = "MEDSIGN_OPENSSL_PASSWORD"  # noqa: S105 - the name of a variable, not a password


@attrs.frozen(eq=False, kw_only=True)
class OpenSslSigner:
    """A `Signer` that runs ``openssl pkeyutl -sign`` for each signature.

    Args:
        key: The file of the key, in any form that OpenSSL reads, or the URI of one; with an engine
            the name that the engine gives the key, such as ``pkcs11:…``.
        certificate: The certificate of the key.
        password: The password of the file or the PIN of the token; it goes through the environment
            of the child, never through its arguments.
        engine: The engine that holds the key, such as ``rtengine``, or the path of its library;
            ``None`` for a file.
        config: A configuration under which OpenSSL has GOST; the system's by default.
        program: What to run.
        timeout: After how many seconds the program is stopped.
        provider: Who checks each value; by default `medsign.gost.default_provider`.

    Raises:
        Unavailable: The key of the certificate is not one of GOST R 34.10-2012.
    """

    key: Path | str = attrs.field(repr=False)
    certificate: Certificate
    password: str = attrs.field(default="", repr=False)
    engine: str | None = None
    config: Path | None = None
    program: str = "openssl"
    timeout: float = 60
    provider: Provider = attrs.field(factory=default_provider, repr=False)
    public_key: PublicKey = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "public_key", public_key(self.certificate.public_key))

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
            UsageError: The digest has another length, or the password is no proper text.
            InvalidKey: OpenSSL could not sign, for its key, password, engine or configuration is
                not right; or the certificate is of another key.
            Unavailable: There is no such program.
            TimedOut: The program took too long, for instance at a token that waits for a touch.
        """
        if len(digest) != self.digest_algorithm.size:
            raise UsageError(f"this key signs digests of {self.digest_algorithm.size} octets")
        signature = self._run(digest)
        if not self.provider.verify(self.public_key, digest, signature):
            raise InvalidKey("the certificate is of another key")
        return signature

    def _run(self, digest: bytes) -> bytes:
        engine = ("-engine", self.engine, "-keyform", "engine") if self.engine else ()
        environment = {**os.environ, _PASSWORD: self.password}
        if self.config:
            environment["OPENSSL_CONF"] = str(self.config)
        command = [self.program, "pkeyutl", "-sign", *engine, "-inkey", str(self.key)]
        try:
            done = subprocess.run(  # noqa: S603 - the caller names the program
                [*command, "-passin", f"env:{_PASSWORD}"],
                input=digest,
                capture_output=True,
                env=environment,
                timeout=self.timeout,
                check=False,
            )
        except OSError:
            raise Unavailable(f"the program {self.program}", "openssl") from None
        except ValueError:  # it may hold the whole text
            raise UsageError(
                "the password is no proper text", "В пароле недопустимый знак. Введите его ещё раз."
            ) from None
        except subprocess.TimeoutExpired:
            raise TimedOut("openssl did not sign in time") from None
        if done.returncode:
            reasons = dict.fromkeys(_REASON.findall(done.stderr.decode(errors="replace")))
            listed = "; ".join(": ".join(reason) for reason in reasons) or "no reason given"
            raise InvalidKey(f"openssl could not sign: {listed}")
        return done.stdout
