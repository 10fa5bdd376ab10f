"""Stores: streams of events that are only ever appended to."""

from medsign.status.journal import JSON, NewEvent, StoredEvent
from medsign.store.memory import MemoryStore
from medsign.store.port import Store
from medsign.store.sqlite import SqliteStore

__all__ = ["JSON", "MemoryStore", "NewEvent", "SqliteStore", "Store", "StoredEvent"]
