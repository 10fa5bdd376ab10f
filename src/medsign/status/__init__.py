"""Status models: a table per process, a journal per entity."""

from medsign.status.journal import JSON, Entry, EventLog, Journal, NewEvent, StoredEvent
from medsign.status.labels import Labelled
from medsign.status.model import State, StatusModel, UnknownStatus, fold
from medsign.status.routes import signing_route
from medsign.status.terms import FIXED_HOLIDAYS, Calendar, Term, WorkingDays
from medsign.status.tracker import StateChanged, Tracker

__all__ = [
    "FIXED_HOLIDAYS",
    "JSON",
    "Calendar",
    "Entry",
    "EventLog",
    "Journal",
    "Labelled",
    "NewEvent",
    "State",
    "StateChanged",
    "StatusModel",
    "StoredEvent",
    "Term",
    "Tracker",
    "UnknownStatus",
    "WorkingDays",
    "fold",
    "signing_route",
]
