"""The report as a page for staff: one file, Russian, nothing to load, fit for print."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from html import escape
from typing import TYPE_CHECKING

from medsign.clock import by_moscow_time
from medsign.cms.messages import Indication
from medsign.cms.policy import Level

if TYPE_CHECKING:
    from medsign.cms.report import Finding, Report, SignatureReport
    from medsign.pki.profile import Holder

_STYLE = """
body{font:16px/1.45 system-ui,sans-serif;max-width:52rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.5rem}h2{font-size:1.2rem;margin-top:2rem}
.verdict{padding:.8rem 1rem;border-left:.5rem solid;font-weight:600}
.passed{border-color:#1b7f3b;background:#eaf6ee}
.failed{border-color:#b3261e;background:#fbeae9}
.unproved{border-color:#a86400;background:#fdf3e3}
table{border-collapse:collapse;width:100%}
th,td{text-align:left;vertical-align:top;padding:.35rem .6rem;border-bottom:1px solid #d5d5d5}
th{font-weight:600;width:34%}
code{font-size:.8rem;overflow-wrap:anywhere}small{color:#555}
@media print{body{margin:0;max-width:none;font-size:11pt}
 .verdict{border:1px solid;border-left-width:.5rem}h2,tr{break-inside:avoid}}
"""
_LOOKS = {
    Indication.TOTAL_PASSED: "passed",
    Indication.TOTAL_FAILED: "failed",
    Indication.INDETERMINATE: "unproved",
}
_OUTCOMES = {
    Level.FAIL: "✗ Нет",
    Level.WARN: "⚠ Предупреждение",
    Level.INFORM: "ℹ К сведению",
    Level.IGNORE: "— Не требуется",
}
_HOLDER = {
    "surname": "Фамилия",
    "given_name": "Имя",
    "patronymic": "Отчество",
    "position": "Должность",
    "organization": "Организация",
    "inn": "ИНН",
    "snils": "СНИЛС",
    "inn_legal": "ИНН организации",
    "ogrn": "ОГРН",
    "ogrnip": "ОГРНИП",
}


def page(report: Report) -> str:
    """Return the whole page; everything that comes from outside is escaped."""
    title = "Отчёт о проверке электронной подписи"
    explanation = "".join(f"<li>{escape(line)}</li>" for line in report.explain_trust()[1:])
    parts = [
        f"<h1>{title}</h1>",
        _verdict(report.indication, report.sub_indication and report.sub_indication.value),
        f"<ul>{explanation}</ul>",
        _table(
            (
                ("Время проверки", _moment(report.at)),
                ("Политика проверки", escape(report.policy)),
                ("Отпечаток политики (SHA-256)", f"<code>{escape(report.policy_digest)}</code>"),
                ("Отпечаток файла подписи (SHA-256)", f"<code>{escape(report.fingerprint)}</code>"),
            )
        ),
        _findings(report.findings),
        *(
            _signer(f"Подпись {number}", each)
            + "".join(
                _signer(f"Заверяющая подпись {other} к подписи {number}", countersigner)
                for other, countersigner in enumerate(each.countersigners, 1)
            )
            for number, each in enumerate(report.signers, 1)
        ),
    ]
    return (
        f'<!DOCTYPE html><html lang="ru"><head><meta charset="utf-8"><title>{title}</title>'
        f"<style>{_STYLE}</style></head><body>{''.join(parts)}</body></html>"
    )


def _signer(title: str, signer: SignatureReport) -> str:
    proofs = {"claim": "слово подписавшего", "time stamp": "штамп времени"}
    proof = proofs.get(signer.proved_by, "время проверки")
    rows = [
        ("Владелец сертификата", escape(signer.name or "не указан")),
        *(_holder(signer.holder) if signer.holder else ()),
        ("Вид подписи (63-ФЗ, статья 5)", signer.qualification.russian),
        ("Класс средства подписи", escape(", ".join(signer.tool_classes) or "не подтверждён")),
        ("Время подписания по словам подписавшего", _moment(signer.claimed_at)),
        ("Доказанное время подписи", f"{_moment(signer.proved_at)} ({proof})"),
        ("Отпечаток сертификата (SHA-256)", f"<code>{escape(signer.certificate or '—')}</code>"),
    ]
    return (
        f"<h2>{title}</h2>"
        + _verdict(signer.indication, signer.sub_indication and signer.sub_indication.value)
        + _table(rows)
        + _findings(signer.findings)
    )


def _holder(holder: Holder) -> Iterator[tuple[str, str]]:
    for field, label in _HOLDER.items():
        if value := getattr(holder, field):
            yield label, escape(value)


def _verdict(indication: Indication, sub_indication: str | None) -> str:
    code = " / ".join(filter(None, (indication.value, sub_indication)))
    return (
        f'<p class="verdict {_LOOKS[indication]}">{indication.russian}'
        f" <small>{escape(code)}</small></p>"
    )


def _findings(findings: Iterable[Finding]) -> str:
    return _table((each.message.question_ru, _outcome(each)) for each in findings)


def _outcome(finding: Finding) -> str:
    if finding.passed:
        return "✓ Да"
    evidence = finding.evidence
    notes = [
        escape(finding.text_ru),
        escape(evidence.detail),
        _moment(evidence.moment) if evidence.moment else "",
        f"<code>сертификат {escape(evidence.certificate)}</code>" if evidence.certificate else "",
        *(
            f"<code>цепочка {number}: {escape(each)}</code>"
            for number, each in enumerate(evidence.path, 1)
        ),
        f"<code>источник {escape(evidence.source)}</code>" if evidence.source else "",
    ]
    return f"{_OUTCOMES[finding.severity]}<br><small>{'<br>'.join(filter(None, notes))}</small>"


def _table(rows: Iterable[tuple[str, str]]) -> str:
    body = "".join(f"<tr><th>{escape(label)}</th><td>{cell}</td></tr>" for label, cell in rows)
    return f"<table>{body}</table>"


def _moment(moment: datetime | None) -> str:
    return by_moscow_time(moment) if moment else "не указано"
