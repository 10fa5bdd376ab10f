"""Nothing expires unnoticed: certificates, their keys, powers of attorney (F103, F180)."""

from medsign.watch.expiry import THRESHOLDS, Expiry, Level, Watched, expiring
from medsign.watch.letters import letter
from medsign.watch.notices import WORDINGS, Notice, Wording, notice
from medsign.watch.rounds import Notifier, Round, Watch

__all__ = [
    "THRESHOLDS",
    "WORDINGS",
    "Expiry",
    "Level",
    "Notice",
    "Notifier",
    "Round",
    "Watch",
    "Watched",
    "Wording",
    "expiring",
    "letter",
    "notice",
]
