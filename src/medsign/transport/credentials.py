"""Where secrets come from: a text, or the vendor's own vault, asked as late as possible."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeAlias

from medsign.errors import ConfigError, MedsignError

Secret: TypeAlias = str | Callable[[], str]
"""A secret itself, or what fetches it; it is called at each use, so a rotated secret is found."""


class Credentials(Protocol):
    """The port behind which a vendor plugs its vault."""

    def secret(self, name: str) -> str:
        """Return a secret by its name.

        It is called just before the secret is needed and its answer is not kept. It may block:
        asynchronous code calls it in a worker thread.

        Raises:
            ConfigError: The vault holds no such secret, or does not answer.
        """
        ...


def reveal(secret: Secret) -> str:
    """Return the text of a secret, fetching it where it has to be fetched.

    Raises:
        ConfigError: The vault fails, or gives no text.

    Example:
        >>> reveal(lambda: "from the vault")
        'from the vault'
    """
    if isinstance(secret, str):
        return secret
    try:
        text: Any = secret()
    except MedsignError:
        raise
    except Exception as error:
        raise ConfigError(f"the vault did not give a secret ({type(error).__name__})") from error
    if isinstance(text, str) and text:
        return text
    raise ConfigError(f"the vault gave no text as a secret ({type(text).__name__})")
