"""``medsign demo``: the training day, shown and written down."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from medsign.cli.day import clinic_day
from medsign.cli.folder import files, write
from medsign.cli.scene import scene
from medsign.cli.terminal import ExitCode, console
from medsign.errors import ConnectFailed, UsageError
from medsign.transport.tls import GostTls


def demo(
    out: Annotated[Path, typer.Option(help="Folder for the results.", file_okay=False)] = Path(
        "medsign-demo"
    ),
    url: Annotated[
        str | None,
        typer.Option(help="A running `medsign sandbox`; by default one is started in process."),
    ] = None,
    ca: Annotated[
        Path | None,
        typer.Option(help="Root of a sandbox with --gost-tls, which is reached by GOST TLS only."),
    ] = None,
) -> int:
    """Live a training day of a clinic through in a sandbox.

    A doctor gets a certificate and a power of attorney (МЧД), a patient signs a consent, the
    doctor signs a protocol, everything is verified with OCSP and time stamps. Certificates,
    documents, signatures, evidence and reports are written into the folder, and CHECK.md has the
    OpenSSL commands that check them without medsign. Nothing real is contacted.
    """
    screen = console()
    if ca and not url:
        raise UsageError(
            "--ca goes with --url",
            "Корень (--ca) нужен песочнице другого процесса: укажите и её адрес, --url.",
        )
    tls = GostTls(trust=ca) if ca else None
    with (
        _hinted(url, tls),
        scene(url, tls=tls) as place,
        screen.status("Учебный день клиники…") as running,
    ):

        def tell(step: str) -> None:
            screen.print(f"[green]✓[/] {escape(step)}")
            running.update("Работаю…")

        day = clinic_day(place, tell)
        contents = files(day, place)
    try:
        write(out, contents)
    except OSError as error:
        raise UsageError(
            f"cannot write the folder: {type(error).__name__}",
            "Папка недоступна для записи. Выберите другую.",
        ) from None
    screen.print(f"\nРезультаты: {escape(str(out))} (файлов: {len(contents)})")
    screen.print(f"Заключение: {escape(str(out / 'report.html'))}")
    screen.print(f"Проверить без medsign, командами OpenSSL: {escape(str(out / 'CHECK.md'))}")
    return ExitCode.PASSED


@contextmanager
def _hinted(url: str | None, tls: GostTls | None) -> Generator[None]:
    """Say what a sandbox at https: needs when it does not answer to ordinary TLS."""
    try:
        yield
    except ConnectFailed:
        if tls or not url or not url.startswith("https:"):
            raise
        console(stderr=True).print(
            "По адресу https: отвечает песочница, запущенная с --gost-tls: "
            "укажите файл её корня, --ca ФАЙЛ."
        )
        raise
