"""Notices reach people by mail."""

from __future__ import annotations

import smtplib
import socketserver
import threading
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest

from medsign.clock import ManualClock
from medsign.errors import UsageError
from medsign.store import MemoryStore
from medsign.watch import Notice, Watch, Watched, expiring, letter, notice

END = datetime(2026, 12, 31, 9, 30, tzinfo=UTC)
NOW = END - timedelta(days=5)
CERTIFICATE = Watched(kind="certificate", id="ab12", valid_until=END, label="Тестова Анна Петровна")
SENDER, OWNER, MANAGER = "mis@clinic.test", "doctor@clinic.test", "head@clinic.test"


class MailServer(socketserver.TCPServer):
    """As much of RFC 5321 as takes a letter in."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Mailbox)
        self.recipients: list[str] = []
        self.letters: list[EmailMessage] = []


class Mailbox(socketserver.StreamRequestHandler):
    server: MailServer

    def handle(self) -> None:
        self.wfile.write(b"220 clinic.test\r\n")
        for line in self.rfile:
            verb = line[:4].upper()
            if verb == b"RCPT":
                self.server.recipients.append(line.decode().partition("<")[2].partition(">")[0])
            if verb == b"DATA":
                self.wfile.write(b"354 go on\r\n")
                octets = b"".join(iter(self.rfile.readline, b".\r\n"))
                letter = message_from_bytes(octets, policy=policy.default)
                assert isinstance(letter, EmailMessage)
                self.server.letters.append(letter)
            self.wfile.write(b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n")


@pytest.fixture
def mail():
    with MailServer() as server:
        thread = threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )
        thread.start()
        yield server
        server.shutdown()
        thread.join(30)


@pytest.fixture
def warning() -> Notice:
    [found] = expiring([CERTIFICATE], NOW)
    return notice(found)


@pytest.mark.req("F168", "F169")
def test_the_owner_and_the_manager_get_one_letter_for_a_threshold(mail):
    def send(warning: Notice) -> None:
        message = letter(warning, sender=SENDER, to=[OWNER, MANAGER], at=NOW)
        with smtplib.SMTP(*mail.server_address) as server:
            server.send_message(message)

    watch = Watch(MemoryStore(), send, ManualClock(NOW))
    assert len(watch.check([CERTIFICATE]).sent) == 1
    assert watch.check([CERTIFICATE]).sent == ()
    assert mail.recipients == [OWNER, MANAGER]
    [got] = mail.letters
    assert got["Subject"] == "Сертификат электронной подписи: срок истекает через 5 дней"
    assert got["Date"] == "Sat, 26 Dec 2026 12:30:00 +0300"
    assert "«Тестова Анна Петровна»" in got.get_content()


def test_a_letter_names_nobody_in_its_subject(warning):
    assert "Тестова" not in letter(warning, sender=SENDER, to=[OWNER], at=NOW)["Subject"]


def test_a_letter_to_nobody_is_refused(warning):
    with pytest.raises(UsageError, match="address"):
        letter(warning, sender=SENDER, to=[], at=NOW)


@pytest.mark.parametrize("address", ["a@clinic.test\nBcc: b@evil.test", "a@clinic.test\r\n\r\nhi"])
def test_an_address_adds_no_line_to_a_letter(warning, address):
    with pytest.raises(UsageError, match="line break") as error:
        letter(warning, sender=SENDER, to=[address], at=NOW)
    assert "evil" not in str(error.value)
