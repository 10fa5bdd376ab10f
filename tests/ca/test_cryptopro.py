"""КриптоПро УЦ 2.0: from registration to installation, and its refusals."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from tests.persons import ANNA_NAME

from medsign.ca import Authority
from medsign.ca.cryptopro import PORTAL_STATUS, CryptoProPortal, PortalState, portal_context
from medsign.clock import ManualClock
from medsign.codec.asn1 import make_name, oids
from medsign.errors import ApiError, InvalidDocument, TimedOut
from medsign.exchange import Driver
from medsign.pki.issuing import make_request
from medsign.pki.profile import is_qualified_profile
from medsign.sandbox import Fault, FaultKind, Sandbox
from medsign.sandbox.cryptopro import CryptoProService
from medsign.sandbox.pki import Pki
from medsign.signers import SoftwareKey

STEP = timedelta(seconds=10)


@pytest.fixture
def sandbox():
    clock = ManualClock(datetime(2026, 7, 1, 9, tzinfo=UTC))
    with Sandbox([CryptoProService], clock=clock) as sandbox:
        yield sandbox


@pytest.fixture
def portal(sandbox):
    """Return `portal(registration=None)`: the client, anonymous or of a registered user."""
    clients = []

    def open_portal(registration=None):
        http = httpx.Client(transport=sandbox.transport())
        clients.append(http)
        context = portal_context(
            base_url=f"{sandbox.base_url}/ui/api",
            token=registration.token if registration else "",
            password=registration.password if registration else "",
            clock=sandbox.clock,
        )
        return CryptoProPortal(context, Driver(http, clock=sandbox.clock, sleep=sandbox.sleep))

    yield open_portal
    for client in clients:
        client.close()


@pytest.fixture
def user(portal, sandbox):
    """Return the client of a user whose registration the operator has accepted."""
    anonymous = portal()
    registration = anonymous.register("qualified", anonymous.name_fields("qualified"), ANNA_NAME)
    sandbox.clock.advance(STEP)
    return portal(registration)


def pkcs10(key, **changes):
    return make_request(make_name((ANNA_NAME | changes).items()), key).der


@pytest.mark.req("F109", "F135", "F136", "F153")
def test_a_user_registers_and_gets_a_qualified_certificate(user, sandbox):
    assert user.registration("qualified").status.label == "Принят оператором"
    assert user.profile().name == ANNA_NAME
    key = SoftwareKey.generate()
    number = user.send_key(pkcs10(key)).id
    letters = []
    for _ in range(4):
        letters.append(user.key_request(number).state)
        sandbox.clock.advance(STEP)
    assert letters == ["Q", "A", "P", "C"]
    certificate = user.download(number)
    assert key.certified(certificate)
    assert is_qualified_profile(certificate)
    assert user.acknowledge(number).status.terminal
    assert user.acknowledge(number).state == PortalState.ACKNOWLEDGED


def test_the_repr_of_a_profile_shows_nobody(user):
    assert repr(user.profile()) == "Profile()"


@pytest.mark.req("F110")
def test_the_other_folder_issues_for_unqualified_signatures(portal, sandbox):
    anonymous = portal()
    registration = anonymous.register(
        "unqualified", anonymous.name_fields("unqualified"), ANNA_NAME
    )
    user = portal(registration)
    sandbox.clock.advance(STEP)
    number = user.send_key(pkcs10(SoftwareKey.generate())).id
    sandbox.clock.advance(3 * STEP)
    assert not is_qualified_profile(user.download(number))


@pytest.mark.parametrize(
    "oid, value, why",
    [
        (oids.SURNAME, "", "поле обязательно"),
        (oids.SNILS, "99900000116", "контрольные цифры не сходятся"),
        (oids.COUNTRY, "BY", "значение нельзя изменить"),
        (oids.STATE, "Луна", "значения нет в списке"),
        (oids.TITLE, "Врач", "такого поля в этой папке нет"),
    ],
)
def test_a_value_against_the_rules_of_the_folder_is_not_sent(portal, oid, value, why):
    anonymous = portal()
    with pytest.raises(InvalidDocument) as error:
        anonymous.register(
            "qualified", anonymous.name_fields("qualified"), ANNA_NAME | {oid: value}
        )
    assert error.value.problems == ((oid, why),)


@pytest.mark.parametrize(
    "changes, named",
    [
        ({oids.SURNAME: ""}, "Фамилия"),
        ({oids.SNILS: "12345678900"}, "СНИЛС"),
        ({oids.INN: "000000000000"}, "ИНН"),
        ({oids.COUNTRY: "US"}, "Страна"),
        ({oids.STATE: "Атлантида"}, "Регион"),
        ({oids.TITLE: "Врач"}, oids.TITLE),
    ],
)
def test_the_portal_judges_a_name_itself(sandbox, changes, named):
    pairs = [{oid: value} for oid, value in (ANNA_NAME | changes).items()]
    with httpx.Client(transport=sandbox.transport()) as http:
        answer = http.post(
            f"{sandbox.base_url}/ui/api/qualified/regrequest", json={"OidArray": pairs}
        )
    assert (answer.status_code, answer.json()["code"]) == (422, "attribute-invalid")
    assert named in answer.text


def test_a_value_that_may_not_be_changed_need_not_be_given(portal, sandbox):
    anonymous = portal()
    values = {oid: value for oid, value in ANNA_NAME.items() if oid != oids.COUNTRY}
    fields = anonymous.name_fields("qualified")
    user = portal(anonymous.register("qualified", fields, values))
    assert user.profile().name == ANNA_NAME


def test_a_certificate_begins_when_it_was_issued(user, sandbox):
    number = user.send_key(pkcs10(SoftwareKey.generate())).id
    issued_at = sandbox.clock.now() + 3 * STEP
    sandbox.clock.advance(timedelta(days=3))
    assert user.key_request(number).state == PortalState.COMPLETE
    assert user.download(number).not_before == issued_at


@pytest.mark.parametrize("waiting", [timedelta(0), 3 * STEP])
def test_a_key_is_not_asked_for_twice(user, sandbox, waiting):
    key = SoftwareKey.generate()
    number = user.send_key(pkcs10(key)).id
    sandbox.clock.advance(waiting)
    user.key_request(number)
    assert refused(user.send_key, pkcs10(key)) == "key-reused"


def test_a_key_of_a_rejected_request_may_be_sent_again(user, sandbox):
    key = SoftwareKey.generate()
    number = user.send_key(pkcs10(key)).id
    with httpx.Client(transport=sandbox.transport()) as http:
        http.post(f"{sandbox.base_url}/ui/office/certrequest/{number}/rejection")
    assert user.send_key(pkcs10(key)).state == PortalState.QUEUED


def test_a_key_that_was_certified_elsewhere_meanwhile_is_denied(user, sandbox):
    key = SoftwareKey.generate()
    number = user.send_key(pkcs10(key)).id
    pki = sandbox.world.part(Pki)
    pki.issue(Authority.COMMERCIAL, make_name(ANNA_NAME.items()), key.public_key)
    sandbox.clock.advance(3 * STEP)
    assert user.key_request(number).state == PortalState.DENIED


def test_a_registration_that_got_no_answer_is_not_repeated(portal, sandbox):
    anonymous = portal()
    fields = anonymous.name_fields("qualified")
    sandbox.world.faults.add(Fault(kind=FaultKind.TIMEOUT, match="cryptopro.register"))
    with pytest.raises(TimedOut):
        anonymous.register("qualified", fields, ANNA_NAME)
    assert len(sandbox.world.tokens.of("cryptopro")) == 2  # the clinic's own and one user's


def refused(call, *args) -> str:
    with pytest.raises(ApiError) as error:
        call(*args)
    return error.value.problem


def test_a_key_is_not_taken_before_the_registration_is_accepted(portal):
    anonymous = portal()
    user = portal(anonymous.register("qualified", anonymous.name_fields("qualified"), ANNA_NAME))
    assert refused(user.send_key, pkcs10(SoftwareKey.generate())) == "registration-queued"


def test_a_key_of_another_name_is_refused(user):
    forged = pkcs10(SoftwareKey.generate(), **{oids.SURNAME: "Образцова"})
    assert refused(user.send_key, forged) == "subject-differs"


def test_a_rejected_request_has_no_certificate(user, sandbox):
    number = user.send_key(pkcs10(SoftwareKey.generate())).id
    with httpx.Client(transport=sandbox.transport()) as http:
        http.post(f"{sandbox.base_url}/ui/office/certrequest/{number}/rejection")
    sandbox.clock.advance(5 * STEP)
    assert user.key_request(number).state == PortalState.REJECTED
    assert refused(user.download, number) == "certificate-not-ready"
    assert refused(user.acknowledge, number) == "illegal-transition"


def test_a_stranger_sees_no_request(user, portal, sandbox):
    number = user.send_key(pkcs10(SoftwareKey.generate())).id
    anonymous = portal()
    other = portal(anonymous.register("qualified", anonymous.name_fields("qualified"), ANNA_NAME))
    assert refused(other.key_request, number) == "request-not-found"
    with pytest.raises(ApiError) as error:
        anonymous.key_request(number)
    assert error.value.status == 401


def test_every_letter_has_its_state():
    assert set(PORTAL_STATUS.states) == set(PortalState)
