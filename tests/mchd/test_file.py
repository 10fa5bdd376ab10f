"""Writing, reading and naming the file; agreement with the official schema where it is at hand."""

from __future__ import annotations

import random
import string
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from medsign import mchd
from medsign.codec.xml import (
    AnyDate,
    Flag,
    Integer,
    Node,
    Number,
    OneOf,
    Schema,
    Text,
    bind,
    parse,
    serialize,
)
from medsign.codec.xml.binding import Field, table
from medsign.errors import BudgetExceeded, InvalidDocument, MalformedError
from medsign.mchd.file import FILE_ID, NAMESPACE, ROOT
from medsign.mchd.model import PowerOfAttorney
from medsign.mchd.model import lexical as lex


def digits(rng: random.Random, size: int) -> str:
    return "9" + "".join(rng.choices(string.digits, k=size - 1))


def guid(rng: random.Random) -> str:
    raw = "".join(rng.choices("0123456789abcdefABCDEF", k=32))
    return "-".join((raw[:8], raw[8:12], raw[12:16], raw[16:20], raw[20:]))


def snils(rng: random.Random) -> str:
    raw = digits(rng, 11)
    return f"{raw[:3]}-{raw[3:6]}-{raw[6:9]}{rng.choice('- ')}{raw[9:]}"


def text(rule: Text, rng: random.Random) -> str:
    if rule.pattern is not None:
        return digits(rng, rule.low)
    high = min(rule.high or 50, rule.low + 20)
    return "".join(rng.choices("абвЯ <>&\"'\n\t\r]]>😀9-", k=rng.randint(rule.low, high)))


SAMPLES: dict[Any, Callable[[random.Random], Any]] = {
    lex.GUID: guid,
    lex.SNILS: snils,
    lex.FLAGS: lambda rng: "".join(rng.choices("01", k=8)),
}
BY_TYPE: dict[type, Callable[[Any, random.Random], Any]] = {
    OneOf: lambda rule, rng: rng.choice(list(rule.codes)),
    Integer: lambda _, rng: rng.randint(1, 999),
    Text: text,
    AnyDate: lambda _, rng: date(rng.randint(1900, 2100), rng.randint(1, 12), rng.randint(1, 28)),
    Flag: lambda _, rng: rng.random() < 0.5,
    Number: lambda _, rng: Decimal(rng.randint(-(10**9), 10**9)) / 100,
}


def sample(rule: Any, rng: random.Random) -> Any:
    """Return a random value of a simple type."""
    return SAMPLES[rule](rng) if rule in SAMPLES else BY_TYPE[type(rule)](rule, rng)


def instance(cls: Any, rng: random.Random) -> Any:
    """Return a random object of a class of the model, made from its table alone."""
    rows = table(cls)
    chosen = {
        branch: rng.choice([row for row in rows.elements if row.branch is branch])
        for branch in dict.fromkeys(row.branch for row in rows.elements if row.branch)
    }
    values: dict[str, Any] = {}

    def one(row: Field) -> Any:
        return instance(row.child, rng) if row.child else sample(row.rule, rng)

    for row in rows.fields:
        if row.branch is not None and chosen[row.branch] is not row:
            continue
        if row.branch is None and row.low == 0 and rng.random() < 0.4:
            continue
        values[row.python] = (
            tuple(one(row) for _ in range(rng.randint(max(row.low, 1), 2)))
            if row.repeated
            else one(row)
        )
    return cls(**values)


def mutate(root: Node, rng: random.Random) -> None:
    """Spoil a document in one place, or leave it as valid as it was."""
    node = rng.choice(list(root.iter()))
    names = list(node.attrib)
    texts = ("", "0", "1", "9", "x", "2025-02-30", "2025-02-28", " 2020-01-01 ", "999900000160")
    match rng.randint(0, 7):
        case 0 if names:
            del node.attrib[rng.choice(names)]
        case 1 if names:
            node.set(rng.choice(names), rng.choice(texts))
        case 2:
            node.set(rng.choice([*names, "Лишний", "ИННФЛ", "КПП"]), rng.choice(texts))
        case 3 if len(node):
            node.remove(rng.choice(list(node)))
        case 4 if len(node) > 1:
            node.append(node[0])
        case 5 if len(node):
            node.append(parse(serialize(rng.choice(list(node)), indent=False)))
        case 6:
            node.text = (node.text or "") + rng.choice(("", " ", "слово"))
        case _:
            node.tag = rng.choice((node.tag, f"{{{NAMESPACE}}}Гость", "Гость"))


@pytest.fixture(scope="session")
def schema(shared_data: Path) -> Schema:
    return Schema(shared_data / "mchd" / "ON_EMCHD_1_928_00_01_01_01.xsd")


def test_the_first_line_is_the_declaration_that_checkers_demand(document: bytes):
    assert document.splitlines()[0] == b'<?xml version="1.0" encoding="UTF-8"?>'


def test_what_is_encoded_is_decoded(document: bytes, poa: PowerOfAttorney):
    assert mchd.decode(document) == poa


@settings(max_examples=30)
@given(st.integers(min_value=0))
def test_any_document_of_the_model_survives_the_file(seed: int):
    poa = instance(PowerOfAttorney, random.Random(seed))
    assert mchd.decode(mchd.encode(poa)) == poa


@settings(max_examples=30)
@given(seed=st.integers(min_value=0))
def test_any_document_of_the_model_passes_the_official_schema(schema: Schema, seed: int):
    root = parse(mchd.encode(instance(PowerOfAttorney, random.Random(seed))))
    assert schema.violations(root) == ()


@settings(max_examples=150)
@given(seed=st.integers(min_value=0))
def test_the_structure_agrees_with_the_official_schema_on_spoilt_documents(
    schema: Schema, seed: int
):
    rng = random.Random(seed)
    root = parse(mchd.encode(instance(PowerOfAttorney, rng)))
    mutate(root, rng)
    root = parse(serialize(root, indent=False))
    _, found = bind(PowerOfAttorney, root, ROOT, namespace=NAMESPACE)
    assert bool(found) == bool(schema.violations(root)), found


def test_an_issued_document_passes_the_official_schema(schema: Schema, document: bytes):
    assert mchd.validate(document, schema=schema) == ()


def samples(folder: Path, pattern: str) -> list[Path]:
    found = sorted(folder.glob(pattern))
    if not found:
        pytest.skip(f"no samples {pattern} among the public data")
    return found


def test_registered_samples_are_valid_and_survive_the_file(shared_data: Path, schema: Schema):
    for path in samples(shared_data, "mchd/samples/ON_EMCHD_*.xml"):
        data = path.read_bytes()
        findings = mchd.validate(data, file_name=path.name, schema=schema)
        # The anonymiser rewrote the first line of the samples.
        assert {finding.code for finding in findings} <= {"file.declaration"}
        assert mchd.decode(mchd.encode(mchd.decode(data))) == mchd.decode(data)


def test_the_structure_agrees_with_the_official_schema_on_spoilt_samples(
    shared_data: Path, schema: Schema
):
    for path in samples(shared_data, "real/07_mchd/redacted_invalid/*.xml"):
        root = parse(path.read_bytes())
        _, found = bind(PowerOfAttorney, root, ROOT, namespace=NAMESPACE)
        assert bool(found) == bool(schema.violations(root)), path.name
        assert mchd.validate(path.read_bytes()) != (), path.name


def test_the_predecessor_format_002_is_not_taken_for_003(shared_data: Path):
    for path in samples(shared_data, "mchd/samples/ON_DOVBB_*.xml"):
        with pytest.raises(MalformedError):
            mchd.decode(path.read_bytes())


def test_a_value_that_breaks_the_structure_is_not_encoded(poa: PowerOfAttorney):
    broken = attrs.evolve(poa, flags="2", file_id="")
    with pytest.raises(InvalidDocument) as caught:
        mchd.encode(broken)
    assert [path for path, _ in caught.value.problems] == [
        "Доверенность/@ПрЭлФорм",
        "Доверенность/@ИдФайл",
    ]


@given(st.binary(max_size=300))
def test_hostile_bytes_are_refused_and_never_crash(data: bytes):
    with pytest.raises((MalformedError, BudgetExceeded)):
        mchd.decode(data)


def test_the_letter_case_of_the_number_is_kept(poa: PowerOfAttorney, document: bytes):
    assert poa.terms.number == "0ABCdef0-0000-4000-8000-00000000000f"
    assert mchd.decode(document).terms.number == poa.terms.number
    assert poa.file_id.endswith(poa.terms.number)


def test_file_names_follow_the_format():
    number = mchd.new_number(lambda size: bytes(range(size)))
    assert FILE_ID.fullmatch(mchd.file_id(date(2026, 3, 1), number))
    assert (
        mchd.tax_file_id(
            date(2026, 3, 1),
            number,
            receiver="7800",
            final="7801",
            inn="9999000006",
            kpp="999901001",
        )
        == f"ON_DOVEL_7800_7801_9999000006999901001_20260301_{number}"
    )


def test_a_representation_shows_no_person(poa: PowerOfAttorney):
    shown = repr(poa)
    assert "Тестова" not in shown
    assert "999900000160" not in shown
    assert "99 99 000001" not in shown
