from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from medsign.watch import Watched, Wording, expiring, notice

END = datetime(2026, 12, 31, 9, 30, tzinfo=UTC)
CERTIFICATE = Watched(kind="certificate", id="ab12", valid_until=END, label="врач, кабинет 12")


def message(watched, *, days):
    (found,) = expiring([watched], watched.ends_at - timedelta(days=days))
    return notice(found)


@pytest.mark.req("F103", "F158")
def test_a_notice_about_a_certificate_says_what_ends_when_and_what_to_do():
    assert message(CERTIFICATE, days=7).text == (
        "Сертификат электронной подписи («врач, кабинет 12») действует до 31.12.2026 12:30 (МСК). "
        "Оформите перевыпуск, пока заявку можно подписать действующим сертификатом."
    )


def test_a_notice_about_a_power_of_attorney_names_its_last_day():
    permit = Watched.power_of_attorney("0dae", date(2026, 12, 31))
    assert message(permit, days=7).text == (
        "Машиночитаемая доверенность действует до 31.12.2026. "
        "Оформите новую МЧД: без неё нельзя подписывать документы от имени организации."
    )


def test_a_notice_about_an_expired_thing_agrees_in_gender():
    permit = Watched.power_of_attorney("0dae", date(2026, 12, 31))
    assert "доверенность истекла 31.12.2026. Подписывать" in message(permit, days=-3).text
    assert "подписи («врач, кабинет 12») истёк 31.12.2026" in message(CERTIFICATE, days=-3).text


def test_a_notice_tells_the_key_from_the_certificate():
    limited = Watched(
        kind="certificate", id="ab12", valid_until=END, key_until=END - timedelta(days=90)
    )
    text = message(limited, days=1).text
    assert text.startswith("Ключ электронной подписи действует до 02.10.2026")
    assert "сертификат ещё действует" in text


@pytest.mark.parametrize(
    "days, words",
    [
        (0, "сегодня"),
        (1, "через 1 день"),
        (2, "через 2 дня"),
        (5, "через 5 дней"),
        (11, "через 11 дней"),
        (14, "через 14 дней"),
        (21, "через 21 день"),
        (24, "через 24 дня"),
    ],
)
def test_days_are_declined_in_russian(days, words):
    subject = message(CERTIFICATE, days=days).subject
    assert subject == f"Сертификат электронной подписи: срок истекает {words}"


def test_the_label_is_neither_in_the_subject_nor_in_the_repr():
    said = message(CERTIFICATE, days=1)
    assert "кабинет" not in said.subject + repr(said)


def test_a_clinic_may_watch_things_of_its_own():
    licence = Watched(kind="licence", id="7", valid_until=END)
    (found,) = expiring([licence], END)
    own = {"licence": Wording("Лицензия", "истекла", "Подайте заявление.", "Приём закрыт.")}
    assert notice(found).text.startswith("Документ действует до")
    assert (
        notice(found, own).text
        == "Лицензия действует до 31.12.2026 12:30 (МСК). Подайте заявление."
    )
