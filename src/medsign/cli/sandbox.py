"""``medsign sandbox``: the fake world over HTTP."""

from __future__ import annotations

import signal
import socket
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import Annotated, NoReturn

import typer
import uvicorn
from rich.markup import escape

from medsign.cli.terminal import ExitCode, console
from medsign.errors import UsageError
from medsign.sandbox import Sandbox
from medsign.sandbox.http import server
from medsign.sandbox.tls import gost_server, root_pem
from medsign.sandbox.tls import gost_tls as certified


def sandbox(
    port: Annotated[int, typer.Option(help="Port; 0 for any free one.", min=0, max=65535)] = 8765,
    host: Annotated[str, typer.Option(help="Address to listen on; keep it local.")] = "127.0.0.1",
    store: Annotated[
        Path | None, typer.Option(help="File in which the world survives a restart.")
    ] = None,
    *,
    gost_tls: Annotated[
        bool, typer.Option("--gost-tls", help="Speak GOST TLS with a certificate of the sandbox.")
    ] = False,
    ca: Annotated[
        Path, typer.Option(help="Where --gost-tls writes the root for its clients.")
    ] = Path("medsign-sandbox-root.pem"),
) -> int:
    """Serve the sandbox until Ctrl-C: УЦ, OCSP, TSP, МЧД registry, СЭП, ЕКП.

    People, keys and certificates are invented, and nobody outside trusts its root. It knows no
    secrets and has no protection, so it stays on this machine by default.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listening = socket.create_server((host, port), family=family)
    except OSError as error:
        raise UsageError(
            f"cannot listen on port {port}: {error.strerror}",
            "Порт занят или недоступен. Выберите другой: --port.",
        ) from None
    # asyncio does it for sockets that it opens itself; without it each answer waits 40 ms.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with listening:
        shown = f"[{host}]" if ":" in host else host
        scheme = "https" if gost_tls else "http"
        url = f"{scheme}://{shown}:{listening.getsockname()[1]}"
        with Sandbox(base_url=url, path=store) as world:
            serving = _protected(world, host, ca) if gost_tls else server(world, host=host)
            _introduce(url, store, ca if gost_tls else None)
            # The server finishes its work on a signal and then passes the signal on to us.
            signal.signal(signal.SIGTERM, _interrupt)
            with suppress(KeyboardInterrupt):
                serving.run(sockets=[listening])
    console().print("Песочница остановлена.")
    return ExitCode.PASSED


def _protected(world: Sandbox, host: str, ca: Path) -> uvicorn.Server:
    try:
        ca.write_bytes(root_pem(world))
    except OSError as error:
        raise UsageError(
            f"cannot write the root: {type(error).__name__}",
            "Корневой сертификат не записать сюда. Выберите другое место.",
        ) from None
    return gost_server(world, certified(world, host, "localhost"), host=host)


def _interrupt(_: int, __: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _introduce(url: str, store: Path | None, ca: Path | None) -> None:
    screen = console()
    kept = f"сохраняется в {store}" if store else "живёт до остановки"
    screen.print(f"Песочница: [bold]{escape(url)}[/] ({escape(kept)})")
    trust = f" --ca {ca}" if ca else ""
    screen.print(f"Учебный день:     medsign demo --url {escape(url + trust)}")
    screen.print(f"Описание API:     {escape(url)}/openapi.json")
    screen.print(f"Адреса и токены:  {escape(url)}/_sandbox/world")
    screen.print(f"Отправленные SMS: {escape(url)}/_sandbox/outbox")
    screen.print("Остановить: Ctrl-C")
