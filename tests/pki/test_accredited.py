"""The list of accredited authorities: what it says of a day, and what it must not pretend."""

from __future__ import annotations

import hashlib
from base64 import encodebytes
from datetime import timedelta

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.errors import MalformedError, UsageError
from medsign.pki.accredited import AccreditedList, qualification_problems
from medsign.pki.issuing import QUALIFIED, SUBORDINATE_CA
from medsign.pki.path import build_path
from medsign.pki.problems import ProblemCode

DAY = timedelta(days=1)


def entry(*certificates, status="Действует", since=None, history=()):
    """Return one authority of the list; a history is of pairs of a status and a moment."""

    def worded(text, moment):
        dated = f"<ДействуетС>{moment}</ДействуетС>" if moment else ""
        return f"<СтатусАккредитации><Статус>{text}</Статус>{dated}</СтатусАккредитации>"

    data = "".join(
        f"<ДанныеСертификата><Данные>{each}</Данные></ДанныеСертификата>" for each in certificates
    )
    past = "".join(worded(text, moment.isoformat()) for text, moment in history)
    return f"""
      <УдостоверяющийЦентр>
        <Название>Тестовый УЦ</Название><ОГРН>9999999999999</ОГРН>
        <РеестровыйНомер>1</РеестровыйНомер>
        <ПрограммноАппаратныеКомплексы><ПрограммноАппаратныйКомплекс>
          <КлючиУполномоченныхЛиц><Ключ><Сертификаты>{data}</Сертификаты></Ключ>
          </КлючиУполномоченныхЛиц>
        </ПрограммноАппаратныйКомплекс></ПрограммноАппаратныеКомплексы>
        {worded(status, since and since.isoformat())}
        <ИсторияСтатусовАккредитации>{past}</ИсторияСтатусовАккредитации>
      </УдостоверяющийЦентр>"""


def listed(made_at, *entries, signature=""):
    made_at = made_at if isinstance(made_at, str) else made_at.isoformat()
    return f"""<?xml version="1.0" encoding="utf-8"?>
      <АккредитованныеУдостоверяющиеЦентры>
        <Версия>1</Версия><Дата>{made_at}</Дата>
        {"".join(entries)}{signature}
      </АккредитованныеУдостоверяющиеЦентры>""".encode()


def encoded(certificate):
    return encodebytes(certificate.der).decode()


@pytest.fixture
def ca(authority):
    return authority.ca.certificate


def test_an_authority_is_accredited_from_its_day_to_the_end(ca, now):
    start, end = now - 300 * DAY, now - 100 * DAY
    data = listed(
        now, entry(encoded(ca), status="Прекращена", since=end, history=[("Действует", start)])
    )
    accredited = AccreditedList.unsafe_from_bytes(data)
    second = timedelta(seconds=1)
    moments = [start - second, start, end - second, end, now]
    found = [accredited.accreditation(ca, at=each) for each in moments]
    assert [each.is_accredited for each in found] == [False, True, True, False, False]
    assert not any(each.is_outdated for each in found)
    assert found[0].status is None
    assert found[1].authority.ogrn == "9999999999999"


def test_another_certificate_of_the_same_key_is_the_same_authority(authority, ca, now):
    renewed = authority.certify(
        SUBORDINATE_CA, issuer=authority.root, subject=ca.subject, key=authority.ca
    ).certificate
    accredited = AccreditedList.unsafe_from_bytes(listed(now, entry(encoded(ca), since=now - DAY)))
    assert accredited.accreditation(renewed, at=now).is_accredited


def test_an_authority_that_is_not_listed_is_not_accredited(authority, ca, now):
    accredited = AccreditedList.unsafe_from_bytes(listed(now, entry(encoded(ca), since=now - DAY)))
    found = accredited.accreditation(authority.root.certificate, at=now)
    assert (found.authority, found.is_accredited) == (None, False)


@pytest.mark.parametrize("status", ["Прекращена", "Аннулирована", "Приостановлена", "Неведомо"])
def test_no_other_status_permits(ca, now, status):
    accredited = AccreditedList.unsafe_from_bytes(
        listed(now, entry(encoded(ca), status=status, since=now - DAY))
    )
    found = accredited.accreditation(ca, at=now)
    assert (found.is_accredited, found.status.text) == (False, status)


def test_a_status_without_a_date_permits_nothing_before_the_list(ca, now):
    active = AccreditedList.unsafe_from_bytes(listed(now, entry(encoded(ca))))
    assert active.accreditation(ca, at=now).is_accredited
    assert not active.accreditation(ca, at=now - DAY).is_accredited
    ended = AccreditedList.unsafe_from_bytes(listed(now, entry(encoded(ca), status="Прекращена")))
    assert not ended.accreditation(ca, at=now - DAY).is_accredited


def test_a_list_older_than_the_moment_is_outdated(ca, now):
    accredited = AccreditedList.unsafe_from_bytes(listed(now, entry(encoded(ca), since=now - DAY)))
    found = accredited.accreditation(ca, at=now + DAY)
    assert found.is_accredited
    assert found.is_outdated


def test_of_several_lists_the_first_after_the_moment_is_asked(ca, now):
    old = AccreditedList.unsafe_from_bytes(listed(now, entry(encoded(ca), since=now - DAY)))
    new = AccreditedList.unsafe_from_bytes(
        listed(now + 9 * DAY, entry(encoded(ca), status="Аннулирована", since=now - DAY))
    )
    both = new | old
    assert both == old | new | old
    assert both.accreditation(ca, at=now).is_accredited
    assert not both.accreditation(ca, at=now + DAY).is_accredited
    assert both.accreditation(ca, at=now + 10 * DAY).as_of == now + 9 * DAY


def test_a_spoilt_certificate_hides_no_other(ca, now):
    data = listed(now, entry("MAA=", "?", "Я", encoded(ca), since=now - DAY))
    accredited = AccreditedList.unsafe_from_bytes(data)
    assert accredited.accreditation(ca, at=now).is_accredited
    assert accredited.snapshots[0].authorities[0].unread == 3


def test_nobody_has_signed_a_list_that_was_read_without_a_check(now):
    signature = '<Signature xmlns="http://www.w3.org/2000/09/xmldsig#"/>'
    accredited = AccreditedList.unsafe_from_bytes(listed(now, signature=signature))
    assert accredited.snapshots[0].signed_by is None


def test_an_answer_names_the_list_that_gives_it(ca, now):
    data = listed(now, entry(encoded(ca), since=now - DAY))
    accredited = AccreditedList.unsafe_from_bytes(data)
    assert accredited.accreditation(ca, at=now).source == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("order", [1, -1])
def test_a_key_of_two_authorities_is_that_of_the_accredited_one(ca, now, order):
    entries = [
        entry(encoded(ca), since=now - DAY),
        entry(encoded(ca), status="Прекращена", since=now - DAY),
    ][::order]
    accredited = AccreditedList.unsafe_from_bytes(listed(now, *entries))
    assert accredited.accreditation(ca, at=now).is_accredited


def test_a_moment_without_a_zone_is_of_moscow(now):
    snapshot = AccreditedList.unsafe_from_bytes(listed("2026-01-01T03:00:00.1234567")).snapshots[0]
    assert snapshot.made_at.isoformat() == "2026-01-01T00:00:00.123456+00:00"


@pytest.mark.parametrize(
    "data",
    [b"", b"<a/>", listed("yesterday"), listed(""), listed("0001-01-01T00:00:00")],
    ids=["empty", "another root", "no moment", "no date", "before all time"],
)
def test_something_else_is_no_list(data):
    with pytest.raises(MalformedError):
        AccreditedList.unsafe_from_bytes(data)


def test_no_list_at_all_makes_no_sense(ca, now):
    with pytest.raises(UsageError):
        AccreditedList(())


def test_a_moment_of_no_zone_is_refused(ca, now):
    accredited = AccreditedList.unsafe_from_bytes(listed(now))
    with pytest.raises(UsageError):
        accredited.accreditation(ca, at=now.replace(tzinfo=None))


def problems(authority, accredited, certificate=None):
    certificate = certificate or authority.person.certificate
    path = build_path(
        certificate, authority.trust, [authority.ca.certificate], at=certificate.not_before
    )
    return {each.code for each in qualification_problems(path, accredited)}


def test_a_certificate_is_qualified_by_the_accreditation_on_the_day_of_issue(authority, ca, now):
    issued = authority.person.certificate.not_before
    good = listed(
        now,
        entry(
            encoded(ca),
            status="Прекращена",
            since=issued + timedelta(hours=1),
            history=[("Действует", issued)],
        ),
    )
    late = listed(now, entry(encoded(ca), since=issued + timedelta(hours=1)))
    old = listed(issued - DAY, entry(encoded(ca), since=issued - 2 * DAY))
    found = [
        problems(authority, AccreditedList.unsafe_from_bytes(each)) for each in (good, late, old)
    ]
    assert found == [
        set(),
        {ProblemCode.NOT_ACCREDITED},
        {ProblemCode.ACCREDITATION_OUTDATED},
    ]


def test_a_certificate_of_another_form_is_not_qualified(authority, ca, now):
    accredited = AccreditedList.unsafe_from_bytes(
        listed(now, entry(encoded(ca), since=now - 9 * DAY))
    )
    plain = authority.certify(attrs.evolve(QUALIFIED, subject_sign_tool=None)).certificate
    assert problems(authority, accredited, plain) == {ProblemCode.NOT_QUALIFIED}


def test_a_certificate_whose_issuer_is_unknown_is_not_qualified(authority, now):
    path = build_path(authority.person.certificate, authority.trust, at=now)
    found = qualification_problems(path, AccreditedList.unsafe_from_bytes(listed(now)))
    assert {each.code for each in found} == {ProblemCode.NOT_ACCREDITED}


@given(days=st.lists(st.integers(-50, -1), min_size=1, max_size=5, unique=True))
def test_the_latest_status_that_has_begun_holds(authority, now, days):
    ca = authority.ca.certificate
    words = ["Действует" if day % 2 else "Прекращена" for day in days]
    history = [(word, now + day * DAY) for word, day in zip(words, days, strict=True)]
    last = max(days)
    data = listed(now, entry(encoded(ca), status="Действует", since=now, history=history))
    accredited = AccreditedList.unsafe_from_bytes(data)
    for day in days:
        assert accredited.accreditation(ca, at=now + day * DAY).is_accredited == bool(day % 2)
    before = accredited.accreditation(ca, at=now - timedelta(seconds=1))
    assert before.is_accredited == bool(last % 2)


@given(
    made=st.lists(st.integers(-20, 20), min_size=1, max_size=4, unique=True),
    end=st.integers(-20, 20),
    asked=st.integers(-25, 25),
)
def test_of_lists_with_an_end_each_tells_what_it_could_know(authority, now, made, end, asked):
    """A list made before the end calls the authority active; a later one knows the end."""
    ca = authority.ca.certificate
    history = [("Действует", now - 30 * DAY)]
    known = [
        listed(
            now + day * DAY,
            entry(encoded(ca), status="Прекращена", since=now + end * DAY, history=history)
            if end <= day
            else entry(encoded(ca), since=now - 30 * DAY),
        )
        for day in made
    ]
    found = AccreditedList.unsafe_from_bytes(*known).accreditation(ca, at=now + asked * DAY)
    day = min((each for each in made if each >= asked), default=max(made))
    assert found.as_of == now + day * DAY
    assert found.is_outdated == (asked > max(made))
    assert found.is_accredited == (asked < end or day < end)
