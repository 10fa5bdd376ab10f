from __future__ import annotations

import functools

import pytest

from medsign.store import MemoryStore, SqliteStore
from medsign.testing.store_conformance import DurableStoreConformance, StoreConformance


class TestMemoryStore(StoreConformance):
    @pytest.fixture
    def open_store(self):
        return MemoryStore


class TestSqliteStore(DurableStoreConformance):
    @pytest.fixture
    def open_store(self, tmp_path):
        return functools.partial(SqliteStore, tmp_path / "journal.db")
