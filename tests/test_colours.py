"""Blocking and async code get the same services: names, parameters, types, words."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator

import httpx
import pytest

from medsign import AsyncMedSign, MedSign
from medsign.ca import AsyncCa, Ca
from medsign.ca.cryptopro import AsyncCryptoProPortal, CryptoProPortal
from medsign.cms.client import AsyncPki, Pki
from medsign.cms.context import PkiContext
from medsign.ekp import AsyncEkp, Ekp
from medsign.exchange import AsyncDriver, AsyncService, Context, Driver, Service
from medsign.mchd import AsyncMchd, Mchd
from medsign.sep import AsyncSep, Sep

PAIRS = [
    (Ca, AsyncCa),
    (CryptoProPortal, AsyncCryptoProPortal),
    (Mchd, AsyncMchd),
    (Sep, AsyncSep),
    (Ekp, AsyncEkp),
    (Pki, AsyncPki),
]


def children(kind: type) -> Iterator[type]:
    for child in kind.__subclasses__():
        yield child
        yield from children(child)


def methods(thing: object) -> dict[str, tuple[inspect.Signature, str | None]]:
    found = ((name, getattr(thing, name)) for name in dir(thing) if not name.startswith("_"))
    return {name: (inspect.signature(one), one.__doc__) for name, one in found if callable(one)}


def test_every_service_of_medsign_has_its_twin():
    own = {
        kind
        for root in (Service, AsyncService)
        for kind in children(root)
        if getattr(sys.modules[kind.__module__], kind.__name__, None) is kind
        and kind.__module__.startswith("medsign.")
    }
    assert own == {kind for pair in PAIRS for kind in pair}


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair[0].__name__)
def test_twins_have_the_same_operations_with_the_same_parameters_and_words(pair):
    context = (PkiContext if pair[0] is Pki else Context)(service="x", base_url="https://x.test")
    blocking, other = pair
    with httpx.Client() as http:
        one = methods(blocking(context, Driver(http)))
    two = methods(other(context, AsyncDriver(httpx.AsyncClient())))
    assert one == two
    assert all(words for _, words in one.values())


def test_both_windows_offer_the_same():
    def offered(window: type) -> set[str]:
        return {name for name in dir(window) if not name.startswith("_")} - {"close", "aclose"}

    assert offered(MedSign) == offered(AsyncMedSign)


def test_both_windows_are_opened_alike():
    one, two = (inspect.signature(window).parameters for window in (MedSign, AsyncMedSign))
    assert list(one) == list(two)
    assert [each.kind for each in one.values()] == [each.kind for each in two.values()]
    assert [each for each in one if (one[each].default is inspect.Parameter.empty)] == ["config"]
