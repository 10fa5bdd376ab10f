from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.codec.asn1 import GeneralName, NameAttribute, decode_name, encode_name, make_name, oids
from medsign.codec.asn1.door import Limits, open_der
from medsign.codec.asn1.names import encode_general_name, read_general_name
from medsign.errors import MalformedError, UsageError

letters = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
attributes = st.builds(NameAttribute, st.sampled_from(sorted(oids.SHORT_NAMES)), letters)
# inside one relative name DER decides the order, so that only single ones keep theirs
rdns = st.lists(st.tuples(attributes), max_size=6).map(tuple)
ascii_text = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=40)
general_names = st.one_of(
    st.builds(GeneralName, st.sampled_from(["rfc822", "dns", "uri"]), ascii_text),
    st.builds(GeneralName, st.just("ip"), st.binary(min_size=4, max_size=4)),
    st.just(GeneralName("registered_id", oids.OCSP_NO_CHECK)),
    st.just(GeneralName("directory", make_name([(oids.COMMON_NAME, "Тестовый УЦ")]))),
)


@given(rdns)
def test_a_name_comes_back(parts):
    assert decode_name(encode_name(parts)).rdns == parts


@given(general_names)
def test_a_general_name_comes_back(name):
    assert read_general_name(open_der("test", encode_general_name(name), Limits(), None)) == name


def test_the_numbers_of_the_order_are_numeric_strings():
    name = make_name([(oids.INN_LEGAL_ENTITY, "9909999999"), (oids.SNILS, "99999999999")])
    assert [each.tag for each in name.attributes] == [0x12, 0x12]


def test_all_values_of_a_type_are_found_in_order():
    name = make_name([(oids.ORGANIZATIONAL_UNIT, "А"), (oids.ORGANIZATIONAL_UNIT, "Б")])
    assert name.all(oids.ORGANIZATIONAL_UNIT) == ("А", "Б")
    assert name.get(oids.COMMON_NAME) is None


def test_names_match_whatever_their_case_spaces_and_string_type():
    one = make_name([(oids.COMMON_NAME, "Test  CA ")])
    other = decode_name(encode_name([[NameAttribute(oids.COMMON_NAME, "TEST ca", 0x13)]]))
    assert one.matches(other)
    assert one != other


def test_names_with_another_order_do_not_match():
    pairs = [(oids.COMMON_NAME, "Тест"), (oids.COUNTRY, "RU")]
    assert not make_name(pairs).matches(make_name(pairs[::-1]))


def test_special_characters_are_escaped_in_text():
    assert make_name([(oids.COMMON_NAME, ' "а", б+в ')]).rfc4514() == r"CN=\ \"а\"\, б\+в\ "


@pytest.mark.parametrize("show", [repr, str])
def test_no_personal_data_is_shown_by_accident(show):
    name = make_name([(oids.SURNAME, "Тестова"), (oids.SNILS, "99999999999")])
    for shown in (show(name), show(name.attributes[0]), show(GeneralName("directory", name))):
        assert "Тестова" not in shown
        assert "99999999999" not in shown


def test_a_value_that_is_no_string_is_kept_as_hexadecimal():
    name = decode_name(bytes.fromhex("300c 310a 3008 0603550403 0201 05".replace(" ", "")))
    assert name.get(oids.COMMON_NAME) == "#020105"
    assert encode_name(name.rdns) == name.der


def test_broken_utf8_is_malformed_and_not_quoted():
    with pytest.raises(MalformedError, match="CN"):
        decode_name(
            bytes.fromhex(
                "300b 3109 3007 0603550403 0c00".replace("0c00", "0c01ff")
                .replace("300b", "300c")
                .replace("3109", "310a")
                .replace("3007", "3008")
            )
        )


def test_an_address_that_is_no_ascii_is_refused_by_the_writer():
    with pytest.raises(UsageError):
        encode_general_name(GeneralName("uri", "http://пример.рф/"))
