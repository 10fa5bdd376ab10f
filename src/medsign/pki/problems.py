"""What checks of this room find: one table of codes for chains, evidence, stamps and signers."""

from __future__ import annotations

import enum
from typing import Self

import attrs


class ProblemCode(enum.StrEnum):
    """What is wrong.

    A conclusive problem proves that the thing is bad (ETSI EN 319 102-1: TOTAL-FAILED); any other
    only says that it could not be shown to be good (INDETERMINATE), and better evidence may help.

    Attributes:
        russian: What to tell clinic staff.
        conclusive: Whether no further evidence can help.

    Example:
        >>> ProblemCode("signature.invalid").conclusive, ProblemCode("path.no_anchor").conclusive
        (True, False)
    """

    russian: str
    conclusive: bool

    def __new__(cls, code: str, russian: str, conclusive: bool = False) -> Self:  # noqa: FBT001, FBT002
        member = str.__new__(cls, code)
        member._value_ = code
        member.russian = russian
        member.conclusive = conclusive
        return member

    SIGNATURE_INVALID = "signature.invalid", "подпись неверна", True
    ALGORITHM_UNSUPPORTED = "algorithm.unsupported", "алгоритм подписи или хэша не поддерживается"
    ALGORITHM_MISMATCH = "algorithm.mismatch", "алгоритмы внутри структуры противоречат друг другу"

    ALGORITHM_WEAK = "algorithm.weak", "алгоритм хэша больше не защищает от подделки"

    ISSUER_SIGNATURE = (
        "certificate.signature",
        "подпись сертификата не подтверждается ключом издателя",
    )
    NO_ANCHOR = "path.no_anchor", "цепочка не доходит до доверенного корневого сертификата"
    BUDGET_EXCEEDED = "path.budget", "проверка цепочки остановлена: она слишком сложна"
    NOT_YET_VALID = "certificate.not_yet_valid", "срок действия сертификата ещё не начался"
    EXPIRED = "certificate.expired", "срок действия сертификата истёк"
    NOT_A_CA = "certificate.not_a_ca", "издатель не является удостоверяющим центром"
    PATH_TOO_LONG = (
        "certificate.path_length",
        "удостоверяющих центров в цепочке больше, чем можно",
    )
    KEY_USAGE = "certificate.key_usage", "ключ сертификата не предназначен для этого действия"
    PURPOSE = "certificate.purpose", "сертификат не предназначен для этого действия"
    CRITICAL_EXTENSION = (
        "certificate.critical_extension",
        "критичное дополнение сертификата не может быть обработано",
    )

    NAME_CONSTRAINTS = (
        "certificate.name_constraints",
        "имя владельца вне тех, для которых вышестоящий УЦ разрешил выпускать сертификаты",
    )
    POLICY = "certificate.policy", "цепочка не подтверждает ни одной из нужных политик сертификата"

    NOT_QUALIFIED = "certificate.not_qualified", "сертификат не имеет вида квалифицированного"
    NOT_ACCREDITED = (
        "certificate.not_accredited",
        "на день выдачи сертификата аккредитация удостоверяющего центра не действовала",
    )
    ACCREDITATION_OUTDATED = (
        "certificate.accreditation_outdated",
        "перечень аккредитованных удостоверяющих центров старше сертификата",
    )

    NO_EVIDENCE = "revocation.no_evidence", "нет сведений о статусе сертификата"
    REVOKED = "revocation.revoked", "сертификат отозван или приостановлен", True
    EVIDENCE_SIGNATURE = "revocation.signature", "подпись под сведениями о статусе неверна"
    STALE = "revocation.stale", "сведения о статусе устарели"
    FROM_THE_FUTURE = "revocation.future", "сведения о статусе датированы будущим"
    AFTER_EXPIRY = (
        "revocation.after_expiry",
        "сведения о статусе составлены после окончания срока сертификата и могут его не содержать",
    )
    OUT_OF_SCOPE = "revocation.out_of_scope", "список отзыва не охватывает этот сертификат"
    EVIDENCE_EXTENSION = (
        "revocation.extension",
        "критичное дополнение сведений о статусе не может быть обработано",
    )
    NO_RESPONDER = "revocation.no_responder", "нет сертификата службы OCSP, подписавшей ответ"
    RESPONDER_REFUSED = (
        "revocation.responder",
        "служба OCSP не уполномочена издателем сертификата",
    )
    UNKNOWN_STATUS = "revocation.unknown", "служба OCSP не знает этого сертификата"
    NONCE_MISMATCH = "nonce.mismatch", "ответ составлен не на этот запрос"
    NONCE_MISSING = "nonce.missing", "в ответе нет числа, отличающего его от прежних ответов"

    NOT_GRANTED = "timestamp.not_granted", "служба отказала в штампе времени"
    NOT_A_TIMESTAMP = "timestamp.content", "это не штамп времени"
    IMPRINT_MISMATCH = "timestamp.imprint", "штамп времени поставлен на другие данные", True
    POLICY_MISMATCH = "timestamp.policy", "штамп времени выдан по другой политике"

    SIGNER_UNKNOWN = "signer.unknown", "нет сертификата подписанта"
    CONTENT_MISSING = "signer.no_content", "нет подписанных данных"
    CONTENT_TYPE_MISMATCH = "signer.content_type", "тип данных не тот, что подписан", True
    DIGEST_MISMATCH = "signer.digest", "данные изменены после подписания", True
    NO_SIGNING_CERTIFICATE = (
        "signer.no_signing_certificate",
        "в подписи нет ссылки на сертификат подписанта",
    )
    SIGNING_CERTIFICATE_MISMATCH = (
        "signer.signing_certificate",
        "подпись ссылается на другой сертификат",
    )


@attrs.frozen
class Problem:
    """One thing found.

    Attributes:
        code: What is wrong.
        subject: Fingerprint (SHA-256, hexadecimal) of the certificate or evidence that it is
            about; empty when it is about the whole.
        detail: More for programmers, in English, without personal data.
    """

    code: ProblemCode
    subject: str = ""
    detail: str = ""
