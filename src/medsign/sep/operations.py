"""The contract with СЭП, each operation once for both colours.

The methods of the real service are not published, so this contract is our own: what the tab
«28. СЭП» can do, over JSON. If the service differs, this module changes and no caller does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar
from urllib.parse import quote
from uuid import UUID, uuid5

import attrs
import httpx

from medsign.errors import MedsignError, UnexpectedAnswer
from medsign.exchange import Context, Flow, Listing, Wait
from medsign.sep.models import (
    Batch,
    Document,
    DocumentRow,
    Failure,
    Package,
    SignedDocument,
)
from medsign.sep.rules import ADULT, check

T = TypeVar("T")

ORGANIZATION = "N3-Organization"
"""Header field with the identifier of the МО."""

_KEYS = UUID("5e9d0c0e-7f0e-5f0b-9a53-2f4f7d0a6c11")


def send(
    context: Context,
    package: Package,
    document: Document,
    *,
    adult: int = ADULT,
    key: str | None = None,
) -> Flow[DocumentRow]:
    """Send one document of a package to be signed: «Отправить» (F215).

    A second press of the button sends nothing: the key follows from the numbers of the МО, the
    package and the document.

    Args:
        package: Whose it is and who signs.
        document: One of its documents; where it lies in a file, that is sent as it is read.
        adult: Age in whole years below which a representative signs.
        key: Another idempotency key.

    Raises:
        InvalidDocument: The package breaks a rule; nothing was sent.
        ApiError: СЭП refused.
        OutcomeUnknown: Nobody knows yet whether it was done; send again later.
        UsageError: Another document was sent under this number before, or its file is missing.
        ContentChanged: Its file changed between two attempts, or while it was read.
    """
    submission = partial(_submission, context, package, document, adult)
    key = key or _key(context, package, document)
    answer = yield from context.create("send", submission, key, kind=DocumentRow)
    return context.read(DocumentRow, answer)


def send_all(context: Context, package: Package, *, adult: int = ADULT) -> Flow[Batch]:
    """Send every document of a package: «Отправить все» (F217).

    A document that fails does not stop the others; repeat the call to send what is missing.

    Args:
        package: Whose they are and who signs.
        adult: Age in whole years below which a representative signs.
    """
    return _each(
        ((document.id, document) for document in package.documents),
        lambda document: send(context, package, document, adult=adult),
    )


def status(context: Context, number: str) -> Flow[DocumentRow]:
    """Ask what became of a document: «Получить» (F216).

    СЭП tells nothing by itself; a document sent by a service that dispatches on demand goes to
    the patient at the first such question.

    Args:
        number: Number of the document in СЭП.

    Raises:
        ApiError: СЭП does not know the number.
    """
    answer = yield from context.fetch("status", context.request("GET", _path(number)))
    return context.read(DocumentRow, answer)


def status_all(context: Context, numbers: Iterable[str]) -> Flow[Batch]:
    """Ask what became of several documents: «Получить все» (F218).

    Args:
        numbers: Numbers of the documents in СЭП.
    """
    return _each(((number, number) for number in numbers), lambda number: status(context, number))


def wait_signed(
    context: Context, number: str, *, every: float = 30.0, at_most: float = 600.0
) -> Flow[DocumentRow]:
    """Ask again and again until the patient has signed or the time is over.

    Args:
        number: Number of the document in СЭП.
        every: Seconds between questions.
        at_most: Seconds after which the last answer is returned as it is.
    """
    until = context.clock.monotonic() + at_most
    while True:
        row = yield from status(context, number)
        if row.state.terminal or context.clock.monotonic() + every > until:
            return row
        yield Wait(every)


def documents(context: Context, *, package: str | None = None) -> Listing[DocumentRow]:
    """List the documents of the МО, oldest first.

    Args:
        package: Only those of the package of this number in the МИС.
    """
    return context.pages("documents", "documents", DocumentRow, {"package": package})


def signed(context: Context, number: str) -> Flow[SignedDocument]:
    """Fetch a signed document: «Просмотр PDF» (F233).

    Args:
        number: Number of the document in СЭП.

    Raises:
        ApiError: The patient has not signed it yet.
        UnexpectedAnswer: What came is no PDF.
    """
    request = context.request("GET", f"{_path(number)}/signed")
    answer = yield from context.roomy.fetch("signed", request)
    document = context.roomy.read(SignedDocument, answer)
    if not document.content.startswith(b"%PDF-"):
        raise UnexpectedAnswer("sep: the signed document is no PDF")
    return document


def _submission(
    context: Context, package: Package, document: Document, adult: int
) -> httpx.Request:
    check(package, document, context.clock.now(), adult=adult)
    alone = attrs.evolve(package, documents=(document,))
    return context.request("POST", "documents", body=alone)


def _path(number: str) -> str:
    return f"documents/{quote(number, safe='')}"


def _key(context: Context, package: Package, document: Document) -> str:
    parts = (context.headers.get(ORGANIZATION, ""), package.id, document.id)
    # «17/2026» with «1» is not «17» with «2026/1»; other numbers keep the keys they ever had.
    safe = (part.replace("%", "%25").replace("/", "%2F") for part in parts)
    return str(uuid5(_KEYS, "/".join(safe)))


def _each(items: Iterable[tuple[str, T]], flow: Callable[[T], Flow[DocumentRow]]) -> Flow[Batch]:
    rows: list[DocumentRow] = []
    failures: list[Failure] = []
    for number, item in items:
        try:
            rows.append((yield from flow(item)))
        except MedsignError as error:
            failures.append(Failure(number, error))
    return Batch(tuple(rows), tuple(failures))
