"""The whole way of a request in three colours, and the refusals on it."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import attrs
import httpx
import pytest

from medsign.ca import (
    REQUIRED_DOCUMENTS,
    SCENARIOS,
    ApplicantKind,
    Authority,
    Ca,
    Carrier,
    CertificateKind,
    CheckState,
    Correction,
    DocumentKind,
    EsiaState,
    Order,
    RequestState,
    RevocationReason,
    Scenario,
    ca_context,
)
from medsign.clock import ManualClock
from medsign.cms.sign import sign
from medsign.errors import ApiError, InvalidDocument, UsageError
from medsign.exchange import Driver
from medsign.identifiers import Snils
from medsign.pki.profile import holder_of, is_qualified_profile
from medsign.sandbox import Fault, FaultKind, Sandbox
from medsign.sandbox.ca import CaService
from medsign.sandbox.pki import Pki
from medsign.signers import SoftwareKey


@pytest.fixture
def issued(ca, office, order, files):
    """Return `issued(new) -> request`: a certificate issued after a visit."""

    def make(new, extra=()):
        request = ca.apply(new, {**files, **dict.fromkeys(extra, b"%PDF-")})
        request = ca.wait(request.id)
        ca.identify(request.id, Scenario.AT_CA)
        office("visit", request.id)
        if request.authority is Authority.COMMERCIAL:
            office("payment", request.id)
        return ca.wait(request.id)

    return make


@pytest.fixture
def signer(ca, issued, order):
    """Return the key of a worker with a certificate that the УЦ issued on request."""
    key = SoftwareKey.generate()
    request = issued(order(key=key))
    return key.certified(ca.download(request.id))


def refused(call, *args, **kwargs) -> str:
    with pytest.raises(ApiError) as error:
        call(*args, **kwargs)
    return error.value.problem


@pytest.mark.req("F019", "F058", "F065", "F095", "F099", "F100")
@pytest.mark.req("F125", "F128", "F129", "F130", "F133", "F142", "F143", "F163", "F164")
@pytest.mark.req("F002", "F091", "F092", "F094", "F160")
@pytest.mark.req("F004", "F090", "F124", "F140", "F155", "F162", "F165", "F456")
def test_a_worker_gets_a_qualified_certificate(ca, office, order, files, anna, sandbox):
    key = SoftwareKey.generate()
    request = ca.create(order(key=key))
    assert (request.authority, request.status.label) == (Authority.COMMERCIAL, "Черновик")
    assert request.missing == (DocumentKind.PASSPORT, DocumentKind.STATEMENT)
    for kind, scan in files.items():
        request = ca.upload(request.id, kind, scan)
    assert request.missing == ()
    assert ca.submit(request.id).state == RequestState.DOCUMENTS_CHECK
    sandbox.clock.advance(timedelta(seconds=12))
    assert {check.state for check in ca.get(request.id).checks} == {CheckState.QUEUED}
    request = ca.wait(request.id)
    assert request.state == RequestState.IDENTIFICATION
    assert all(check.status.success for check in request.checks)
    assert ca.identify(request.id, Scenario.PARTNER).identification.instructions
    office("visit", request.id)
    request = ca.get(request.id)
    assert (request.state, request.invoice.paid_at) == (RequestState.PAYMENT, None)
    office("payment", request.id)
    request = ca.wait(request.id)
    assert (request.state, request.esia) == (RequestState.ISSUED, EsiaState.VALIDATING)
    assert request.invoice.closing_document
    certificate = ca.download(request.id)
    assert key.certified(certificate)
    assert request.serial_number == f"{certificate.serial_number:x}"
    assert is_qualified_profile(certificate)
    assert (holder_of(certificate).snils, holder_of(certificate).kind) == (
        anna.snils.value,
        "person",
    )
    assert ca.install(request.id, Carrier.TOKEN).status.terminal
    sandbox.clock.advance(timedelta(minutes=2))
    assert ca.get(request.id).esia_status.success


@pytest.mark.req("F001", "F016", "F131")
def test_a_head_gets_a_certificate_from_the_tax_service_free_of_charge(
    ca, office, order, files, head
):
    request = ca.apply(order(head, ApplicantKind.HEAD), {**files, DocumentKind.EGRUL: b"%PDF-"})
    request = ca.wait(request.id)
    ca.identify(request.id, Scenario.AT_CA)
    office("visit", request.id)
    request = ca.wait(request.id)
    assert (request.authority, request.state) == (Authority.FNS, RequestState.ISSUED)
    assert request.invoice is None
    certificate = ca.download(request.id)
    holder = holder_of(certificate)
    assert (holder.kind, holder.ogrn) == ("legal_entity", head.organisation.ogrn.value)


@pytest.mark.req("F132")
def test_an_entrepreneur_is_checked_in_egrip(ca, order, files, trader):
    new = order(trader, ApplicantKind.ENTREPRENEUR)
    request = ca.wait(ca.apply(new, {**files, DocumentKind.EGRIP: b"%PDF-"}).id)
    assert [check.kind for check in request.checks][-1] == "egrip"
    assert request.state == RequestState.IDENTIFICATION


def test_a_request_without_its_documents_is_not_taken(ca, order):
    request = ca.create(order())
    with pytest.raises(ApiError) as error:
        ca.submit(request.id)
    assert error.value.problem == "document-missing"
    assert "Заявление на выпуск сертификата" in error.value.diagnostics()
    assert ca.get(request.id).state == RequestState.DRAFT


def test_a_file_that_cannot_be_read_comes_back(ca, order, files):
    request = ca.apply(order(), {**files, DocumentKind.PASSPORT: b"noise"})
    request = ca.wait(request.id)
    assert (request.state, request.reason) == (
        RequestState.DOCUMENTS_CORRECTION,
        "Файл не читается: Паспорт",
    )
    ca.upload(request.id, DocumentKind.PASSPORT, b"%PDF-")
    ca.submit(request.id)
    assert ca.wait(request.id).state == RequestState.IDENTIFICATION


def test_a_document_is_not_taken_while_the_request_is_checked(ca, order, files):
    request = ca.apply(order(), files)
    assert refused(ca.upload, request.id, DocumentKind.SNILS, b"%PDF-") == "documents-closed"


@pytest.mark.req("F141", "F167", "F170")
def test_a_refuted_passport_is_corrected_and_checked_again(ca, order, files, anna):
    bad = attrs.evolve(anna, passport=attrs.evolve(anna.passport, number="000666"))
    request = ca.wait(ca.apply(order(bad), files).id)
    assert request.state == RequestState.SMEV_FAILED
    passport = request.checks[0]
    assert (passport.state, passport.reason) == (
        CheckState.FAILED,
        "Паспорт числится недействительным",
    )
    new = order()
    ca.correct(request.id, Correction(subject=new.subject, pkcs10=new.pkcs10))
    ca.submit(request.id)
    assert ca.wait(request.id).state == RequestState.IDENTIFICATION


@pytest.mark.parametrize(
    "number, state", [("000404", CheckState.NO_DATA), ("000500", CheckState.ERROR)]
)
def test_a_check_without_an_answer_does_not_pass(ca, order, files, anna, number, state):
    bad = attrs.evolve(anna, passport=attrs.evolve(anna.passport, number=number))
    request = ca.wait(ca.apply(order(bad), files).id)
    assert (request.checks[0].state, request.state) == (state, RequestState.SMEV_FAILED)


@pytest.mark.req("F079")
def test_identification_through_ebs_is_not_available_yet(ca, order, files):
    request = ca.wait(ca.apply(order(), files).id)
    assert refused(ca.identify, request.id, Scenario.EBS) == "identification-not-available"
    assert ca.get(request.id).identification is None


@pytest.mark.req("F017")
def test_the_tax_service_does_not_identify_through_epgu(ca, order, files, head):
    new = order(head, ApplicantKind.HEAD)
    request = ca.wait(ca.apply(new, {**files, DocumentKind.EGRUL: b"%PDF-"}).id)
    assert refused(ca.identify, request.id, Scenario.EPGU) == "identification-not-allowed"


@pytest.mark.req("F008", "F077", "F119")
@pytest.mark.parametrize(
    "kind, scenario",
    [
        (kind, scenario)
        for kind in ApplicantKind
        for scenario in sorted(SCENARIOS[kind.authority] - {Scenario.BY_CERTIFICATE})
    ],
)
def test_each_applicant_is_identified_in_each_way_of_his_authority(
    ca, office, order, files, head, trader, anna, kind, scenario
):
    subjects = {"head": head, "entrepreneur": trader, "worker": anna}
    scans = dict.fromkeys(REQUIRED_DOCUMENTS[kind], b"%PDF-")
    request = ca.wait(ca.apply(order(subjects[kind], kind), scans).id)
    ca.identify(request.id, scenario)
    office("epgu" if scenario is Scenario.EPGU else "visit", request.id)
    identification = ca.get(request.id).identification
    assert (identification.scenario, bool(identification.confirmed_at)) == (scenario, True)


def test_nobody_is_identified_before_the_checks(ca, order, files):
    request = ca.apply(order(), files)
    assert refused(ca.identify, request.id, Scenario.AT_CA) == "illegal-transition"


@pytest.mark.req("F020", "F021", "F107")
def test_a_worker_renews_by_the_valid_certificate(ca, office, order, files, signer):
    new = order()
    request = ca.wait(ca.apply(new, files).id)
    request = ca.identify_by_certificate(request.id, new, signer)
    assert request.identification.confirmed_at
    office("payment", request.id)
    certificate = ca.download(ca.wait(request.id).id)
    assert (certificate.identification_kind, certificate.subject) == (1, signer.certificate.subject)


@pytest.mark.req("F018", "F021")
def test_a_head_renews_by_a_certificate_of_the_tax_service(ca, issued, order, files, head):
    key = SoftwareKey.generate()
    first = issued(order(head, ApplicantKind.HEAD, key), [DocumentKind.EGRUL])
    signer = key.certified(ca.download(first.id))
    new = order(head, ApplicantKind.HEAD)
    request = ca.wait(ca.apply(new, {**files, DocumentKind.EGRUL: b"%PDF-"}).id)
    ca.identify_by_certificate(request.id, new, signer)
    assert ca.wait(request.id).state == RequestState.ISSUED


@pytest.mark.req("F018")
def test_a_head_does_not_renew_by_a_certificate_of_another_authority(
    ca, order, files, head, signer
):
    new = order(head, ApplicantKind.HEAD)
    request = ca.wait(ca.apply(new, {**files, DocumentKind.EGRUL: b"%PDF-"}).id)
    with pytest.raises(InvalidDocument, match="other_authority"):
        ca.identify_by_certificate(request.id, new, signer)


@pytest.mark.req("F021")
def test_changed_data_stop_the_renewal_before_anything_is_sent(ca, order, files, anna, signer):
    new = order(attrs.evolve(anna, surname="Образцова"))
    request = ca.wait(ca.apply(new, files).id)
    with pytest.raises(InvalidDocument) as error:
        ca.identify_by_certificate(request.id, new, signer)
    assert [path for path, _ in error.value.problems] == ["data_changed"]
    assert ca.get(request.id).identification is None


@pytest.mark.req("F021")
def test_the_authority_judges_changed_data_itself(ca, order, files, anna, signer):
    claimed = order()
    request = ca.wait(ca.apply(order(attrs.evolve(anna, surname="Образцова")), files).id)
    told = refused(ca.identify_by_certificate, request.id, claimed, signer)
    assert told == "certificate-data-changed"


@pytest.mark.req("F021", "F144")
def test_a_revoked_certificate_identifies_nobody(ca, order, files, signer):
    serial_number = f"{signer.certificate.serial_number:x}"
    ca.revoke(serial_number, RevocationReason.KEY_COMPROMISE)
    new = order()
    request = ca.wait(ca.apply(new, files).id)
    told = refused(ca.identify_by_certificate, request.id, new, signer)
    assert told == "certificate-not-valid"


@pytest.mark.req("F021")
def test_an_expired_certificate_identifies_nobody(ca, order, files, signer, sandbox):
    sandbox.clock.advance(timedelta(days=366))
    new = order()
    request = ca.wait(ca.apply(new, files).id)
    with pytest.raises(InvalidDocument, match="not_valid"):
        ca.identify_by_certificate(request.id, new, signer)


def test_a_certificate_of_a_stranger_identifies_nobody(ca, order, files, signer, sandbox):
    key = SoftwareKey.generate()
    with Sandbox([CaService], clock=sandbox.clock) as other:
        foreign = other.world.part(Pki).issue(
            Authority.COMMERCIAL, signer.certificate.subject, key.public_key
        )
    new = order()
    request = ca.wait(ca.apply(new, files).id)
    told = refused(ca.identify_by_certificate, request.id, new, key.certified(foreign))
    assert told == "certificate-unknown"


def test_a_request_not_signed_by_its_key_is_refused(ca, order):
    new = order()
    forged = new.pkcs10[:-1] + bytes([new.pkcs10[-1] ^ 1])
    assert refused(ca.create, attrs.evolve(new, pkcs10=forged)) == "key-request-invalid"


def test_a_request_for_another_subject_is_refused(ca, order, anna):
    new = order(attrs.evolve(anna, snils=Snils.complete("999000002")))
    with pytest.raises(ApiError, match="СНИЛС") as error:
        ca.create(attrs.evolve(new, subject=anna))
    assert error.value.problem == "subject-differs"


def test_a_key_is_certified_once(ca, order, issued):
    key = SoftwareKey.generate()
    issued(order(key=key))
    assert refused(ca.create, order(key=key)) == "key-reused"


def test_a_certificate_is_not_there_before_it_is_issued(ca, order):
    assert refused(ca.download, ca.create(order()).id) == "certificate-not-ready"


@pytest.mark.req("F110", "F173")
def test_a_certificate_for_an_unqualified_signature_names_no_tool_class(ca, issued, order):
    request = issued(order(certificate=CertificateKind.UNQUALIFIED))
    assert not is_qualified_profile(ca.download(request.id))
    assert request.esia is None


@pytest.mark.req("F101", "F134", "F004")
def test_a_certificate_is_held_released_and_revoked(ca, signer):
    serial_number = f"{signer.certificate.serial_number:x}"
    assert ca.certificate(serial_number).status.label == "Действует"
    assert ca.hold(serial_number).state == "hold"
    assert ca.unhold(serial_number).revoked_at is None
    assert ca.revoke(serial_number).status.terminal
    assert refused(ca.unhold, serial_number) == "illegal-transition"
    assert [each.serial_number for each in ca.certificates()] == [serial_number]


@pytest.mark.req("F405")
def test_a_lost_token_is_stopped_at_once_and_replaced_with_no_harm_to_the_new_key(
    ca, issued, order, signer
):
    lost = f"{signer.certificate.serial_number:x}"
    assert ca.hold(lost).revoked_at is not None
    new = issued(order())
    assert ca.revoke(lost, RevocationReason.KEY_COMPROMISE).status.terminal
    states = {each.serial_number: each.state for each in ca.certificates()}
    assert states == {lost: "revoked", new.serial_number: "active"}


def test_a_certificate_expires_by_the_clock(ca, signer, sandbox):
    sandbox.clock.advance(timedelta(days=366))
    assert ca.certificate(f"{signer.certificate.serial_number:x}").state == "expired"


def test_a_request_can_be_cancelled_and_stays_so(ca, order, files):
    request = ca.apply(order(), files)
    assert ca.cancel(request.id).status.terminal
    assert refused(ca.submit, request.id) == "illegal-transition"


@pytest.mark.req("F005")
def test_an_operator_s_refusal_is_told_with_its_reason(ca, office, order, files):
    request = ca.wait(ca.apply(order(), files).id)
    office("rejection", request.id)
    request = ca.get(request.id)
    assert (request.state, request.reason) == (RequestState.REJECTED, "Отклонено оператором")


@pytest.mark.req("F054", "F104", "F105", "F003")
def test_mass_issue_goes_on_past_a_failure(ca, order, files, anna):
    orders = [Order(key=f"doctor-{n}", new=order(), documents=files) for n in range(3)]
    orders[1] = attrs.evolve(orders[1], documents={})
    batch = ca.apply_all(orders)
    assert (list(batch.requests), list(batch.failures)) == (["doctor-0", "doctor-2"], ["doctor-1"])
    assert len(list(ca.requests())) == 3


def test_a_second_application_under_one_key_makes_no_second_request(ca, order, files):
    new = order()
    first = ca.apply(new, files, key="doctor-17")
    again = ca.apply(new, files, key="doctor-17")
    assert first.id == again.id
    assert len(list(ca.requests())) == 1


def test_a_request_signed_anew_by_the_same_key_goes_on_where_the_first_stopped(
    ca, order, files, sandbox
):
    key = SoftwareKey.generate()
    broken = Fault(kind=FaultKind.STATUS, match="ca.request.upload", status=500, times=99)
    sandbox.world.faults.add(broken)
    with pytest.raises(ApiError):
        ca.apply(order(key=key), files, key="application-17")
    sandbox.world.faults.clear()
    request = ca.apply(order(key=key), files, key="application-17")
    assert request.state == RequestState.DOCUMENTS_CHECK
    assert [each.id for each in ca.requests()] == [request.id]


@pytest.mark.parametrize("change", ["key", "data"])
def test_another_key_or_other_data_are_another_request(ca, order, files, anna, change):
    key = SoftwareKey.generate()
    ca.create(order(key=key), key="application-17")
    other = attrs.evolve(anna, locality="Пушкин") if change == "data" else anna
    again = order(other, key=key if change == "data" else None)
    with pytest.raises(UsageError, match="already used"):
        ca.create(again, key="application-17")


@pytest.mark.req("F109")
def test_a_state_in_the_words_of_cryptopro_is_waited_for_and_applied_to(
    sandbox, context, order, files
):
    words = {b'"draft"': b'"Draft"', b'"documents_check"': b'"Q"', b'"smev_check"': b'"validating"'}

    def portal(asked: httpx.Request) -> httpx.Response:
        answer = sandbox.transport().handle_request(asked)
        content = answer.read()
        for ours, theirs in words.items():
            content = content.replace(ours, theirs)
        return httpx.Response(answer.status_code, content=content, headers=answer.headers)

    with httpx.Client(transport=httpx.MockTransport(portal)) as http:
        ca = Ca(context, Driver(http, clock=sandbox.clock, sleep=sandbox.sleep))
        request = ca.apply(order(), files)
        assert request.state == "Q"
        assert ca.wait(request.id).status.label == "Идентификация"


@pytest.mark.parametrize(
    "kind",
    [FaultKind.TIMEOUT, FaultKind.TIMEOUT_BEFORE, FaultKind.RESET_AFTER, FaultKind.TRUNCATED],
)
def test_a_lost_answer_makes_no_second_request(ca, order, sandbox, kind):
    sandbox.world.faults.add(Fault(kind=kind, match="ca.request.create"))
    request = ca.create(order())
    assert [each.id for each in ca.requests()] == [request.id]


def test_another_clinic_sees_nothing(ca, order, http, sandbox):
    request = ca.create(order())
    token = sandbox.world.tokens.issue("ca", "Чужая клиника")
    url = f"{sandbox.endpoint('ca').url}/requests"
    headers = {"Authorization": f"Bearer {token}"}
    assert http.get(f"{url}/{request.id}", headers=headers).status_code == 404
    assert http.get(url, headers=headers).json() == {"items": []}


def test_no_personal_data_show_in_what_is_printed(order, anna):
    printed = repr(order()) + repr(anna)
    for secret in (anna.surname, anna.snils.value, anna.inn.value, anna.passport.number):
        assert secret not in printed


def test_a_request_survives_a_restart_of_the_sandbox(order, files, tmp_path):
    clock = ManualClock(datetime(2026, 7, 1, tzinfo=UTC))
    states = []
    for _ in range(2):
        with (
            Sandbox([CaService], clock=clock, path=tmp_path / "world") as sandbox,
            httpx.Client(transport=sandbox.transport()) as http,
        ):
            endpoint = sandbox.endpoint("ca")
            context = ca_context(base_url=endpoint.url, token=endpoint.token, clock=clock)
            ca = Ca(context, Driver(http, clock=clock, sleep=sandbox.sleep))
            if not states:
                ca.apply(order(), files)
            (request,) = ca.requests()
            states.append(request.state)
            clock.advance(timedelta(minutes=5))
    assert states == [RequestState.DOCUMENTS_CHECK, RequestState.IDENTIFICATION]


def test_another_clinic_cannot_revoke_a_certificate(signer, http, sandbox):
    token = sandbox.world.tokens.issue("ca", "Чужая клиника")
    serial_number = f"{signer.certificate.serial_number:x}"
    answer = http.post(
        f"{sandbox.endpoint('ca').url}/certificates/{serial_number}/revocation",
        json={},
        headers={"Authorization": f"Bearer {token}", "Idempotency-Key": "k"},
    )
    assert (answer.status_code, answer.json()["code"]) == (404, "certificate-not-found")


@pytest.mark.req("F021")
def test_a_certificate_for_an_unqualified_signature_identifies_nobody(ca, issued, order, files):
    key = SoftwareKey.generate()
    first = issued(order(key=key, certificate=CertificateKind.UNQUALIFIED))
    signer = key.certified(ca.download(first.id))
    new = order()
    request = ca.wait(ca.apply(new, files).id)
    assert refused(ca.identify_by_certificate, request.id, new, signer) == "certificate-unknown"


@pytest.mark.parametrize("spoil", ["another statement", "another signature", "two signatures"])
def test_only_the_signed_statement_of_this_request_identifies(
    ca, order, files, signer, http, sandbox, spoil
):
    request = ca.wait(ca.apply(order(), files).id)
    text = request.statement.encode()
    if spoil == "another statement":
        text = text.replace(b"0", b"1")
    signed = sign(text, signer, at=sandbox.clock.now(), detached=False)
    if spoil == "another signature":
        signed = signed[:-1] + bytes([signed[-1] ^ 1])
    if spoil == "two signatures":
        signed = sign(text, signer, at=sandbox.clock.now(), beside=signed)
    endpoint = sandbox.endpoint("ca")
    answer = http.post(
        f"{endpoint.url}/requests/{request.id}/identification",
        json={
            "scenario": "by_certificate",
            "signedStatement": base64.b64encode(signed).decode(),
        },
        headers={"Authorization": f"Bearer {endpoint.token}", "Idempotency-Key": "k"},
    )
    assert answer.json()["code"] == "statement-signature-invalid"


def test_a_statement_that_is_no_message_is_malformed(ca, order, files, http, sandbox):
    request = ca.wait(ca.apply(order(), files).id)
    endpoint = sandbox.endpoint("ca")
    answer = http.post(
        f"{endpoint.url}/requests/{request.id}/identification",
        json={"scenario": "by_certificate"},
        headers={"Authorization": f"Bearer {endpoint.token}", "Idempotency-Key": "k"},
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "malformed-request")


def test_corrected_data_are_held_against_the_key_too(ca, order, files, anna):
    bad = attrs.evolve(anna, passport=attrs.evolve(anna.passport, number="000666"))
    request = ca.wait(ca.apply(order(bad), files).id)
    new = order()
    other = attrs.evolve(anna, surname="Образцова")
    wrong = Correction(subject=other, pkcs10=new.pkcs10)
    assert refused(ca.correct, request.id, wrong) == "subject-differs"


def test_data_are_not_corrected_after_the_checks(ca, order, files):
    new = order()
    request = ca.wait(ca.apply(new, files).id)
    correction = Correction(subject=new.subject, pkcs10=new.pkcs10)
    assert refused(ca.correct, request.id, correction) == "illegal-transition"


def test_a_stage_is_over_at_its_very_moment(ca, order, files, sandbox):
    request = ca.apply(order(), files)
    sandbox.clock.advance(timedelta(seconds=10))
    assert ca.get(request.id).state == RequestState.SMEV_CHECK
