"""A desk where documents are signed: PDF inside, logged, through a gateway, the traffic recorded.

Run it: ``python signing_desk.py``. Everything remote is a sandbox in this process. What it leaves
is an epicrisis with its signature, the log of signing and a recording without anybody's data.
"""

from __future__ import annotations

from pathlib import Path

from medsign import MedSign, Report, cms
from medsign.ca import Authority
from medsign.pdf import PdfField, read_pdf_signatures, sign_pdf, verify_pdf
from medsign.recording import Recorder
from medsign.sandbox import Sandbox
from medsign.sandbox.paper import new_pdf
from medsign.sandbox.pki import Pki
from medsign.signers import AuditedSigner, AuditLog, Signer
from medsign.store import SqliteStore


def main() -> None:
    """Sign an epicrisis, judge it as the receiver would, look after the log."""
    with Sandbox(signed_requests=True) as sandbox, SqliteStore("signing.db") as store:
        people = sandbox.world.part(Pki)
        doctor = people.enrol(
            Authority.COMMERCIAL,
            surname="Тестова",
            given_names="Анна Петровна",
            inn="999900000160",
            snils="99900000115",
        )
        log = AuditLog(store, clock=sandbox.clock)
        recorder = Recorder(sandbox.transport(), clock=sandbox.clock)
        with sandbox.connect(transport=recorder, gateway=sandbox.gateway()) as window:
            print("Сертификатов по заявкам:", len(list(window.ca.certificates())))
            paper = sign(window, AuditedSigner(doctor, log, who="account-17"))
            Path("epicrisis.pdf").write_bytes(paper)
            report = judge(window, paper, people)
            print(*report.explain_trust(), sep="\n")

        checked = log.check()
        print("Журнал цел:", checked.intact, "последняя запись:", checked.head.number)
        recorder.save(Path("desk.har"))


def sign(window: MedSign, signer: Signer) -> bytes:
    """Sign a page from inside, with a time stamp: PAdES-B-T."""
    return sign_pdf(
        new_pdf(["Выписной эпикриз"]),
        signer,
        at=window.clock.now(),
        field=PdfField(reason="Выписной эпикриз"),
        timestamp=lambda octets: window.pki.timestamp(octets).response,
    )


def judge(window: MedSign, paper: bytes, people: Pki) -> Report:
    """Ask the services about each signature of the file, then decide about the file."""
    evidence = cms.Evidence(signature=paper, trust=people.trust, certificates=people.intermediates)
    for each in read_pdf_signatures(paper):
        asked = window.pki.verify(each.signature, each.content)
        evidence = evidence.with_fetched(crls=asked.crls, ocsp_responses=asked.ocsp_responses)
    return verify_pdf(evidence, at=window.clock.now())


if __name__ == "__main__":
    main()
