"""What the signer sees: pages of СЭП in the browser, and the mark in the signed PDF."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from html import escape
from http import HTTPStatus

from medsign.clock import MOSCOW
from medsign.sandbox.paper import text_of
from medsign.sandbox.routing import Reply
from medsign.sep import Evidence, Package, SignedDocument

HTML = "text/html; charset=utf-8"
_SAFETY = {
    "Content-Type": HTML,
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_LAYOUT = """<!doctype html>
<html lang="ru"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 1.1rem/1.5 sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem }}
pre {{ white-space: pre-wrap; border: 1px solid #bbb; border-radius: .4rem; padding: 1rem }}
button, input {{ font: inherit; padding: .5rem 1rem }}
</style></head>
<body><h1>{title}</h1>
{body}
</body></html>
"""


def document(address: str, name: str, content: bytes) -> Reply:
    """Return the page with the text of the document and «Подписать» (F228)."""
    return _page(name, _text(content), _pdf(address, "Открыть PDF"), _button(address, "Подписать"))


def code(address: str, message: str, status: int = HTTPStatus.OK) -> Reply:
    """Return the page that asks for the additional code (F229)."""
    form = (
        f'<form method="post" action="{address}/code"><label>Код <input name="code"'
        ' inputmode="numeric" autocomplete="one-time-code" required></label>'
        " <button>Подтвердить</button></form>"
    )
    return _page("Подтверждение подписи", _said(message), form, status=status)


def no_code(address: str, message: str) -> Reply:
    """Return the page that offers a new code."""
    return _page(
        "Подтверждение подписи",
        _said(message),
        _button(address, "Отправить новый код"),
        status=HTTPStatus.UNPROCESSABLE_ENTITY,
    )


def too_many_codes() -> Reply:
    """Return the page of a link that has sent all its codes."""
    said = _said("Слишком много кодов. Обратитесь в клинику.")
    return _page("Подтверждение подписи", said, status=HTTPStatus.TOO_MANY_REQUESTS)


def unknown_link() -> Reply:
    """Return the page of a link that nobody sent."""
    return _page("Ссылка не найдена", _said("Проверьте ссылку."), status=HTTPStatus.NOT_FOUND)


def old_link() -> Reply:
    """Return the page of a link that nobody used in time."""
    said = _said("Попросите клинику отправить новую.")
    return _page("Срок ссылки истёк", said, status=HTTPStatus.GONE)


def signed(address: str, name: str, outcome: SignedDocument) -> Reply:
    """Return the page with the signed document (F230)."""
    return _page(
        "Документ подписан",
        _said(f"«{name}», {_shown(outcome.evidence.signed_at)}"),
        _pdf(address, "Просмотр PDF"),
        _text(outcome.content),
    )


def stamp(package: Package, evidence: Evidence) -> Iterator[str]:
    """Yield the lines of the mark: who signed what, when and how."""
    yield "ДОКУМЕНТ ПОДПИСАН ПРОСТОЙ ЭЛЕКТРОННОЙ ПОДПИСЬЮ"
    yield ""
    yield f"Документ: {package.documents[0].name}"
    yield f"Подписант: {package.recipient.full_name}"
    if package.representative:
        yield f"За пациента: {package.patient.full_name} ({package.representative.relation})"
    yield f"Код отправлен: {_shown(evidence.code_sent_at)}, сообщение {evidence.code_id}"
    yield f"Подписано: {_shown(evidence.signed_at)}"
    yield f"Хэш документа (Стрибог-256): {evidence.document_digest}"
    yield ""
    yield "Песочница medsign: юридической силы не имеет."


def _page(title: str, *parts: str, status: int = HTTPStatus.OK) -> Reply:
    """Return a page of a plain title and parts that are HTML already."""
    whole = _LAYOUT.format(title=escape(title), body="\n".join(parts))
    return Reply(status, _SAFETY, whole.encode())


def _said(message: str) -> str:
    return f"<p>{escape(message)}</p>"


def _text(content: bytes) -> str:
    return f"<pre>{escape(text_of(content))}</pre>"


def _pdf(address: str, label: str) -> str:
    return f'<p><a href="{address}/document.pdf">{label}</a></p>'


def _button(address: str, label: str) -> str:
    return f'<form method="post" action="{address}"><button>{label}</button></form>'


def _shown(moment: datetime) -> str:
    return f"{moment.astimezone(MOSCOW):%d.%m.%Y %H:%M:%S} (МСК)"
