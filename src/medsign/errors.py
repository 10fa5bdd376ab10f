"""One error tree for the whole library.

::

    MedsignError
    ├── UsageError                     the caller asked for something that makes no sense
    │   ├── ConfigError                a setting is missing or wrong
    │   ├── InvalidIdentifier          a СНИЛС, ИНН, ОГРН, card number… breaks its rule
    │   ├── InvalidDocument            a document to be issued breaks the rules of its format
    │   ├── ContentChanged             a file changed while it was being sent
    │   ├── IllegalTransition          an event that the status model does not allow now
    │   └── NotRecorded                a request that the replayed recording does not have
    ├── MalformedError                 bytes that are not what they claim to be
    ├── BudgetExceeded                 a bound on size, depth, signatures or time was met
    ├── InvalidKey                     a key that fails its checks
    │   └── WrongPassword              its file does not open: a wrong password, or damage
    ├── TokenError                     a token or smart card does not sign
    ├── AddressRefused                 an address in foreign data that must not be asked
    ├── Unavailable                    not supported, or not installed on this machine
    │   └── MissingExtra               an optional part of medsign is not installed
    ├── StoreError                     the journal could not be read or written
    │   └── VersionConflict            somebody else appended first
    ├── TransportError                 no answer was received
    │   ├── ConnectFailed              nothing was sent
    │   │   ├── SignInFailed           no token was given for it
    │   │   └── TlsRefused             no TLS handshake that both sides accept
    │   │       ├── PeerUntrusted      its chain of certificates is not trusted
    │   │       ├── PeerExpired        its certificate is not valid now
    │   │       ├── PeerRevoked        its certificate is revoked
    │   │       ├── PeerMisnamed       its certificate is another host's
    │   │       ├── ClientRefused      the peer does not accept the certificate of this side
    │   │       └── SuiteRefused       the connection would not be protected by GOST
    │   ├── TimedOut                   the outcome is unknown
    │   ├── ConnectionLost             the outcome is unknown
    │   └── NotAuthentic               an answer that its sender did not sign: the same
    ├── ApiError                       the remote system answered "no"
    │   └── SignInRefused              its token service did; the request was not sent
    ├── UnexpectedAnswer               the remote system answered something undocumented
    ├── DeadlineExceeded               the total time of an operation is over
    └── OutcomeUnknown                 a creating call was sent and nobody knows if it was done

Whose fault it is decides the class: the caller's (`UsageError`), the peer's (`ApiError`,
`UnexpectedAnswer`), the wire's (`TransportError`) or the data's (`MalformedError`). A negative
verdict on a signature is none of them: it is a `Report`.

Every error has a stable `code`, an English text for programmers (``str(error)``) and a Russian
text for clinic staff (`diagnostics`). None of the texts ever holds personal data, because texts
end up in logs and tickets.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Any, ClassVar


class MedsignError(Exception):
    """Root of every error that medsign raises on purpose.

    Args:
        text: What is wrong, for programmers.
        russian: What is wrong, for staff; by default what the class says.

    Attributes:
        code: A stable identifier such as ``MS-API``; programs may switch on it.
        remedy: What staff can do about it, where the sentence before does not say it.
    """

    code: ClassVar[str] = "MS-ERROR"
    russian: str = "Произошла ошибка. Сообщите администратору."
    remedy: ClassVar[str] = ""

    def __init__(self, text: str = "", russian: str = "") -> None:
        super().__init__(text)
        if russian:
            self.russian = russian

    def diagnostics(self) -> str:
        """Return the text for clinic staff, in Russian, without personal data."""
        return f"{self.russian} {self.remedy}".rstrip() + f" (код {self.code})"

    def __reduce__(self) -> tuple[Any, ...]:
        # Pools of processes hand errors over; the one way of Exception is to call the class with
        # the text, which is not what these are made of.
        return _restored, (type(self), self.args, self.__dict__)


def _restored(kind: type[MedsignError], args: tuple[Any, ...], state: dict[str, Any]) -> object:
    error = kind.__new__(kind, *args)
    error.__dict__.update(state)
    return error


class UsageError(MedsignError, ValueError):
    """The call makes no sense: a wrong argument or a wrong order of calls."""

    code = "MS-USAGE"
    russian = "Программа составила запрос неверно. Сообщите об этом её разработчику."


class ConfigError(UsageError):
    """A setting is missing or contradicts another one.

    Args:
        why: What is wrong, without the value.
        where: The setting, or the file that it names.
    """

    code = "MS-CONFIG"
    russian = "Настройки программы заданы неверно. Сообщите администратору."

    def __init__(self, why: str, where: str = "") -> None:
        place = f"{self.russian} Место: {where}." if where else ""
        super().__init__(f"{where}: {why}" if where else why, place)
        self.where = where


class InvalidIdentifier(UsageError):
    """An identifier breaks its format or its checksum.

    The value itself is personal data and is never part of the text.

    Args:
        kind: What it was meant to be, for instance ``СНИЛС``.
        reason: What is wrong, in Russian, without the value.
    """

    code = "MS-IDENTIFIER"
    remedy = "Проверьте и исправьте его."

    def __init__(self, kind: str, reason: str) -> None:
        super().__init__(f"{kind}: {reason}", f"Неверное значение «{kind}»: {reason}.")
        self.kind = kind
        self.reason = reason


class InvalidDocument(UsageError):
    """A document to be issued misses fields or breaks the rules of its format.

    Args:
        what: Name of the document, for instance ``доверенность``.
        problems: Pairs of a path in the document and what is wrong there, in Russian, without
            values.
    """

    code = "MS-DOCUMENT"
    remedy = "Исправьте его и повторите."

    def __init__(self, what: str, problems: Iterable[tuple[str, str]]) -> None:
        self.what = what
        self.problems = tuple(problems)
        listed = "; ".join(f"{why} ({path})" for path, why in self.problems)
        super().__init__(
            f"{what}: {'; '.join(path for path, _ in self.problems)}",
            f"Документ «{what}» заполнен неверно: {listed}.",
        )


class IllegalTransition(UsageError):
    """A status model does not allow the event in the present state; nothing has changed.

    Args:
        model: Name of the status model.
        state: Code of the present state.
        event: Code of the refused event.
        allowed: Codes of the events that the present state allows.
        russian: The same for staff, in the labels of the model.
    """

    code = "MS-TRANSITION"
    russian = "Это действие в нынешнем состоянии невозможно."

    def __init__(
        self, model: str, state: str, event: str, allowed: Iterable[str], russian: str = ""
    ) -> None:
        self.model = model
        self.state = state
        self.event = event
        self.allowed = tuple(sorted(allowed))
        listed = ", ".join(self.allowed) or "none"
        super().__init__(
            f"{model}: event {event!r} is illegal in state {state!r}; allowed: {listed}", russian
        )


class ContentChanged(UsageError):
    """A file that is being sent is not what it was at the first reading.

    The message was broken off before its end, so the attempt did nothing at the receiver's.
    """

    code = "MS-CHANGED"
    russian = "Файл изменился, пока его передавали. Отправьте его заново, под новым номером."

    def __init__(self) -> None:
        super().__init__("a file has changed since it was first read for this request")


class NotRecorded(UsageError):
    """A recording is replayed and has no such request, or no answer to it that can be given."""

    code = "MS-REPLAY"
    russian = "В записи обмена нет такого запроса. Сообщите разработчику программы."


class MalformedError(MedsignError):
    """Bytes that cannot be what they claim to be.

    Args:
        what: The expected structure, for instance ``certificate``.
        where: A path inside it, for instance ``tbsCertificate.validity.notAfter``.
        why: What is wrong there, without values taken from the data.
    """

    code = "MS-MALFORMED"
    remedy = "Получите его снова."

    def __init__(self, what: str, where: str, why: str) -> None:
        english, russian = (f" at {where}", f" (место: {where})") if where else ("", "")
        super().__init__(
            f"malformed {what}{english}: {why}",
            f"Файл повреждён или имеет другой формат: {what}{russian}.",
        )
        self.what = what
        self.where = where
        self.why = why


class BudgetExceeded(MedsignError):
    """A bound on size, depth, number of signatures or time was met.

    Bounds exist because the input may come from an attacker.
    """

    code = "MS-BUDGET"
    russian = "Данные слишком велики или слишком сложны. Проверьте, тот ли это файл."

    def __init__(self, what: str, limit: float) -> None:
        super().__init__(f"{what}: the limit of {limit:g} was exceeded")
        self.what = what
        self.limit = limit


class InvalidKey(MedsignError):
    """A key fails its checks: not on the curve, wrong order, outside its range."""

    code = "MS-KEY"
    russian = "Ключ электронной подписи непригоден. Выберите другой."


class WrongPassword(InvalidKey):
    """What is under a password does not open; a wrong password and damage look the same."""

    code = "MS-PASSWORD"
    russian = "Неверный пароль или повреждённый файл ключа. Введите пароль ещё раз."

    def __init__(self) -> None:
        super().__init__("the password is wrong or the file is damaged")


class TokenProblem(Enum):
    """Why a token does not sign: the text for programmers and the text for staff."""

    ABSENT = ("the token is not plugged in", "Токен не подключён. Подключите его и повторите.")
    SEVERAL_TOKENS = (
        "several tokens are plugged in: name one by its serial",
        "Подключено несколько токенов, а какой нужен, не указано. Оставьте один.",
    )
    PIN_WRONG = ("the PIN is wrong", "Неверный PIN-код. Проверьте его: число попыток ограничено.")
    PIN_LAST_TRY = (
        "the PIN is wrong; one more wrong PIN locks the token",
        "Неверный PIN-код токена. Осталась одна попытка, после неё токен заблокируется.",
    )
    PIN_LOCKED = (
        "the PIN is locked",
        "PIN-код токена заблокирован. Разблокировать его может администратор токена.",
    )
    NO_KEY = ("the token has no such GOST key", "На токене нет нужного ключа. Подключите другой.")
    SEVERAL_KEYS = (
        "the token has several such GOST keys: name one by its label or identifier",
        "На токене несколько подходящих ключей, а какой нужен, не указано. Выберите его.",
    )
    NO_CERTIFICATE = (
        "the token has not just one certificate of the key: pass the one to sign with",
        "На токене нет сертификата этого ключа или их несколько. Выберите его файл.",
    )
    FORKED = (
        "the token was opened before a fork: open it anew in the child",
        "Программа открыла токен в другом процессе. Сообщите её разработчику.",
    )
    FAILED = ("the library of the token failed", "Токен ответил ошибкой. Подключите его заново.")


class TokenError(MedsignError):
    """A token or smart card does not sign.

    Args:
        problem: Why.
        detail: What the library called it, free of personal data.
    """

    code = "MS-TOKEN"

    def __init__(self, problem: TokenProblem, detail: str = "") -> None:
        english, russian = problem.value
        super().__init__(f"{english}: {detail}" if detail else english, russian)
        self.problem = problem


class AddressRefused(MedsignError):
    """An address in foreign data, a certificate for instance, that the guard does not let through.

    Args:
        host: The host it names, empty when it names none.
        why: What is wrong with it.
    """

    code = "MS-ADDRESS"
    russian = "Адрес из сертификата не прошёл проверку безопасности. Сообщите администратору."

    def __init__(self, host: str, why: str) -> None:
        super().__init__(f"{host or 'an address'}: {why}")
        self.host = host
        self.why = why


class Unavailable(MedsignError):
    """Something is not supported, or not installed; then the text says what to install.

    Args:
        what: The missing ability.
        install: The command or package that brings it; empty when nothing does.
    """

    code = "MS-UNAVAILABLE"
    russian = "Такие файлы, ключи или алгоритмы не поддерживаются."
    remedy = "Сообщите администратору."
    _missing: ClassVar[str] = "Нет нужной программы или библиотеки, её надо установить"

    def __init__(self, what: str, install: str = "") -> None:
        super().__init__(
            f"{what} is not available" + (f"; install: {install}" if install else ""),
            f"{self._missing}: {install}." if install else "",
        )
        self.what = what
        self.install = install


class MissingExtra(Unavailable):
    """An optional part of medsign is not installed.

    Args:
        what: What it does.
        extra: Its name.
    """

    code = "MS-EXTRA"
    _missing = "Не установлена часть medsign, её ставит команда"

    def __init__(self, what: str, extra: str) -> None:
        super().__init__(what, f"pip install 'medsign[{extra}]'")


class StoreError(MedsignError):
    """The journal could not be read or written; nothing is half-written."""

    code = "MS-STORE"
    russian = "Не удалось прочитать или записать журнал."
    remedy = "Сообщите администратору: возможно, на диске нет места или прав."


class VersionConflict(StoreError):
    """Another writer appended to the stream first; load it again and decide anew."""

    code = "MS-STORE-CONFLICT"
    russian = "Запись уже изменил другой пользователь."
    remedy = "Обновите данные и повторите."

    def __init__(self, stream: str, expected: int, actual: int) -> None:
        super().__init__(f"stream {stream!r}: expected version {expected}, found {actual}")
        self.stream = stream
        self.expected = expected
        self.actual = actual


class TransportError(MedsignError):
    """No complete answer was received from the remote system.

    Attributes:
        sent: Whether bytes of the request may have reached the peer. When true, the outcome of a
            creating call is unknown and must be asked for, never assumed.
    """

    code = "MS-TRANSPORT"
    russian = "Нет связи с внешней системой."
    remedy = "Результат операции неизвестен: проверьте его, прежде чем повторять."
    sent: ClassVar[bool] = True


class ConnectFailed(TransportError):
    """The connection was not made: nothing was sent, so a repeat is safe."""

    code = "MS-CONNECT"
    russian = "Не удалось подключиться к внешней системе."
    remedy = "Запрос не отправлен, повторите позже."
    sent = False


class SignInFailed(ConnectFailed):
    """No token was given for a request, so it was not sent; the cause says why.

    A wrong password is no such thing: what the service refused is an `ApiError`.
    """

    code = "MS-SIGN-IN"
    russian = "Не удалось войти во внешнюю систему: служба входа не ответила."


class TlsRefused(ConnectFailed):
    """The handshake of TLS failed; a repeat is safe, useless until somebody changes something."""

    code = "MS-TLS"
    russian = "Защищённое соединение не установлено: возможно, нужен сертификат или ГОСТ TLS."
    remedy = "Сообщите администратору."


class PeerUntrusted(TlsRefused):
    """The chain of the peer's certificates leads to no trusted root, or a list of it is missing."""

    code = "MS-TLS-UNTRUSTED"
    russian = "Сертификату внешней системы здесь не доверяют, или нет свежих сведений о его отзыве."


class PeerExpired(TlsRefused):
    """A certificate in the peer's chain is not valid at this moment by the machine's clock."""

    code = "MS-TLS-EXPIRED"
    russian = "Сертификат внешней системы истёк или ещё не действует."
    remedy = "Проверьте дату и время компьютера; если они верны, сообщите администратору."


class PeerRevoked(TlsRefused):
    """A certificate in the peer's chain is revoked."""

    code = "MS-TLS-REVOKED"
    russian = "Сертификат внешней системы отозван."


class PeerMisnamed(TlsRefused):
    """The peer's certificate is valid, but for other host names."""

    code = "MS-TLS-HOST"
    russian = "Сертификат внешней системы выдан для другого адреса."


class ClientRefused(TlsRefused):
    """The peer does not accept the certificate of this side, or misses one."""

    code = "MS-TLS-CLIENT"
    russian = "Внешняя система не приняла сертификат клиента или не получила его."


class SuiteRefused(TlsRefused):
    """The handshake ended with a suite that is not GOST, and nobody has allowed that."""

    code = "MS-TLS-SUITE"
    russian = "Соединение с внешней системой не защищено по ГОСТ."


class TimedOut(TransportError):
    """The answer did not come in time. It does not mean that nothing was done."""

    code = "MS-TIMEOUT"
    russian = "Внешняя система не ответила вовремя."


class ConnectionLost(TransportError):
    """The connection broke, or the answer was cut short."""

    code = "MS-CONNECTION-LOST"
    russian = "Связь с внешней системой прервалась."


class ApiError(MedsignError):
    """The remote system understood the request and refused it (RFC 9457 problem details).

    Args:
        status: HTTP status code.
        problem: The service's own code of the problem, for instance ``document-missing``.
        title: A short text of the service, already free of personal data.
        request_id: The identifier to quote to the service's support, or ``None``.
        retry_after: Seconds that the service asks to wait, or ``None``.
        russian_title: The service's text for staff, in Russian, or ``None``.
    """

    code = "MS-API"

    def __init__(
        self,
        status: int,
        problem: str,
        title: str,
        *,
        request_id: str | None = None,
        retry_after: float | None = None,
        russian_title: str | None = None,
    ) -> None:
        quoted = f" (request {request_id})" if request_id else ""
        super().__init__(f"{status} {problem}: {title}{quoted}")
        self.status = status
        self.problem = problem
        self.title = title
        self.request_id = request_id
        self.retry_after = retry_after
        self.russian_title = russian_title

    def diagnostics(self) -> str:
        said = self.russian_title or self.title
        quoted = f", номер обращения {self.request_id}" if self.request_id else ""
        return f"Внешняя система отказала: {said} (код {self.problem}{quoted})"


class SignInRefused(ApiError):
    """The service that gives out tokens refused, so the request itself was not sent.

    `problem` is its code (RFC 6749 §5.2): ``invalid_grant`` where a password, a code or a refresh
    token is no good, ``invalid_client`` where the program is not known.
    """

    code = "MS-SIGN-IN-REFUSED"
    _reasons: ClassVar[dict[str, str]] = {
        "access_denied": "доступ не разрешён",
        "invalid_client": "эта программа там не зарегистрирована",
        "invalid_grant": "логин и пароль не подходят, или срок входа истёк",
        "invalid_scope": "запрошено больше прав, чем разрешено",
        "unauthorized_client": "этой программе нельзя входить таким способом",
        "unsupported_grant_type": "таким способом туда не входят",
    }

    def diagnostics(self) -> str:
        said = self._reasons.get(self.problem) or self.russian_title or "служба входа отказала"
        return f"Не удалось войти во внешнюю систему: {said} (код {self.problem})"


class NotAuthentic(TransportError):
    """A request or an answer is not signed by whom it should be (RFC 9421).

    Such an answer is no answer: what became of the request is unknown.

    Args:
        reason: What is wrong, a word for programs: ``missing``, ``malformed``, ``coverage``,
            ``digest``, ``time``, ``key``, ``value``, ``replay``.
        text: The same for programmers.
    """

    code = "MS-HTTP-SIGNATURE"
    russian = "Подпись запроса или ответа не подтверждена: содержимое могли подменить по дороге."

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(f"{reason}: {text}")
        self.reason = reason


class UnexpectedAnswer(MedsignError):
    """The remote system answered with something its contract does not have."""

    code = "MS-ANSWER"
    russian = "Внешняя система прислала ответ, который не разобрать. Сообщите администратору."


class DeadlineExceeded(MedsignError):
    """The total time of an operation is over; nothing more was sent after it."""

    code = "MS-DEADLINE"
    russian = "Операция не завершилась за отведённое время. Повторите её позже."


class OutcomeUnknown(MedsignError):
    """A creating call was sent, no answer came, and asking did not help yet.

    The journal holds the call under its idempotency key. Repeat the same call with the same key
    later: it will first ask the service what became of it.

    Args:
        operation: Name of the operation, for instance ``sep.send``.
        key: The idempotency key under which it is stored.
    """

    code = "MS-UNKNOWN"
    remedy = "Повторите действие позже: программа сначала проверит, выполнено ли оно."

    def __init__(self, operation: str, key: str) -> None:
        super().__init__(
            f"{operation}: outcome unknown, idempotency key {key}",
            f"Запрос отправлен, но ответ не получен. Ключ операции: {key}.",
        )
        self.operation = operation
        self.key = key
