"""Object identifiers by name, and names by object identifier.

Sources: RFC 5280, 5652, 5035, 5126, 6960, 3161, 9215; приказ ФСБ от 27.12.2011 №795.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

# Keys, signatures and digests (RFC 9215).
GOST_KEY_2001 = "1.2.643.2.2.19"
GOST_KEY_256 = "1.2.643.7.1.1.1.1"
GOST_KEY_512 = "1.2.643.7.1.1.1.2"
GOST_SIGNATURE_2001 = "1.2.643.2.2.3"
GOST_SIGNATURE_256 = "1.2.643.7.1.1.3.2"
GOST_SIGNATURE_512 = "1.2.643.7.1.1.3.3"
STREEBOG_256 = "1.2.643.7.1.1.2.2"
STREEBOG_512 = "1.2.643.7.1.1.2.3"
GOST_DIGEST_94 = "1.2.643.2.2.9"
SHA1 = "1.3.14.3.2.26"
SHA256 = "2.16.840.1.101.3.4.2.1"
SHA384 = "2.16.840.1.101.3.4.2.2"
SHA512 = "2.16.840.1.101.3.4.2.3"

# Names.
COMMON_NAME = "2.5.4.3"
SURNAME = "2.5.4.4"
COUNTRY = "2.5.4.6"
LOCALITY = "2.5.4.7"
STATE = "2.5.4.8"
STREET = "2.5.4.9"
ORGANIZATION = "2.5.4.10"
ORGANIZATIONAL_UNIT = "2.5.4.11"
TITLE = "2.5.4.12"
GIVEN_NAME = "2.5.4.42"
EMAIL = "1.2.840.113549.1.9.1"
DOMAIN_COMPONENT = "0.9.2342.19200300.100.1.25"
INN = "1.2.643.3.131.1.1"
INN_LEGAL_ENTITY = "1.2.643.100.4"
OGRN = "1.2.643.100.1"
OGRNIP = "1.2.643.100.5"
SNILS = "1.2.643.100.3"

# Certificate extensions.
SUBJECT_KEY_IDENTIFIER = "2.5.29.14"
KEY_USAGE = "2.5.29.15"
PRIVATE_KEY_USAGE_PERIOD = "2.5.29.16"
SUBJECT_ALTERNATIVE_NAME = "2.5.29.17"
ISSUER_ALTERNATIVE_NAME = "2.5.29.18"
BASIC_CONSTRAINTS = "2.5.29.19"
NAME_CONSTRAINTS = "2.5.29.30"
CRL_DISTRIBUTION_POINTS = "2.5.29.31"
CERTIFICATE_POLICIES = "2.5.29.32"
ANY_POLICY = "2.5.29.32.0"
POLICY_MAPPINGS = "2.5.29.33"
AUTHORITY_KEY_IDENTIFIER = "2.5.29.35"
POLICY_CONSTRAINTS = "2.5.29.36"
EXTENDED_KEY_USAGE = "2.5.29.37"
FRESHEST_CRL = "2.5.29.46"
INHIBIT_ANY_POLICY = "2.5.29.54"
AUTHORITY_INFORMATION_ACCESS = "1.3.6.1.5.5.7.1.1"
ACCESS_OCSP = "1.3.6.1.5.5.7.48.1"
ACCESS_CA_ISSUERS = "1.3.6.1.5.5.7.48.2"
SUBJECT_SIGN_TOOL = "1.2.643.100.111"
ISSUER_SIGN_TOOL = "1.2.643.100.112"
IDENTIFICATION_KIND = "1.2.643.100.114"

# Classes of the signature tool, as certificate policies (приказ ФСБ 795).
POLICY_KC1 = "1.2.643.100.113.1"
POLICY_KC2 = "1.2.643.100.113.2"
POLICY_KC3 = "1.2.643.100.113.3"
POLICY_KB1 = "1.2.643.100.113.4"
POLICY_KB2 = "1.2.643.100.113.5"
POLICY_KA1 = "1.2.643.100.113.6"

# CRL and CRL entry extensions.
CRL_NUMBER = "2.5.29.20"
CRL_REASON = "2.5.29.21"
INVALIDITY_DATE = "2.5.29.24"
DELTA_CRL_INDICATOR = "2.5.29.27"
ISSUING_DISTRIBUTION_POINT = "2.5.29.28"
CERTIFICATE_ISSUER = "2.5.29.29"

# Extended key usages.
ANY_EXTENDED_KEY_USAGE = "2.5.29.37.0"
SERVER_AUTH = "1.3.6.1.5.5.7.3.1"
CLIENT_AUTH = "1.3.6.1.5.5.7.3.2"
EMAIL_PROTECTION = "1.3.6.1.5.5.7.3.4"
TIME_STAMPING = "1.3.6.1.5.5.7.3.8"
OCSP_SIGNING = "1.3.6.1.5.5.7.3.9"
CRYPTOPRO_CA_USER = "1.2.643.2.2.34.6"
CRYPTOPRO_TSP_USER = "1.2.643.2.2.34.25"
CRYPTOPRO_OCSP_USER = "1.2.643.2.2.34.26"

# Certificate requests.
EXTENSION_REQUEST = "1.2.840.113549.1.9.14"

# OCSP.
OCSP_BASIC = "1.3.6.1.5.5.7.48.1.1"
OCSP_NONCE = "1.3.6.1.5.5.7.48.1.2"
OCSP_NO_CHECK = "1.3.6.1.5.5.7.48.1.5"
OCSP_ARCHIVE_CUTOFF = "1.3.6.1.5.5.7.48.1.6"
CRYPTOPRO_EXPIRED_KEY_STATUS = "1.2.643.2.2.47.1"
CRYPTOPRO_CRL_LOCATOR = "1.2.643.2.2.47.2"
CRYPTOPRO_INSTANT_REVOCATION = "1.2.643.2.2.47.3"
CRYPTOPRO_REVOCATION_ANNOUNCEMENT = "1.2.643.2.2.47.4"
CRYPTOPRO_HISTORICAL_REQUEST = "1.2.643.2.2.47.5"

# CMS.
DATA = "1.2.840.113549.1.7.1"
SIGNED_DATA = "1.2.840.113549.1.7.2"
TST_INFO = "1.2.840.113549.1.9.16.1.4"
CONTENT_TYPE = "1.2.840.113549.1.9.3"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
SIGNING_TIME = "1.2.840.113549.1.9.5"
COUNTERSIGNATURE = "1.2.840.113549.1.9.6"
SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12"
SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47"
SIGNATURE_TIME_STAMP = "1.2.840.113549.1.9.16.2.14"
CERTIFICATE_REFS = "1.2.840.113549.1.9.16.2.21"
REVOCATION_REFS = "1.2.840.113549.1.9.16.2.22"
CERTIFICATE_VALUES = "1.2.840.113549.1.9.16.2.23"
REVOCATION_VALUES = "1.2.840.113549.1.9.16.2.24"
ESC_TIME_STAMP = "1.2.840.113549.1.9.16.2.25"
ARCHIVE_TIME_STAMP_V2 = "1.2.840.113549.1.9.16.2.48"
ARCHIVE_TIME_STAMP_V3 = "0.4.0.1733.2.4"
ARCHIVE_HASH_INDEX_V3 = "0.4.0.19122.1.5"
OTHER_REVOCATION_OCSP = "1.3.6.1.5.5.7.16.2"

#: Short names of the attributes of a name, as Russian certificates are usually shown.
SHORT_NAMES: Mapping[str, str] = MappingProxyType(
    {
        COMMON_NAME: "CN",
        SURNAME: "SN",
        GIVEN_NAME: "G",
        TITLE: "T",
        ORGANIZATION: "O",
        ORGANIZATIONAL_UNIT: "OU",
        COUNTRY: "C",
        STATE: "S",
        LOCALITY: "L",
        STREET: "STREET",
        EMAIL: "E",
        DOMAIN_COMPONENT: "DC",
        INN: "ИНН",
        INN_LEGAL_ENTITY: "ИННЮЛ",
        OGRN: "ОГРН",
        OGRNIP: "ОГРНИП",
        SNILS: "СНИЛС",
    }
)

_DESCRIPTIONS: Mapping[str, str] = MappingProxyType(
    {
        GOST_KEY_2001: "ГОСТ Р 34.10-2001",
        GOST_KEY_256: "ГОСТ Р 34.10-2012, ключ 256 бит",
        GOST_KEY_512: "ГОСТ Р 34.10-2012, ключ 512 бит",
        GOST_SIGNATURE_2001: "ГОСТ Р 34.11-94 с ГОСТ Р 34.10-2001",
        GOST_SIGNATURE_256: "ГОСТ Р 34.10-2012 с ГОСТ Р 34.11-2012, 256 бит",
        GOST_SIGNATURE_512: "ГОСТ Р 34.10-2012 с ГОСТ Р 34.11-2012, 512 бит",
        STREEBOG_256: "ГОСТ Р 34.11-2012, 256 бит",
        STREEBOG_512: "ГОСТ Р 34.11-2012, 512 бит",
        GOST_DIGEST_94: "ГОСТ Р 34.11-94",
        SHA1: "SHA-1",
        SHA256: "SHA-256",
        SHA384: "SHA-384",
        SHA512: "SHA-512",
        "1.2.643.7.1.2.1.1.1": "набор параметров TC26 256-A",
        "1.2.643.7.1.2.1.1.2": "набор параметров TC26 256-B",
        "1.2.643.7.1.2.1.1.3": "набор параметров TC26 256-C",
        "1.2.643.7.1.2.1.1.4": "набор параметров TC26 256-D",
        "1.2.643.7.1.2.1.2.1": "набор параметров TC26 512-A",
        "1.2.643.7.1.2.1.2.2": "набор параметров TC26 512-B",
        "1.2.643.7.1.2.1.2.3": "набор параметров TC26 512-C",
        "1.2.643.2.2.35.1": "набор параметров CryptoPro-A",
        "1.2.643.2.2.35.2": "набор параметров CryptoPro-B",
        "1.2.643.2.2.35.3": "набор параметров CryptoPro-C",
        "1.2.643.2.2.36.0": "набор параметров CryptoPro-XchA",
        "1.2.643.2.2.36.1": "набор параметров CryptoPro-XchB",
        SUBJECT_KEY_IDENTIFIER: "Идентификатор ключа субъекта",
        KEY_USAGE: "Использование ключа",
        PRIVATE_KEY_USAGE_PERIOD: "Период использования закрытого ключа",
        SUBJECT_ALTERNATIVE_NAME: "Дополнительное имя субъекта",
        ISSUER_ALTERNATIVE_NAME: "Дополнительное имя издателя",
        BASIC_CONSTRAINTS: "Основные ограничения",
        NAME_CONSTRAINTS: "Ограничения имени",
        CRL_DISTRIBUTION_POINTS: "Точки распространения списков отзыва (CRL)",
        CERTIFICATE_POLICIES: "Политики сертификата",
        POLICY_MAPPINGS: "Сопоставления политик",
        AUTHORITY_KEY_IDENTIFIER: "Идентификатор ключа центра сертификатов",
        POLICY_CONSTRAINTS: "Ограничения политики",
        EXTENDED_KEY_USAGE: "Улучшенный ключ",
        INHIBIT_ANY_POLICY: "Запрет любой политики",
        AUTHORITY_INFORMATION_ACCESS: "Доступ к информации о центрах сертификации",
        SUBJECT_SIGN_TOOL: "Средство электронной подписи владельца",
        ISSUER_SIGN_TOOL: "Средства электронной подписи и УЦ издателя",
        IDENTIFICATION_KIND: "Тип идентификации при выдаче сертификата",
        POLICY_KC1: "Класс средства ЭП КС1",
        POLICY_KC2: "Класс средства ЭП КС2",
        POLICY_KC3: "Класс средства ЭП КС3",
        POLICY_KB1: "Класс средства ЭП КВ1",
        POLICY_KB2: "Класс средства ЭП КВ2",
        POLICY_KA1: "Класс средства ЭП КА1",
        SERVER_AUTH: "Проверка подлинности сервера",
        CLIENT_AUTH: "Проверка подлинности клиента",
        EMAIL_PROTECTION: "Защищённая электронная почта",
        TIME_STAMPING: "Установка меток времени",
        OCSP_SIGNING: "Подписание OCSP",
        CRYPTOPRO_CA_USER: "Пользователь центра регистрации КриптоПро",
        CRYPTOPRO_TSP_USER: "Пользователь службы меток времени",
        CRYPTOPRO_OCSP_USER: "Пользователь службы актуальных статусов",
        OCSP_NO_CHECK: "Без проверки отзыва (OCSP)",
        DATA: "Данные",
        SIGNED_DATA: "Подписанные данные",
        TST_INFO: "Метка времени",
        CONTENT_TYPE: "Тип содержимого",
        MESSAGE_DIGEST: "Хэш сообщения",
        SIGNING_TIME: "Время подписания",
        SIGNING_CERTIFICATE: "Сертификат подписанта",
        SIGNING_CERTIFICATE_V2: "Сертификат подписанта, версия 2",
        SIGNATURE_TIME_STAMP: "Штамп времени на подпись",
        CERTIFICATE_REFS: "Ссылки на сертификаты",
        REVOCATION_REFS: "Ссылки на доказательства статуса",
        CERTIFICATE_VALUES: "Сертификаты цепочки",
        REVOCATION_VALUES: "Доказательства статуса",
        ESC_TIME_STAMP: "Штамп времени на доказательства",
        ARCHIVE_TIME_STAMP_V2: "Архивный штамп времени, версия 2",
        ARCHIVE_TIME_STAMP_V3: "Архивный штамп времени, версия 3",
        ARCHIVE_HASH_INDEX_V3: "Перечень хешей архивного штампа, версия 3",
    }
)


def describe(oid: str) -> str:
    """Return what an identifier means, in Russian; an unknown one as it is.

    Example:
        >>> describe("1.2.643.100.113.2")
        'Класс средства ЭП КС2'
        >>> describe("1.2.643.100.3"), describe("1.3.9")
        ('СНИЛС', '1.3.9')
    """
    return _DESCRIPTIONS.get(oid) or SHORT_NAMES.get(oid) or oid
