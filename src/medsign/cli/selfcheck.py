"""``medsign selfcheck``: what this machine can do, and what to install for the rest."""

from __future__ import annotations

import _ssl
import os
import platform
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import attrs
import typer
from rich.markup import escape

from medsign.cli.folder import OPENSSL_CONF
from medsign.cli.terminal import ExitCode, console, print_json
from medsign.clock import SystemClock
from medsign.codec import json
from medsign.errors import Unavailable
from medsign.gost import DigestAlgorithm, PortableProvider, digest, provider_reports, self_test
from medsign.signers import SoftwareKey
from medsign.transport.tls import Way, way_reports

_EXTRAS = {
    "sandbox": ("pypdf", "starlette", "uvicorn"),
    "cli": ("rich", "typer"),
    "rsa": ("cryptography",),
    "pdf": ("pyhanko",),
    "pkcs11": ("pkcs11",),
    "gateway": ("http_sf",),
    "otel": ("opentelemetry",),
}
_ENGINE = "apt install libengine-gost-openssl"
_MEBIBYTE = 1 << 20
_MAPS = "import _ssl; print(open('/proc/self/maps').read())"
_WAYS = {
    Way.PYTHON: "ГОСТ TLS, способ 1: OpenSSL из Python с движком gost",
    Way.SYSTEM: "ГОСТ TLS, способ 2: libssl системы с движком gost",
}
_GATEWAYS = ("stunnel", "stunnel4", "nginx")


@attrs.frozen(kw_only=True)
class Ability:
    """Something that a machine can do or not.

    Attributes:
        key: Its name for a program.
        label: Its name for people, in Russian.
        there: Whether it can.
        detail: A version or a speed.
        needed: Whether medsign does not work without it.
        install: What brings it, when it is not there.
    """

    key: str
    label: str
    there: bool
    detail: str = ""
    needed: bool = False
    install: str = ""


def selfcheck(
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> int:
    """Show which GOST providers, engines and TLS abilities this machine has.

    Nothing is sent anywhere. Exit code 1: something is missing without which medsign does not
    work; what is optional only says what to install.
    """
    found = tuple(abilities())
    works = all(each.there for each in found if each.needed)
    if as_json:
        print_json({"works": works, "abilities": [json.unstructure(each) for each in found]})
        return ExitCode.PASSED if works else ExitCode.FAILED
    screen = console()
    for each in found:
        mark = "[green]есть[/]" if each.there else "[yellow]нет [/]"
        hint = f"; установить: {each.install}" if each.install and not each.there else ""
        detail = f": {each.detail}" if each.detail else ""
        screen.print(f"{mark}  {escape(each.label + detail + hint)}")
    screen.print("medsign работает." if works else "[red]medsign здесь не работает.[/]")
    return ExitCode.PASSED if works else ExitCode.FAILED


def abilities() -> Iterator[Ability]:
    """Yield what this machine can do."""
    python = f"{platform.python_version()} {platform.machine()}"
    yield Ability(key="python", label="Python", there=True, detail=python)
    yield _portable()
    yield from _openssl_of_python()
    yield from _openssl_program()
    yield from _gost_tls()
    yield Ability(
        key="gnutls",
        label="Программа GnuTLS",
        there=shutil.which("gnutls-cli") is not None,
        install="apt install gnutls-bin",
    )
    for provider in provider_reports():
        if provider.name != "portable":
            curves = len(provider.param_sets)
            yield Ability(
                key=f"provider.{provider.name}",
                label=f"Провайдер ГОСТ {provider.name}",
                there=provider.ok,
                detail=provider.reason or (f"хэш, кривых {curves}" if curves else "хэш"),
                install=provider.install,
            )
    for extra, modules in _EXTRAS.items():
        yield Ability(
            key=f"extra.{extra}",
            label=f"Дополнение medsign[{extra}]",
            there=all(find_spec(module) for module in modules),
            install=f"pip install 'medsign[{extra}]'",
        )


def _portable() -> Ability:
    label = "Встроенный провайдер ГОСТ (самопроверка по опубликованным примерам)"
    provider, clock = PortableProvider(), SystemClock()
    try:
        self_test(provider)
    except Unavailable as failure:
        detail = str(failure)
        return Ability(
            key="portable", label=label, there=False, needed=True, detail=detail,
            install=failure.install,
        )  # fmt: skip
    key = SoftwareKey.generate(provider=provider)
    start = clock.monotonic()
    key.sign_digest(bytes(32))
    signed = clock.monotonic()
    digest(DigestAlgorithm.STREEBOG_256, bytes(_MEBIBYTE // 8), provider=provider)
    hashed = clock.monotonic()
    speed = f"подпись {(signed - start) * 1000:.0f} мс, хэш {1 / 8 / (hashed - signed):.1f} МиБ/с"
    return Ability(key="portable", label=label, there=True, needed=True, detail=speed)


def _openssl_of_python() -> Iterator[Ability]:
    yield Ability(key="ssl", label="OpenSSL в Python", there=True, detail=ssl.OPENSSL_VERSION)
    yield Ability(key="tls13", label="TLS 1.3 в Python", there=ssl.HAS_TLSv1_3)
    yield Ability(
        key="ssl.shared",
        label="OpenSSL подключён к Python отдельной библиотекой (нужно для движков ГОСТ)",
        there=_shares_openssl(),
        install="Python дистрибутива: в сборках uv OpenSSL вшит внутрь",
    )


def _shares_openssl() -> bool:
    # In this process others may have loaded one; a new one has mapped what `_ssl` needs, no more.
    maps = _answer(sys.executable, "-ISc", _MAPS) if sys.executable else ""
    if maps:
        return maps_openssl(maps)
    # An `_ssl` without a file is built into the program.
    return imports_openssl(Path(getattr(_ssl, "__file__", os.devnull)).read_bytes())


def maps_openssl(maps: str) -> bool:
    """Tell from a process's map of memory (proc(5)) whether it has a libcrypto of its own file."""
    return any(re.search(r"/libcrypto[^/]*\.so[^/]*$", line) for line in maps.splitlines())


def imports_openssl(extension: bytes) -> bool:
    """Tell from the file of an extension whether it asks the linker for a libcrypto."""
    return re.search(rb"libcrypto[\w.-]*\.(dll|dylib|so)[.\d]*\0", extension) is not None


def _openssl_program() -> Iterator[Ability]:
    program = shutil.which("openssl")
    version = _answer(program, "version")
    yield Ability(
        key="openssl",
        label="Программа OpenSSL",
        there=bool(version),
        detail=version,
        install="apt install openssl",
    )
    yield Ability(
        key="engine.gost",
        label="Движок gost для OpenSSL",
        there="gost" in _answer(program, "engine", "gost"),
        install=_ENGINE,
    )
    yield Ability(
        key="gostprov",
        label="Провайдер gostprov для OpenSSL 3 и 4",
        there="gost" in _answer(program, "list", "-providers", "-provider", "gostprov"),
        install=f"{_ENGINE} (в Debian 12 провайдер входит в этот пакет)",
    )
    yield Ability(
        key="tls.gost",
        label="Наборы шифров ГОСТ 2012 в программе OpenSSL",
        there="GOST2012" in _answer(program, "ciphers", configuration=OPENSSL_CONF),
        install=_ENGINE,
    )


def _gost_tls() -> Iterator[Ability]:
    for report in way_reports():
        yield Ability(
            key=f"tls.gost.{report.way}",
            label=_WAYS[report.way],
            there=report.works,
            detail=report.reason,
            install=report.install,
        )
    yield Ability(
        key="tls.gost.gateway",
        label="ГОСТ TLS, способ 3: местный шлюз (stunnel или nginx с движком gost)",
        there=any(map(shutil.which, _GATEWAYS)),
        install="apt install stunnel4 libengine-gost-openssl",
    )


def _answer(program: str | None, *arguments: str, configuration: str = "") -> str:
    """Return what OpenSSL prints, nothing when it fails."""
    if program is None:
        return ""
    with tempfile.TemporaryDirectory() as folder:
        environment = dict(os.environ)
        if configuration:
            file = Path(folder) / "openssl.cnf"
            file.write_text(configuration)
            environment["OPENSSL_CONF"] = str(file)
        try:
            done = subprocess.run(  # noqa: S603 - a fixed question, no input of anybody
                [program, *arguments],
                capture_output=True,
                env=environment,
                text=True,
                errors="replace",
                timeout=15,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired):
            return ""
    return done.stdout.strip() if done.returncode == 0 else ""
