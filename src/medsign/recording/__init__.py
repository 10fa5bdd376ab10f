"""What passes on the wire as a file: recorded without anybody's data, and played back (F123)."""

from medsign.recording.har import Har
from medsign.recording.masks import Masks
from medsign.recording.recorder import Recorder
from medsign.recording.replay import Replay
from medsign.recording.words import contract_words

__all__ = ["Har", "Masks", "Recorder", "Replay", "contract_words"]
