"""Powers and their limits, the states, and the application to revoke."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import attrs
import pytest

from medsign import mchd
from medsign.codec.xml import parse
from medsign.errors import IllegalTransition, InvalidDocument, MalformedError, UsageError
from medsign.mchd.model import Document
from medsign.mchd.powers import LIMITED_GROUP, machine_powers

POWERS = f"""code,group,name,revoked
KLASS_2.0_SIGN,"{LIMITED_GROUP}","Подписывать
",
EGISZ_LK_01,Минздрав,Подача заявок,2026-12-31
"""
LIMITS = "\ufeffCODE;NAME;SPR_VALUE\nLIM_03;Лимит по сумме;Нет\nLIM_05;Тип валюты;Да\n"
VALUES = "CODE_VALUE;NAME_VALUE;CODE\nLIM_05_643;Российский рубль;LIM_05\n"


@pytest.fixture
def classifier() -> mchd.PowersClassifier:
    return mchd.PowersClassifier.from_csv(
        POWERS.encode(),
        version="2026-01-01",
        limits=LIMITS.encode(),
        limit_values=VALUES.encode(),
    )


def test_a_classifier_is_read_from_the_user_s_tables(classifier: mchd.PowersClassifier):
    assert classifier.power("KLASS_2.0_SIGN").name == "Подписывать"
    assert classifier.power("EGISZ_LK_01").revoked == date(2026, 12, 31)
    assert classifier.limits["LIM_05"].values == {"LIM_05_643": "Российский рубль"}


def test_the_public_classifier_is_read(shared_data: Path):
    folder = shared_data / "mchd"
    classifier = mchd.PowersClassifier.from_csv(
        (folder / "powers_classifier_EMCHD_003.csv").read_bytes(),
        version="2025-08-27",
        limits=(folder / "powers_limits.csv").read_bytes(),
        limit_values=(folder / "powers_limit_values.csv").read_bytes(),
    )
    assert (len(classifier.powers), len(classifier.limits)) == (2785, 16)
    limited = [each for each in classifier.powers.values() if each.group == LIMITED_GROUP]
    assert len(limited) == 30


def test_limits_are_numbered_and_carry_code_or_text(classifier: mchd.PowersClassifier):
    power = classifier.machine_power(
        "KLASS_2.0_SIGN",
        [
            classifier.limit("LIM_03", "100000"),
            classifier.limit("LIM_05", "LIM_05_643"),
            mchd.certificate_limit(0x01A2),
        ],
    )
    assert [(each.ordinal, each.code) for each in power.limits] == [
        (1, "LIM_03"),
        (2, "LIM_05"),
        (3, "LIM_16"),
    ]
    assert [each.value_text for each in power.limits] == ["100000", None, "01A2"]
    assert power.limits[1].value_name == "Российский рубль"


def test_a_document_with_limited_powers_is_valid(
    draft: mchd.Draft, classifier: mchd.PowersClassifier
):
    power = classifier.machine_power("KLASS_2.0_SIGN", [classifier.limit("LIM_03", "5")])
    poa = mchd.issue(attrs.evolve(draft, powers=machine_powers([power])))
    assert mchd.validate(mchd.encode(poa), classifier=classifier) == ()


@pytest.mark.req("F027", "F028")
def test_the_power_for_sfr_is_given_in_its_own_words(draft: mchd.Draft):
    words = "Все полномочия на подписание эл. документов со стороны мед. организации"
    poa = mchd.issue(attrs.evolve(draft, powers=mchd.text_powers(words)))
    assert mchd.decode(mchd.encode(poa)).powers.text == words


@pytest.mark.parametrize(
    "wrong",
    [
        lambda table: table.power("NO_SUCH_POWER"),
        lambda table: table.limit("LIM_99", "1"),
        lambda table: table.limit("LIM_05", "LIM_05_000"),
        lambda table: table.machine_power("EGISZ_LK_01", [table.limit("LIM_03", "1")]),
    ],
)
def test_what_the_classifier_does_not_have_is_refused(
    classifier: mchd.PowersClassifier, wrong: Any
):
    with pytest.raises(UsageError):
        wrong(classifier)


@pytest.mark.parametrize(
    "data", [b"\xff\xfe", b"name\nx\n", b"code,name\nA,\n", b"code,name,revoked\nA,B,soon\n"]
)
def test_a_table_of_another_shape_is_malformed(data: bytes):
    with pytest.raises(MalformedError):
        mchd.PowersClassifier.from_csv(data, version="1")


def test_a_power_of_attorney_lives_by_its_table():
    model = mchd.POA_STATUS
    state = model.apply(model.apply(model.initial, "register"), "activate")
    assert model.apply(state, "revoke") == mchd.PoaState.REVOKED
    with pytest.raises(IllegalTransition):
        model.apply(mchd.PoaState.REVOKED, "activate")


@pytest.mark.parametrize("code", [*mchd.PoaState])
def test_every_status_of_the_registry_is_recognised(code: mchd.PoaState):
    assert mchd.POA_STATUS.recognise(code.lower()).code == code


@pytest.mark.parametrize("code", [*mchd.TransactionState])
def test_every_transaction_status_is_recognised(code: mchd.TransactionState):
    assert mchd.TRANSACTION_STATUS.recognise(code).code == code


def test_an_organization_revokes_its_power_of_attorney(poa: mchd.PowerOfAttorney):
    document = mchd.revocation(poa, "Увольнение представителя")
    data = mchd.encode_revocation(document)
    assert data.startswith(b'<?xml version="1.0" encoding="windows-1251"?>\n')
    assert "ООО «Пример»".encode("cp1251") in data
    root = parse(data)
    application = root[0][0]
    assert (root.tag, root.get("ВерсФорм")) == ("Файл", "001")
    assert application.get("НомДовер") == poa.terms.number
    assert application.get("ПричОтз") == "Увольнение представителя"
    assert mchd.decode_revocation(data) == document


def test_a_sole_trader_revokes_his_power_of_attorney(draft: mchd.Draft, doctor: Any):
    trader = attrs.evolve(doctor, kind="sole_trader", ogrnip="999999900000002")
    poa = mchd.issue(attrs.evolve(draft, principals=(mchd.principal_from(trader),)))
    party = mchd.revocation(poa, "Ошибка").content.applicant.principal.sole_trader
    assert party.name == "Индивидуальный предприниматель Образцов Пётр Тестович"
    assert party.ogrnip == "999999900000002"


def test_a_person_has_no_known_application_to_revoke(draft: mchd.Draft, doctor: Any):
    poa = mchd.issue(attrs.evolve(draft, principals=(mchd.principal_from(doctor),)))
    with pytest.raises(UsageError):
        mchd.revocation(poa, "Ошибка")


def test_a_reason_longer_than_500_characters_is_refused(poa: mchd.PowerOfAttorney):
    assert mchd.encode_revocation(mchd.revocation(poa, "ы" * 500))
    with pytest.raises(InvalidDocument):
        mchd.encode_revocation(mchd.revocation(poa, "ы" * 501))


def test_a_power_of_attorney_is_not_an_application_to_revoke(document: bytes):
    with pytest.raises(MalformedError):
        mchd.decode_revocation(document)


def test_a_document_without_content_is_not_encoded(poa: mchd.PowerOfAttorney):
    with pytest.raises(InvalidDocument):
        mchd.encode(attrs.evolve(poa, document=Document()))
