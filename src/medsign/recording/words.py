"""The words of the services' contracts: a recording shows them, for they are nobody's data."""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from types import ModuleType

import medsign.ca.cryptopro
import medsign.ca.models
import medsign.ca.status
import medsign.ekp.models
import medsign.ekp.status
import medsign.mchd.model.codes
import medsign.mchd.registry
import medsign.mchd.status
import medsign.sep.models
import medsign.sep.status
from medsign.status import StatusModel

_CONTRACTS = (
    medsign.ca.cryptopro,
    medsign.ca.models,
    medsign.ca.status,
    medsign.ekp.models,
    medsign.ekp.status,
    medsign.mchd.model.codes,
    medsign.mchd.registry,
    medsign.mchd.status,
    medsign.sep.models,
    medsign.sep.status,
)


@cache
def contract_words() -> frozenset[str]:
    """Return the values of all enumerations and the texts of all states.

    Example:
        >>> "SIGNED" in contract_words(), "Тестова" in contract_words()
        (True, False)
    """
    return frozenset(word for module in _CONTRACTS for word in _words(module))


def _words(module: ModuleType) -> Iterator[str]:
    for thing in vars(module).values():
        if isinstance(thing, type) and issubclass(thing, StrEnum):
            yield from map(str, thing)
        elif isinstance(thing, StatusModel):
            for state in thing.states.values():
                yield from (state.code, state.label, *state.aliases)
