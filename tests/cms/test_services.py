"""What goes along to the services of the settings, and what does not."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest

from medsign.cms import DEFAULT, Evidence
from medsign.cms.context import PkiContext
from medsign.cms.services import gathered
from medsign.exchange import Driver
from medsign.transport import Token

NOON = datetime(2026, 7, 1, 9, tzinfo=UTC)
OWN = "https://pki.clinic.test"


@pytest.mark.parametrize(
    "url, fields",
    [
        (f"{OWN}/lists/ca.crl", {"authorization", "x-clinic"}),
        ("http://pki.clinic.test/lists/ca.crl", set()),
        ("https://pki.clinic.test:8443/lists/ca.crl", set()),
        ("http://crl.authority.test/ca.crl", set()),
    ],
)
def test_the_token_of_the_clinic_goes_to_its_own_host_alone(url, fields):
    seen: list[set[str]] = []

    def serve(request: httpx.Request) -> httpx.Response:
        seen.append(set(request.headers) & {"authorization", "x-clinic"})
        return httpx.Response(404)

    context = PkiContext(
        service="pki",
        base_url=OWN,
        auth=Token("Bearer", "secret"),
        headers={"X-Clinic": "999"},
        crl_urls=(url,),
    )
    with httpx.Client(transport=httpx.MockTransport(serve)) as http:
        Driver(http).run(gathered(context, Evidence(signature=b""), DEFAULT, NOON))
    assert seen == [fields]
