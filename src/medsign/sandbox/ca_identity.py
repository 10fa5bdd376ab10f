"""How the УЦ of the world makes sure who the applicant is."""

from __future__ import annotations

from datetime import datetime

from medsign.ca.models import SCENARIOS, Identification, Identify, Scenario
from medsign.ca.status import REQUEST_STATUS, CertificateState
from medsign.ca.subject import RenewalObstacle, renewal_obstacles
from medsign.codec.asn1 import decode_signed_data
from medsign.pki.profile import is_qualified_profile
from medsign.pki.signed import check_signer
from medsign.sandbox.ca_case import Case, identified
from medsign.sandbox.pki import Pki
from medsign.sandbox.routing import Problem

_INSTRUCTIONS = {
    Scenario.AT_CA: "Придите в офис УЦ с паспортом",
    Scenario.PARTNER: "Придите к партнёру УЦ с паспортом",
    Scenario.EPGU: "Подтвердите личность в личном кабинете на Госуслугах",
}

_OBSTACLES = {
    RenewalObstacle.NOT_VALID: ("certificate-not-valid", "The certificate is not valid now"),
    RenewalObstacle.OTHER_AUTHORITY: (
        "certificate-other-authority",
        "A head or an entrepreneur renews only by a certificate of УЦ ФНС",
    ),
    RenewalObstacle.DATA_CHANGED: (
        "certificate-data-changed",
        "The data differ from those in the valid certificate",
    ),
}


def begun(case: Case, wish: Identify, at: datetime, pki: Pki) -> Case:
    """Return the case after the applicant has chosen a way of identification.

    Raises:
        Problem: The way is not offered, or the certificate does not identify the applicant.
        IllegalTransition: It is not the time for it.
    """
    REQUEST_STATUS.apply(case.state, "bill")
    if wish.scenario is Scenario.EBS:
        raise Problem(
            422,
            "identification-not-available",
            "Identification through ЕБС is not available yet",
            "Идентификация через ЕБС пока недоступна",
        )
    if wish.scenario not in SCENARIOS[case.request.authority]:
        raise Problem(
            422,
            "identification-not-allowed",
            f"{case.request.authority} does not identify in this way",
            f"{case.request.authority.label} так не идентифицирует",
        )
    waiting = case.with_request(
        identification=Identification(
            scenario=wish.scenario, instructions=_INSTRUCTIONS.get(wish.scenario)
        )
    )
    if wish.scenario is not Scenario.BY_CERTIFICATE:
        return waiting
    _judge(case, wish.signed_statement or b"", at, pki)
    return identified(waiting, at)


def _judge(case: Case, signed_statement: bytes, at: datetime, pki: Pki) -> None:
    """Refuse unless a valid qualified certificate of the same data signed the statement (F021)."""
    message = decode_signed_data(signed_statement)
    certificate = None
    if len(message.signers) == 1 and message.content == case.request.statement.encode():
        facts = check_signer(message, message.signers[0])
        certificate = facts.certificate if facts.is_intact else None
    if certificate is None:
        raise Problem(
            422,
            "statement-signature-invalid",
            "The statement is not signed, or another statement is",
            "Подпись под заявлением неверна",
        )
    issued = pki.trusted(certificate)
    if issued is None or not is_qualified_profile(certificate):
        raise Problem(
            422,
            "certificate-unknown",
            "The statement is not signed by a qualified certificate of this УЦ",
            "Заявление подписано не квалифицированным сертификатом этого УЦ",
        )
    obstacles = list(renewal_obstacles(case.new.applicant, case.new.subject, certificate, at))
    if issued.state_at(at) is not CertificateState.ACTIVE:
        obstacles.insert(0, RenewalObstacle.NOT_VALID)
    if obstacles:
        raise Problem(422, *_OBSTACLES[obstacles[0]], obstacles[0].label)
