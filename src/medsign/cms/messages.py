"""What is checked, in which order, and in which words: one table.

A check is a question with an answer for the case that it failed, and with advice on what to do.
Indications and sub-indications are those of ETSI EN 319 102-1 5.1.3.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping
from types import MappingProxyType

import attrs


class Indication(enum.Enum):
    """The verdict on a signature."""

    TOTAL_PASSED = "TOTAL-PASSED"
    TOTAL_FAILED = "TOTAL-FAILED"
    INDETERMINATE = "INDETERMINATE"

    @property
    def russian(self) -> str:
        """The verdict for staff."""
        return _INDICATIONS[self]


_INDICATIONS = {
    Indication.TOTAL_PASSED: "Подпись действительна",
    Indication.TOTAL_FAILED: "Подпись недействительна",
    Indication.INDETERMINATE: "Действительность подписи не подтверждена",
}


class SubIndication(enum.Enum):
    """Why a signature did not pass."""

    FORMAT_FAILURE = "FORMAT_FAILURE"
    HASH_FAILURE = "HASH_FAILURE"
    SIG_CRYPTO_FAILURE = "SIG_CRYPTO_FAILURE"
    REVOKED = "REVOKED"
    EXPIRED = "EXPIRED"
    NOT_YET_VALID = "NOT_YET_VALID"
    SIG_CONSTRAINTS_FAILURE = "SIG_CONSTRAINTS_FAILURE"
    CHAIN_CONSTRAINTS_FAILURE = "CHAIN_CONSTRAINTS_FAILURE"
    CRYPTO_CONSTRAINTS_FAILURE = "CRYPTO_CONSTRAINTS_FAILURE"
    CRYPTO_CONSTRAINTS_FAILURE_NO_POE = "CRYPTO_CONSTRAINTS_FAILURE_NO_POE"
    SIGNATURE_POLICY_NOT_AVAILABLE = "SIGNATURE_POLICY_NOT_AVAILABLE"
    NO_SIGNING_CERTIFICATE_FOUND = "NO_SIGNING_CERTIFICATE_FOUND"
    NO_CERTIFICATE_CHAIN_FOUND = "NO_CERTIFICATE_CHAIN_FOUND"
    SIGNED_DATA_NOT_FOUND = "SIGNED_DATA_NOT_FOUND"
    TIMESTAMP_ORDER_FAILURE = "TIMESTAMP_ORDER_FAILURE"
    REVOKED_NO_POE = "REVOKED_NO_POE"
    REVOKED_CA_NO_POE = "REVOKED_CA_NO_POE"
    OUT_OF_BOUNDS_NO_POE = "OUT_OF_BOUNDS_NO_POE"
    NO_POE = "NO_POE"
    TRY_LATER = "TRY_LATER"
    GENERIC = "GENERIC"

    @property
    def indication(self) -> Indication:
        """Whether the signature is surely bad or only not proved good."""
        return Indication.TOTAL_FAILED if self in _TOTAL else Indication.INDETERMINATE


_TOTAL = {
    SubIndication.FORMAT_FAILURE,
    SubIndication.HASH_FAILURE,
    SubIndication.SIG_CRYPTO_FAILURE,
    SubIndication.REVOKED,
    SubIndication.EXPIRED,
    SubIndication.NOT_YET_VALID,
}


class Qualification(enum.Enum):
    """Which of the two strong signatures it is (63-ФЗ, ст. 5)."""

    QUALIFIED = "qualified"
    NON_QUALIFIED = "non-qualified"
    UNKNOWN = "unknown"

    @property
    def russian(self) -> str:
        """The word of the law."""
        return _QUALIFICATIONS[self]


_QUALIFICATIONS = {
    Qualification.QUALIFIED: "квалифицированная",
    Qualification.NON_QUALIFIED: "неквалифицированная",
    Qualification.UNKNOWN: "не установлено, квалифицированная ли",
}


@attrs.frozen
class Message:
    """One check in words.

    Attributes:
        sub_indication: What a failure means.
        question_ru: What is checked.
        answer_ru: What is wrong.
        advice_ru: What to do about it.
        question_en: What is checked.
        answer_en: What is wrong.
    """

    sub_indication: SubIndication
    question_ru: str
    answer_ru: str
    advice_ru: str
    question_en: str
    answer_en: str


#: Checks by code, in the order in which the first failure names the verdict.
MESSAGES: Mapping[str, Message] = MappingProxyType(
    {
        "FORMAT": Message(
            SubIndication.FORMAT_FAILURE,
            "Файл подписи читается?",
            "Файл подписи повреждён или имеет другой формат.",
            "Получите файл подписи заново, без изменений при пересылке.",
            "Can the signature file be read?",
            "The signature file is damaged or of another format.",
        ),
        "SIGNATURE_PRESENT": Message(
            SubIndication.FORMAT_FAILURE,
            "В файле есть подпись?",
            "В файле нет ни одной подписи.",
            "Запросите подписанный файл у отправителя.",
            "Does the file hold a signature?",
            "There is no signature in the file.",
        ),
        "PDF_COVERED": Message(
            SubIndication.FORMAT_FAILURE,
            "Подпись охватывает весь PDF, каким он был при подписании?",
            "Подпись охватывает не весь PDF: часть файла могли подменить.",
            "Документу доверять нельзя: запросите его у подписавшего заново.",
            "Does the signature cover the whole PDF as it was signed?",
            "The signature covers only a part of the PDF: the rest may be forged.",
        ),
        "PDF_UNCHANGED": Message(
            SubIndication.FORMAT_FAILURE,
            "После подписания в PDF не внесено недопустимых изменений?",
            "После подписания в PDF внесены изменения, которых подпись не допускает.",
            "Откройте подписанную редакцию документа или запросите документ заново.",
            "Is the PDF free of changes that the signature does not allow?",
            "The PDF was changed after the signing in a way that the signature does not allow.",
        ),
        "CONTENT_INTACT": Message(
            SubIndication.HASH_FAILURE,
            "Документ не изменён после подписания?",
            "Документ изменён после подписания, или подпись сделана под другим документом.",
            "Проверьте, тот ли файл выбран; если тот — запросите документ и подпись заново.",
            "Is the document unchanged since it was signed?",
            "The document has changed, or the signature belongs to another document.",
        ),
        "SIGNATURE_INTACT": Message(
            SubIndication.SIG_CRYPTO_FAILURE,
            "Подпись создана ключом из сертификата?",
            "Значение подписи не соответствует ключу сертификата.",
            "Документу доверять нельзя: запросите его у подписавшего заново.",
            "Was the signature made with the key of the certificate?",
            "The signature value does not verify with the key of the certificate.",
        ),
        "CERTIFICATE_NOT_YET_VALID": Message(
            SubIndication.NOT_YET_VALID,
            "Подпись создана не раньше начала действия сертификата?",
            "Подпись создана раньше, чем начал действовать сертификат.",
            "Проверьте часы компьютера подписавшего и подпишите документ заново.",
            "Was the certificate already valid when the signature was made?",
            "The signature was made before the certificate became valid.",
        ),
        "CERTIFICATE_EXPIRED_AT_SIGNING": Message(
            SubIndication.EXPIRED,
            "По указанному в подписи времени сертификат ещё действовал?",
            "По указанному в подписи времени сертификат уже не действовал.",
            "Подпишите документ действующим сертификатом.",
            "Was the certificate still valid at the time the signer claims?",
            "By the signer's own word the certificate had expired.",
        ),
        "CERTIFICATE_REVOKED_AT_SIGNING": Message(
            SubIndication.REVOKED,
            "По указанному в подписи времени сертификат не был отозван?",
            "По указанному в подписи времени сертификат уже был отозван.",
            "Подпишите документ действующим сертификатом.",
            "Was the certificate not yet revoked at the time the signer claims?",
            "By the signer's own word the certificate had been revoked.",
        ),
        "PDF_COMPARED": Message(
            SubIndication.GENERIC,
            "Можно узнать, что изменилось в PDF после подписания?",
            "К PDF после подписания что-то добавлено, а что именно, установить не удалось: "
            "файл нарушает правила формата.",
            "Откройте подписанную редакцию документа или запросите документ заново.",
            "Can it be told what changed in the PDF after the signing?",
            "Something was added to the PDF after the signing, and it cannot be told what: "
            "the file breaks the rules of its format.",
        ),
        "SIGNING_CERTIFICATE": Message(
            SubIndication.NO_SIGNING_CERTIFICATE_FOUND,
            "Найден сертификат подписавшего?",
            "Сертификат подписавшего не найден: его нет в подписи и среди переданных сертификатов.",
            "Передайте на проверку сертификат подписавшего вместе с подписью.",
            "Was the certificate of the signer found?",
            "The certificate of the signer is neither in the signature nor among those given.",
        ),
        "CERTIFICATE_REFERENCE": Message(
            SubIndication.NO_SIGNING_CERTIFICATE_FOUND,
            "Подпись ссылается на этот же сертификат?",
            "Подпись ссылается на другой сертификат: его могли подменить.",
            "Запросите подпись вместе с сертификатом, которым она создана.",
            "Does the signature refer to this very certificate?",
            "The signature refers to another certificate; it may have been swapped.",
        ),
        "CONTENT_PRESENT": Message(
            SubIndication.SIGNED_DATA_NOT_FOUND,
            "Есть документ, под которым поставлена подпись?",
            "Подпись отсоединённая, а сам документ на проверку не передан.",
            "Передайте на проверку документ вместе с файлом подписи.",
            "Is the signed document at hand?",
            "The signature is detached, and the document was not given.",
        ),
        "ALGORITHM_IMPLEMENTED": Message(
            SubIndication.CRYPTO_CONSTRAINTS_FAILURE,
            "Алгоритмы подписи известны программе?",
            "Подпись создана алгоритмом, который программа не умеет проверять.",
            "Проверьте подпись другим средством или подпишите документ по ГОСТ Р 34.10-2012.",
            "Are the algorithms of the signature implemented?",
            "The signature uses an algorithm that is not implemented here.",
        ),
        "ALGORITHM_ALLOWED": Message(
            SubIndication.CRYPTO_CONSTRAINTS_FAILURE,
            "Политика допускает алгоритмы подписи?",
            "Подпись создана алгоритмом, который политика проверки не допускает.",
            "Подпишите документ по ГОСТ Р 34.10-2012.",
            "Does the policy allow the algorithms of the signature?",
            "The policy does not allow an algorithm of the signature.",
        ),
        "ALGORITHM_IN_TIME": Message(
            SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE,
            "Алгоритмы подписи допускались на время подписания?",
            "Алгоритм больше не допускается, а доказательства, что подпись старше запрета, нет.",
            "Приложите штамп времени, полученный до запрета, или подпишите документ заново.",
            "Were the algorithms allowed at the proved time?",
            "An algorithm is no longer allowed, and nothing proves that the signature is older.",
        ),
        "SIGNED_ATTRIBUTES": Message(
            SubIndication.SIG_CONSTRAINTS_FAILURE,
            "В подписи есть подписанные атрибуты?",
            "В подписи нет подписанных атрибутов: это не CAdES, возможна подмена документа.",
            "Запросите подпись в формате CAdES.",
            "Has the signature signed attributes?",
            "There are no signed attributes: this is no CAdES, and a swap of content is possible.",
        ),
        "SIGNATURE_RULES": Message(
            SubIndication.SIG_CONSTRAINTS_FAILURE,
            "Атрибуты и алгоритмы подписи согласованы?",
            "Атрибуты или алгоритмы внутри подписи противоречат друг другу.",
            "Запросите документ и подпись заново.",
            "Do the attributes and algorithms of the signature agree?",
            "The attributes or algorithms of the signature contradict one another.",
        ),
        "HEADER": Message(
            SubIndication.SIG_CONSTRAINTS_FAILURE,
            "Незащищённые поля подписи согласованы с защищёнными?",
            "Служебные поля подписи изменены или записаны с ошибкой.",
            "Получите файл подписи заново, без изменений при пересылке.",
            "Do the unprotected fields of the signature agree with the protected ones?",
            "Unprotected fields of the signature were changed or written wrongly.",
        ),
        "CERTIFICATE_NOT_YET_VALID_AT_SIGNING": Message(
            SubIndication.SIG_CONSTRAINTS_FAILURE,
            "Указанное в подписи время не раньше начала действия сертификата?",
            "По указанному в подписи времени сертификат ещё не начал действовать: часы отставали "
            "или время вписано неверно.",
            "Проверьте часы компьютера подписавшего и подпишите документ заново.",
            "Is the claimed signing time not earlier than the certificate?",
            "By the signer's own word the certificate was not yet valid: a slow clock or a wrong "
            "time.",
        ),
        "SIGNATURE_POLICY": Message(
            SubIndication.SIGNATURE_POLICY_NOT_AVAILABLE,
            "Правила, на которые ссылается подпись, проверены?",
            "Подпись ссылается на правила, которых программа не читала.",
            "Прочитайте эти правила: они могут ограничивать смысл подписи.",
            "Were the rules that the signature names carried out?",
            "The signature names a signature policy that was not read.",
        ),
        "CERTIFICATE_REFERENCE_PRESENT": Message(
            SubIndication.SIG_CONSTRAINTS_FAILURE,
            "Подпись защищает ссылку на сертификат?",
            "В подписи нет защищённой ссылки на сертификат: это не CAdES-BES.",
            "Запросите подпись в формате CAdES-BES или полнее.",
            "Does the signature protect a reference to the certificate?",
            "There is no signing-certificate attribute: this is no CAdES-BES.",
        ),
        "CHAIN_FOUND": Message(
            SubIndication.NO_CERTIFICATE_CHAIN_FOUND,
            "Построена цепочка сертификатов до доверенного корня?",
            "Цепочка сертификатов до доверенного корневого сертификата не построена.",
            "Установите сертификаты удостоверяющего центра и головной сертификат Минцифры России.",
            "Does a chain lead to a trusted root?",
            "No chain leads to a trusted root certificate.",
        ),
        "CHAIN_RULES": Message(
            SubIndication.CHAIN_CONSTRAINTS_FAILURE,
            "Сертификаты цепочки соблюдают правила?",
            "Сертификат цепочки нарушает правила: назначение ключа, ограничения или профиль.",
            "Обратитесь в удостоверяющий центр, выдавший сертификат.",
            "Do the certificates of the chain keep the rules?",
            "A certificate of the chain breaks a rule: key usage, constraints or profile.",
        ),
        "QUALIFIED_PROFILE": Message(
            SubIndication.CHAIN_CONSTRAINTS_FAILURE,
            "Сертификат соответствует форме квалифицированного (приказ ФСБ № 795)?",
            "Сертификат не соответствует форме квалифицированного (приказ ФСБ № 795).",
            "Подпишите документ квалифицированным сертификатом.",
            "Has the certificate the form of a qualified one (order 795)?",
            "The certificate has not the form of a qualified one (order 795).",
        ),
        "ACCREDITED": Message(
            SubIndication.CHAIN_CONSTRAINTS_FAILURE,
            "Удостоверяющий центр был аккредитован в день выпуска сертификата?",
            "В день выпуска сертификата удостоверяющий центр не был аккредитован.",
            "Подпишите документ квалифицированным сертификатом.",
            "Was the authority accredited on the day it issued the certificate?",
            "The authority was not accredited on the day it issued the certificate.",
        ),
        "ACCREDITED_AT_SIGNING": Message(
            SubIndication.CHAIN_CONSTRAINTS_FAILURE,
            "Аккредитация удостоверяющего центра действовала на доказанное время подписи?",
            "На доказанное время подписи аккредитация удостоверяющего центра не действовала.",
            "Проверьте, не прекратил ли сертификат действие вместе с аккредитацией.",
            "Was the authority still accredited at the proved time of the signature?",
            "The authority was not accredited any more at the proved time of the signature.",
        ),
        "TOOL_CLASS": Message(
            SubIndication.CHAIN_CONSTRAINTS_FAILURE,
            "Класс средства подписи подтверждён всей цепочкой?",
            "Класс средства подписи не указан или не подтверждён удостоверяющими центрами.",
            "Обратитесь в удостоверяющий центр, выдавший сертификат.",
            "Does the whole chain confirm the class of the signing tool?",
            "The class of the signing tool is not named, or the authorities do not confirm it.",
        ),
        "KEY_IN_TIME": Message(
            SubIndication.CHAIN_CONSTRAINTS_FAILURE,
            "Ключ подписи использован в срок, указанный в сертификате?",
            "Ключ подписи использован после срока, указанного в сертификате.",
            "Подпишите документ новым ключом.",
            "Was the private key used within the period that the certificate states?",
            "The private key was used after the period that the certificate states.",
        ),
        "CERTIFICATE_IN_TIME": Message(
            SubIndication.OUT_OF_BOUNDS_NO_POE,
            "Сертификат действовал на доказанное время подписи?",
            "Срок действия сертификата истёк, а штампа времени, полученного до этого, нет.",
            "Приложите подпись со штампом времени (CAdES-T) или подпишите документ заново.",
            "Was the certificate valid at the proved time of the signature?",
            "The certificate has expired, and nothing proves that the signature is older.",
        ),
        "CHAIN_IN_TIME": Message(
            SubIndication.OUT_OF_BOUNDS_NO_POE,
            "Сертификаты удостоверяющих центров действовали на доказанное время подписи?",
            "Сертификат удостоверяющего центра не действовал на доказанное время подписи.",
            "Приложите подпись со штампом времени (CAdES-T) или подпишите документ заново.",
            "Were the certificates of the authorities valid at the proved time?",
            "A certificate of an authority was not valid at the proved time.",
        ),
        "CERTIFICATE_NOT_REVOKED": Message(
            SubIndication.REVOKED_NO_POE,
            "Сертификат не был отозван на доказанное время подписи?",
            "Сертификат отозван, а доказательства, что подпись создана раньше, нет.",
            "Запросите подпись действующим сертификатом или со штампом времени до отзыва.",
            "Was the certificate not yet revoked at the proved time?",
            "The certificate is revoked, and nothing proves that the signature is older.",
        ),
        "CHAIN_NOT_REVOKED": Message(
            SubIndication.REVOKED_CA_NO_POE,
            "Сертификаты удостоверяющих центров не были отозваны?",
            "Сертификат удостоверяющего центра отозван.",
            "Запросите подпись сертификатом другого удостоверяющего центра.",
            "Were the certificates of the authorities not revoked?",
            "A certificate of an authority is revoked.",
        ),
        "REVOCATION_KNOWN": Message(
            SubIndication.TRY_LATER,
            "Есть свежие сведения об отзыве сертификатов?",
            "Нет достаточно свежих сведений о том, отозван ли сертификат.",
            "Повторите проверку позже или передайте свежий список отзыва (СОС) или ответ OCSP.",
            "Is fresh revocation information at hand?",
            "There is no revocation information that is fresh enough.",
        ),
        "ACCREDITATION_KNOWN": Message(
            SubIndication.GENERIC,
            "Есть перечень аккредитованных удостоверяющих центров не старше сертификата?",
            "Нет перечня аккредитованных удостоверяющих центров, который не старше сертификата.",
            "Передайте на проверку свежий перечень аккредитованных удостоверяющих центров.",
            "Is a list of accredited authorities at hand that is no older than the certificate?",
            "No list of accredited authorities is at hand that is no older than the certificate.",
        ),
        "STAMP_ORDER": Message(
            SubIndication.TIMESTAMP_ORDER_FAILURE,
            "Штамп времени не раньше указанного времени подписания?",
            "Штамп времени получен раньше, чем указанное в подписи время подписания.",
            "Проверьте часы компьютера подписавшего и подпишите документ заново.",
            "Is the time stamp not earlier than the claimed signing time?",
            "The time stamp is earlier than the claimed signing time.",
        ),
        "STAMP_TRUSTED": Message(
            SubIndication.GENERIC,
            "Штамп времени достоверен?",
            "Штамп времени не засчитан: он повреждён, чужой или не вызывает доверия.",
            "Проверьте сертификаты службы штампов времени или получите штамп заново.",
            "Is the time stamp trustworthy?",
            "The time stamp was not counted: damaged, on something else, or not trusted.",
        ),
        "EVIDENCE_JUDGED": Message(
            SubIndication.GENERIC,
            "Все сведения внутри подписи оценены?",
            "В подписи есть сведения, которые не оценивались: ни за неё, ни против.",
            "Прочитайте, что указал подписавший; вместо старого архивного штампа получите штамп "
            "версии 3.",
            "Was everything inside the signature judged?",
            "The signature says something that was not judged, neither for it nor against it.",
        ),
        "STAMP_PRESENT": Message(
            SubIndication.NO_POE,
            "Есть достоверный штамп времени?",
            "Нет достоверного штампа времени, а политика его требует.",
            "Добавьте к подписи штамп времени (CAdES-T).",
            "Is there a trustworthy time stamp?",
            "There is no trustworthy time stamp, and the policy asks for one.",
        ),
    }
)

#: Checks whose failure proves that a signature is not a qualified one.
NON_QUALIFYING = frozenset({"QUALIFIED_PROFILE", "ACCREDITED"})
