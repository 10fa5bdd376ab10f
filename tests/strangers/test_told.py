"""The page on compatibility tells every disagreement that the tests know."""

from __future__ import annotations

from pathlib import Path

from . import test_foreign_chains, test_limbo

PAGE = Path(__file__).parents[2] / "docs" / "compatibility.md"


def test_every_disagreement_is_told():
    told = PAGE.read_text(encoding="utf-8")
    tables = (
        test_limbo.CERTVALIDATOR,
        test_limbo.BOUNCY_CASTLE,
        test_foreign_chains.CERTVALIDATOR,
        test_foreign_chains.CRYPTOGRAPHY,
    )
    assert [key for table in tables for key in table if f"`{key}`" not in told] == []
