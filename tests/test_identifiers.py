from __future__ import annotations

import copy
import pickle

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from medsign import identifiers
from medsign.errors import InvalidIdentifier
from medsign.identifiers import (
    CardNumber,
    CardUid,
    Identifier,
    Inn,
    InnLegal,
    Kpp,
    Ogrn,
    Ogrnip,
    OmsNumber,
    Phone,
    PowerOfAttorneyNumber,
    Snils,
)

GUID = "0dAe3f95-5f28-4b9c-8E4e-9d4f6b7f0a01"

SAMPLES: list[Identifier] = [
    Snils("999-000-001 15"),
    Inn("999900000160"),
    InnLegal("9999000006"),
    Ogrn.complete("999999000000"),
    Ogrnip.complete("99999900000000"),
    Kpp("999901001"),
    CardNumber("9999000000000001"),
    CardUid("04A1B2C3D4E5F6"),
    PowerOfAttorneyNumber(GUID),
    Phone("+79990000001"),
    OmsNumber("9999000000000001"),
]
PERSONAL = [sample for sample in SAMPLES if sample.personal]
by_type = pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: type(s).__name__)

# A residue of the checksum can share its digit with another one: those digits guarantee nothing.
GUARANTEED = {
    Snils: lambda check: check != "00",
    Inn: lambda check: check != "00",
    InnLegal: lambda check: check != "0",
    Ogrn: lambda check: check != "0",
    Ogrnip: lambda check: check not in "012",
}
BODY_LENGTH = {Snils: 9, Inn: 10, InnLegal: 9, Ogrn: 12, Ogrnip: 14}
checked_types = st.sampled_from(sorted(BODY_LENGTH, key=lambda cls: cls.__name__))


@st.composite
def completed(draw: st.DrawFn):
    cls = draw(checked_types)
    length = BODY_LENGTH[cls]
    low = 1_001_999 if cls is Snils else 10 ** (length - 1)
    body = str(draw(st.integers(low, 10**length - 1))).zfill(length)
    return cls.complete(body)


@given(completed())
def test_a_number_with_computed_check_digits_is_accepted(number):
    assert type(number)(number.digits) == number


@given(completed(), st.data())
def test_a_changed_digit_is_refused_where_the_checksum_guarantees_it(number, data):
    cls, digits = type(number), number.digits
    at = data.draw(st.integers(0, len(digits) - 1))
    new = data.draw(st.sampled_from([d for d in "0123456789" if d != digits[at]]))
    changed = digits[:at] + new + digits[at + 1 :]
    assume(GUARANTEED[cls](digits[-cls.check_length :]))
    assume(cls is not Snils or int(changed[:9]) > 1_001_998)
    with pytest.raises(InvalidIdentifier):
        cls(changed)


@given(completed(), st.data())
def test_every_spelling_with_spaces_and_dashes_is_the_same_number(number, data):
    gaps = st.sampled_from(["", " ", "-", "\u00a0", "–", " - "])
    spelled = "".join(digit + data.draw(gaps) for digit in number.digits)
    assert type(number)(spelled) == number
    assert hash(type(number)(spelled)) == hash(number)


@by_type
def test_the_official_spelling_is_read_back(sample):
    assert type(sample)(sample.formatted) == sample


@by_type
def test_an_identifier_survives_pickle_and_copy(sample):
    assert pickle.loads(pickle.dumps(sample)) == sample == copy.deepcopy(sample)


@by_type
def test_an_identifier_cannot_be_changed(sample):
    with pytest.raises(AttributeError):
        sample.value = "0"


@by_type
@pytest.mark.parametrize("junk", ["", " ", "0", "x" * 40, "１２３４５６７８９０１", "9" * 400])
def test_junk_is_refused_without_being_quoted(sample, junk):
    with pytest.raises(InvalidIdentifier) as caught:
        type(sample)(junk)
    assert caught.value.kind == type(sample).kind
    assert not junk.strip("0 ") or junk not in str(caught.value) + caught.value.diagnostics()


@pytest.mark.parametrize("sample", PERSONAL, ids=lambda s: type(s).__name__)
def test_a_personal_number_does_not_leak_into_text(sample):
    text = f"{sample} {sample!r} {sample!s} {[sample]} %s" % sample
    assert sample.value not in text
    assert sample.formatted not in text


def test_numbers_of_a_person_are_personal_and_of_an_organisation_are_not():
    assert {type(s) for s in SAMPLES} - {type(s) for s in PERSONAL} == {
        InnLegal,
        Ogrn,
        Kpp,
        PowerOfAttorneyNumber,
    }


def test_an_organisation_number_is_readable_in_logs():
    assert f"{InnLegal('9999000006')}" == "9999000006"


def test_equal_digits_of_different_kinds_are_different_things():
    assert CardNumber("9999000000000001") != OmsNumber("9999000000000001")


def test_an_inn_that_starts_with_00_is_not_a_persons():
    with pytest.raises(InvalidIdentifier, match="не ИНН физического лица"):
        Inn("00" + InnLegal("9999000006").value)


@pytest.mark.parametrize("cls", [InnLegal, Kpp])
def test_an_organisation_code_cannot_start_with_00(cls):
    with pytest.raises(InvalidIdentifier):
        cls("0099010010"[: 10 if cls is InnLegal else 9])


def test_early_snils_numbers_have_no_checksum():
    assert Snils("001-001-998 77").digits == "00100199877"
    with pytest.raises(InvalidIdentifier, match="контрольные"):
        Snils("001-001-999 77")


def test_a_snils_residue_of_100_is_written_as_00():
    number = next(
        body
        for body in map(str, range(999_000_000, 999_999_999))
        if sum(int(d) * (9 - i) for i, d in enumerate(body)) % 101 == 100
    )
    assert Snils.complete(number).digits == number + "00"


@pytest.mark.parametrize("text", ["9999АВ001", "9999ab001", "9999AB01", "00990100A"])
def test_a_kpp_of_another_alphabet_or_shape_is_refused(text):
    with pytest.raises(InvalidIdentifier):
        Kpp(text)


def test_a_kpp_may_hold_latin_capitals():
    assert Kpp("9999AZ001").value == "9999AZ001"


@pytest.mark.req("F278")
def test_a_card_number_that_fails_luhn_is_only_doubted():
    right, wrong = CardNumber("4111 1111 1111 1111"), CardNumber("4111 1111 1111 1112")
    assert right.passes_luhn
    assert not wrong.passes_luhn


@pytest.mark.parametrize("bytes_", [4, 7, 10])
def test_a_card_uid_has_one_canonical_spelling(bytes_):
    pairs = ["a4"] * bytes_
    spellings = [":".join(pairs), "-".join(pairs), " ".join(pairs), "A4" * bytes_]
    assert {CardUid(s).value for s in spellings} == {"A4" * bytes_}


@pytest.mark.parametrize("text", ["A4" * 5, "A4" * 7 + "A", "G4" * 4])
def test_a_card_uid_of_another_length_is_refused(text):
    with pytest.raises(InvalidIdentifier):
        CardUid(text)


def test_a_power_of_attorney_number_keeps_its_letter_case():
    assert PowerOfAttorneyNumber(f" {GUID}\n").value == GUID
    assert PowerOfAttorneyNumber(GUID) != PowerOfAttorneyNumber(GUID.lower())


@pytest.mark.parametrize(
    "text", ["89990000001", "+7 999 000-00-01", "7(999)0000001", "8 (999) 000.00.01"]
)
def test_a_phone_has_one_canonical_value(text):
    assert Phone(text).value == "+79990000001"


@pytest.mark.parametrize("text", ["+89990000001", "9990000001", "+1 999 000 00 01"])
def test_a_phone_without_the_russian_code_is_refused(text):
    with pytest.raises(InvalidIdentifier):
        Phone(text)


@pytest.mark.req("F435")
def test_an_oms_policy_number_has_sixteen_digits():
    assert OmsNumber("9999 0000 0000 0001").digits == "9999000000000001"
    with pytest.raises(InvalidIdentifier):
        OmsNumber("999900000000001")


def test_an_all_zero_number_is_refused():
    with pytest.raises(InvalidIdentifier, match="нулей"):
        Snils("00000000000")


@pytest.mark.parametrize("body", ["", "99900", "x" * 9, "00" + "9" * 8])
def test_a_wrong_beginning_cannot_be_completed(body):
    with pytest.raises(InvalidIdentifier):
        Inn.complete(body)


def test_the_samples_cover_every_public_type():
    public = {
        thing
        for name, thing in vars(identifiers).items()
        if isinstance(thing, type) and issubclass(thing, Identifier) and not name.startswith("_")
    }
    assert public - {Identifier} == {type(sample) for sample in SAMPLES}
