"""What the rules of the doctor's cabinet find."""

from __future__ import annotations

import attrs


@attrs.frozen(kw_only=True)
class Finding:
    """One thing to correct.

    Attributes:
        code: Stable code such as ``file.size``.
        path: Which document or field, in Russian, without its value.
        message: What is wrong, in Russian, without values.
    """

    code: str
    path: str
    message: str

    @property
    def quoted(self) -> str:
        """The message as the cabinet shows it, in French quotes (F401)."""
        return f"«{self.message}»"
