"""What the errors say, and in which language."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from medsign.errors import MissingExtra, Unavailable

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
