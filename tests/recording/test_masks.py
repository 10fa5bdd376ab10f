"""Masks keep the kind of a value and tell nothing of it."""

from __future__ import annotations

import string
from datetime import date, datetime
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from medsign.codec import json
from medsign.identifiers import Inn, InnLegal, Ogrn, Ogrnip, Phone, Snils
from medsign.recording import Masks, contract_words
from medsign.recording.masks import Kind, kind_of, shape_of

JSON = {"content-type": "application/json"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


@pytest.fixture
def masks() -> Masks:
    return Masks(contract_words(), key=bytes(range(32)))


@pytest.mark.parametrize(
    "kind, text",
    [
        (Snils, Snils.complete("999777331").value),
        (Snils, Snils.complete("999777331").formatted),
        (Inn, Inn.complete("9997773331").value),
        (InnLegal, InnLegal.complete("999777333").value),
        (Ogrn, Ogrn.complete("999777333111").value),
        (Ogrnip, Ogrnip.complete("39977733311122").value),
        (Phone, "+79997773311"),
    ],
)
def test_an_identifier_stays_one_and_is_an_invented_one(masks: Masks, kind: type, text: str):
    masked = masks.text(text)
    assert kind(masked) != kind(text)
    assert [each for each in masked if not each.isdigit()] == [
        each for each in text if not each.isdigit()
    ]


def test_a_number_has_one_mask_however_it_is_printed(masks: Masks):
    snils = Snils.complete("999777331")
    assert Snils(masks.text(snils.value)) == Snils(masks.text(snils.formatted))


@pytest.mark.parametrize("text", ["1987-11-23", "23.11.1987"])
def test_a_day_stays_a_day_of_its_year(masks: Masks, text: str):
    masked = masks.text(text)
    assert masked != text
    assert "1987" in masked
    form = "%d.%m.%Y" if "." in text else "%Y-%m-%d"
    assert isinstance(datetime.strptime(masked, form).date(), date)  # noqa: DTZ007


@pytest.mark.parametrize(
    "text", ["1987-11-23T00:00:00", "1987-11-22T21:00:00Z", "1987-11-23T00:00:00.000+03:00"]
)
def test_a_midnight_is_a_date_of_birth_and_masked(masks: Masks, text: str):
    masked = masks.text(text)
    assert masked[:10] != text[:10]
    assert masked[10:] == text[10:]
    assert datetime.fromisoformat(masked)


def test_a_moment_of_the_work_is_shown(masks: Masks):
    assert masks.text("2026-06-01T10:17:33.5+03:00") == "2026-06-01T10:17:33.5+03:00"


def test_what_only_begins_like_a_moment_is_masked(masks: Masks):
    assert "Тестова" not in masks.text("2026-06-01T10:17Тестова")


def test_a_uuid_stays_one_in_its_letter_case(masks: Masks):
    text = "0DAE3F95-5F28-4B9C-8E4E-9D4F6B7F0A01"
    masked = masks.text(text)
    assert kind_of(masked) is Kind.UUID
    assert masked == masked.upper() != text
    assert masks.text(text.lower()).upper() == masked


def test_octets_give_way_to_other_octets_of_one_length(masks: Masks):
    long, longer = "QUJD" * 100, "REVG" * 10_000
    assert len(masks.text(long)) == len(masks.text(longer)) == 64
    assert json.structure(bytes, masks.text(long)) != json.structure(bytes, masks.text(longer))


@pytest.mark.parametrize(
    "text", ["Тайновская Изольда", "tainovskaya@planted.test", "паспорт 9977 777331", "ТАЙНОВСКАЯ"]
)
def test_a_text_keeps_its_look_only(masks: Masks, text: str):
    masked = masks.text(text)
    assert len(masked) == len(text)
    assert not set(masked.split()) & set(text.split())
    assert [(each.isupper(), each.isdigit(), each.isspace()) for each in masked] == [
        (each.isupper(), each.isdigit(), each.isspace()) for each in text
    ]


def test_one_word_has_one_mask_in_every_letter_case_and_company(masks: Masks):
    alone, shouted, within = map(masks.text, ["Тестова", "ТЕСТОВА", "Тестова Анна"])
    assert alone.casefold() == shouted.casefold() == within.split()[0].casefold()


def test_two_recordings_have_nothing_in_common():
    assert Masks().text("Тестова") != Masks().text("Тестова")
    assert "key" not in repr(Masks())


@pytest.mark.parametrize("word", ["Создан", "SIGNED", "documents_check", "77", ""])
def test_words_of_the_contracts_and_short_numbers_are_shown(masks: Masks, word: str):
    assert masks.text(word) == word


@pytest.mark.parametrize(
    "value, shown",
    [(7, True), (200, True), (0.5, True), (777331, False), (-5000, False), (59.9386, False)],
)
def test_numbers_that_only_count_are_shown(masks: Masks, value: float, shown: bool):
    masked = masks.number(value)
    assert type(masked) is type(value)
    assert (masked == value) is shown


def test_the_structure_of_json_stays_and_names_that_are_data_do_not(masks: Masks):
    body = {"items": [{"surname": "Тестова", "ok": True, "none": None}], "Тестова": {"n": 1.5}}
    masked = json.decode(dict, masks.body(json.encode(body), "application/json").encode())  # type: ignore[union-attr, type-arg]
    [item] = masked.pop("items")
    assert (item.keys(), item["ok"], item["none"]) == (body["items"][0].keys(), True, None)  # type: ignore[index]
    [name] = masked
    assert name != "Тестова"
    assert masked[name] == {"n": 1.5}


def test_a_form_is_masked_by_its_values(masks: Masks):
    masked = masks.body(b"grant_type=x&password=planted-password-77", FORM["content-type"])
    assert masked is not None
    assert masked.startswith("grant_type=")
    assert "planted" not in masked


@pytest.mark.parametrize(
    "content, media",
    [
        (b"%PDF-1.7", "application/pdf"),
        (b"<x/>", "application/xml"),
        (b'{"a":', "application/json"),
        (b"[" * 100_000, "application/json"),
        (b"\xff", "application/x-www-form-urlencoded"),
        (b"{}", ""),
    ],
)
def test_what_has_no_structure_we_know_is_left_out(masks: Masks, content: bytes, media: str):
    assert masks.body(content, media) is None


def test_what_a_refusal_says_is_cleaned_as_in_an_error(masks: Masks):
    body = {"code": "no-such", "title": "СНИЛС 999-777-331 11 unknown", "detail": "Тестова"}
    masked = masks.body(json.encode(body), "application/problem+json", refused=True)
    said = json.decode(dict[str, str], (masked or "").encode())
    assert (said["code"], said["title"]) == ("no-such", "СНИЛС *** unknown")
    assert said["detail"] != "Тестова"


def test_an_address_keeps_its_words_only(masks: Masks):
    url = httpx.URL(
        "https://h.test:8443/poa/v1/Тестова/0dae3f95-5f28-4b9c-8e4e-9d4f6b7f0a01?inn=9997773331&x=1"
    )
    masked = httpx.URL(masks.url(url))
    assert masked.host == "h.test"
    assert masked.path.startswith("/poa/v1/")
    assert "Тестова" not in masked.path
    assert "0dae3f95" not in masked.path
    assert (masked.params["x"], len(masked.params["inn"])) == ("1", 10)
    assert masked.params["inn"] != "9997773331"


@pytest.mark.parametrize(
    "path, shown",
    [
        ("vst-oauth2/oauth/token", True),
        ("poar-webapp/integration/poa/generate-number", True),
        ("SignServer/rest/api/documents/v1", True),
        ("s/AbCdEfGhIj", False),
        ("s/x7Kq2", False),
        ("cards/9999000000000004", False),
        ("people/%D0%A2%D0%B5%D1%81%D1%82%D0%BE%D0%B2%D0%B0", False),
    ],
)
def test_words_of_a_path_are_shown_and_tokens_are_not(masks: Masks, path: str, shown: bool):
    assert (masks.url(httpx.URL(f"https://a.test/{path}")) == f"https://a.test/{path}") is shown


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**15), 10**15)
    | st.floats(-(10**15), 10**15)
    | st.text(max_size=30)
    | st.from_regex(r"[0-9+ .-]{1,16}", fullmatch=True)
    | st.dates().map(str)
    | st.uuids().map(str)
    | st.binary(min_size=48, max_size=90).map(lambda octets: octets.hex()),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.lists(st.text(max_size=12), max_size=4).map("/".join))
def test_an_address_and_its_masked_copy_have_one_shape(path: str):
    masks = Masks(contract_words(), key=bytes(32))
    request = httpx.Request("GET", "https://a.test/" + quote(path))
    copy = httpx.Request("GET", masks.url(request.url))
    assert shape_of(copy, b"", masks.words) == shape_of(request, b"", masks.words)


@given(VALUES)
def test_a_request_and_its_masked_copy_have_one_shape(value: object):
    masks = Masks(contract_words(), key=bytes(32))
    content = json.encode({"value": value}) if _is_encodable(value) else b"{}"
    request = httpx.Request("POST", "https://a.test/x/4a2c?q=Тестова", headers=JSON)
    copy = httpx.Request("POST", masks.url(request.url), headers=JSON)
    masked = (masks.body(content, JSON["content-type"]) or "").encode()
    assert shape_of(copy, masked, masks.words) == shape_of(request, content, masks.words)


def _is_encodable(value: object) -> bool:
    try:
        json.encode(value)
    except UnicodeEncodeError:
        return False
    return True


@given(st.text(max_size=300))
def test_any_text_can_be_masked_and_keeps_its_kind_of_length(text: str):
    masked = Masks(key=bytes(32)).text(text)
    assert len(masked) <= max(200, 64)


def test_a_letter_beside_one_letter_words_is_masked_whatever_the_key():
    words = contract_words()
    letters = sorted(set(string.ascii_uppercase) - words)
    assert len(letters) < 20
    for number in range(64):
        masks = Masks(words, key=bytes([number]) * 32)
        masked = {masks.text(letter) for letter in letters}
        assert masked <= set(string.ascii_uppercase) - words


def test_a_letter_beside_all_others_as_words_is_taken_out():
    words = frozenset(string.ascii_uppercase + string.ascii_lowercase) - {"A"}
    assert {Masks(words, key=bytes([number])).text("A") for number in range(64)} == {"A", "***"}
