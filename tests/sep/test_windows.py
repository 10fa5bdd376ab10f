"""Several windows of one clinic at work beside each other."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import attrs
import pytest

from medsign import Config, MedSign
from medsign.sandbox import Sandbox
from medsign.sep import Document, Package


@pytest.mark.req("F116")
@pytest.mark.parametrize("windows", [1, 2, 4])
def test_windows_added_beside_each_other_send_each_document_once(
    windows: int, package: Package, document: Callable[..., Document], tmp_path: Path
):
    numbers = [f"d{number}" for number in range(8)]
    package = attrs.evolve(package, documents=tuple(map(document, numbers)))
    with Sandbox() as sandbox, sandbox.connect() as first:
        settings = Config(services=first.config.services, store=tmp_path / "journal.db")

        def work(_: int) -> bool:
            with MedSign(settings, transport=sandbox.transport(), clock=sandbox.clock) as window:
                return window.sep.send_all(package).complete

        with ThreadPoolExecutor(windows) as pool:
            assert all(pool.map(work, range(windows)))
        assert sorted(row.document for row in first.sep.documents()) == numbers
