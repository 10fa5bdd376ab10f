"""What validation finds, and how strictly disputed rules are read."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import attrs


class Severity(StrEnum):
    """How much a finding weighs."""

    ERROR = "error"
    WARNING = "warning"


@attrs.frozen(kw_only=True)
class Finding:
    """One fault of a document.

    Attributes:
        code: Stable code ``layer.rule``, for instance ``structure.missing``.
        severity: Whether the registry refuses the document for it.
        path: For instance ``Доверенность/Документ/Довер/СвУпПред[1]/Пред/СведФизЛ/@ИННФЛ``;
            empty when the file as a whole is meant.
        message: What is wrong, in Russian, without values of the document.
    """

    code: str
    severity: Severity
    path: str
    message: str


@attrs.frozen(kw_only=True)
class Profile:
    """A reading of the rules on which sources disagree.

    Args:
        name: Name of the reading.
        severities: Severity by code of finding, `None` to leave the rule out; codes that are not
            listed keep the severity of the rule.
    """

    name: str
    severities: Mapping[str, Severity | None]

    def severity(self, code: str, usual: Severity) -> Severity | None:
        """Return how a finding of the code weighs here."""
        return self.severities.get(code, usual)


RELAXED = Profile(name="паспорт представителя по желанию", severities={})
"""The later reading (2026): the passport of the representative may be left out."""

STRICT = Profile(
    name="паспорт представителя обязателен",
    severities={"rule.identity": Severity.ERROR, "rule.identity_issuer": Severity.ERROR},
)
"""The earlier reading (2025): the registry demands the passport of the representative."""
