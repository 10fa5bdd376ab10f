"""What the errors say, and in which language."""

from __future__ import annotations

import pickle
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from medsign.cli.terminal import read
from medsign.clock import ManualClock
from medsign.codec.asn1 import make_name, oids
from medsign.codec.pieces import Pieces
from medsign.ekp import CardBindings
from medsign.errors import IllegalTransition, MedsignError, MissingExtra, Unavailable, UsageError
from medsign.exchange.ledger import Ledger
from medsign.identifiers import CardUid
from medsign.store import MemoryStore
from medsign.xmldsig import doctor_actor

ROOMS = {
    "import medsign.sandbox": ("pypdf", "sandbox"),
    "import medsign.sandbox.http": ("starlette", "sandbox"),
    "import medsign.sandbox.tls": ("uvicorn", "sandbox"),
    "from medsign.pdf import read_pdf_signatures; read_pdf_signatures(b'')": ("pyhanko", "pdf"),
    "from medsign.telemetry import Telemetry; Telemetry()": ("opentelemetry", "otel"),
    "from medsign.codec.fields import encode_dictionary; encode_dictionary({})": (
        "http_sf",
        "gateway",
    ),
}


@pytest.mark.parametrize("use", ROOMS)
def test_a_room_without_its_extra_says_how_to_install_it(use):
    library, extra = ROOMS[use]
    code = f"import sys; sys.modules[{library!r}] = None\n{use}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    *_, last = done.stderr.splitlines()
    assert last.startswith("medsign.errors.MissingExtra: ")
    assert last.endswith(f"install: pip install 'medsign[{extra}]'")


@pytest.mark.parametrize(
    "error",
    [
        Unavailable("keys of 1.2.3"),
        Unavailable("the engine gost of OpenSSL", "libengine-gost-openssl"),
        MissingExtra("the use of tokens", "pkcs11"),
    ],
)
def test_what_is_not_available_is_told_in_one_language_each(error):
    assert not re.search("[а-я]", str(error))
    known = r"medsign|libengine-gost-openssl|pip install '[^']*'|MS-[A-Z]+"
    assert not re.search("[A-Za-z]", re.sub(known, "", error.diagnostics()))


NOON = datetime(2026, 6, 25, 9, tzinfo=UTC)


def bind_a_card_of_another():
    bindings = CardBindings(MemoryStore(), ManualClock(NOON))
    bindings.bind(CardUid("04A1B2C3D4E5F6"), "patient-1")
    bindings.bind(CardUid("04A1B2C3D4E5F6"), "patient-2")


def resend_with_another_phone():
    ledger = Ledger(MemoryStore(), ManualClock(NOON), "sep")
    for phone in ("+79990000001", "+79990000002"):
        request = httpx.Request("POST", "https://sep.test/documents", json={"phone": phone})
        ledger.open("sep.send", "document-17", request)


@pytest.mark.parametrize(
    ("mistake", "told"),
    [
        (bind_a_card_of_another, "карта уже закреплена за другим человеком"),
        (resend_with_another_phone, "уже отправлен запрос с другими данными"),
        (lambda: make_name([(oids.EMAIL, "тестова@clinic.test")]), "пишется латинскими буквами"),
        (lambda: read(Path("Тестова.sig")), "Файл не читается"),
        (lambda: doctor_actor("99-9", 1), "пишется только цифрами"),
        (lambda: make_name([(oids.INN, "99990000016О")]), "пишутся только цифрами"),
    ],
)
def test_staff_are_told_what_they_did_wrong(mistake, told):
    with pytest.raises(UsageError) as caught:
        mistake()
    said = caught.value.diagnostics()
    assert told in said
    assert said.endswith("(код MS-USAGE)")
    assert "тестова" not in said
    assert not re.search("[а-я]", str(caught.value))


def test_a_file_that_is_gone_is_told_to_staff(tmp_path: Path):
    with pytest.raises(UsageError) as caught:
        Pieces([tmp_path / "Тестова.pdf"])
    assert caught.value.diagnostics().startswith("Файл не читается.")


def test_a_mistake_of_the_program_sends_staff_to_its_developer():
    assert "разработчику" in UsageError("a wrong argument").diagnostics()


@pytest.mark.parametrize(
    "error",
    [
        UsageError("no such shelf", "Такой полки нет."),
        IllegalTransition("lamp", "on", "kick", ["stop"], "Пинать нельзя."),
    ],
)
def test_the_sentence_for_staff_comes_out_of_another_process(error: MedsignError):
    assert pickle.loads(pickle.dumps(error)).diagnostics() == error.diagnostics()


def every_kind(kind: type[MedsignError] = MedsignError) -> Iterator[type[MedsignError]]:
    yield kind
    for narrower in kind.__subclasses__():
        yield from every_kind(narrower)


@pytest.mark.parametrize("kind", sorted(set(every_kind()), key=lambda kind: kind.__name__))
def test_every_kind_of_error_speaks_to_staff_in_whole_sentences(kind: type[MedsignError]):
    for said in filter(None, (kind.russian, kind.remedy)):
        assert re.fullmatch("[А-ЯЁ].*[.]", said)
    assert not re.search("[A-Za-z]", f"{kind.russian}{kind.remedy}".replace("TLS", ""))
