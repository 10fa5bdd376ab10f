"""Settings are read when somebody asks, and a wrong one is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from medsign import Config, Endpoint
from medsign.errors import ConfigError
from medsign.transport.tls import GostGateway, GostTls


@pytest.mark.req("F190", "F193", "F195", "F102")
def test_settings_are_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "medsign.toml"
    file.write_text(
        'store = "journal.db"\n'
        '[sep]\nurl = "https://b2b-demo.n3health.ru/sep/api"\n'
        'token = "t"\norganization = "1.2.643.2.69.1.2.999"\nrequests_per_minute = 50\n',
        encoding="utf-8",
    )
    config = Config.from_toml(file)
    assert config.store == tmp_path / "journal.db"
    assert config.endpoint("sep") == Endpoint(
        url="https://b2b-demo.n3health.ru/sep/api",
        token="t",
        organization="1.2.643.2.69.1.2.999",
        requests_per_minute=50,
    )


@pytest.mark.req("F197")
def test_each_service_has_a_token_of_its_own() -> None:
    config = Config.from_env(
        {
            "MEDSIGN_SEP_URL": "https://sep.test",
            "MEDSIGN_SEP_TOKEN": "one",
            "MEDSIGN_CA_URL": "https://ca.test",
            "MEDSIGN_CA_TOKEN": "two",
            "MEDSIGN_STORE": "journal.db",
            "PATH": "/bin",
        }
    )
    assert [config.endpoint(name).token for name in ("sep", "ca")] == ["one", "two"]
    assert config.store == Path("journal.db")


def test_a_number_of_digits_stays_a_token() -> None:
    config = Config.from_env({"MEDSIGN_CA_URL": "https://ca.test", "MEDSIGN_CA_TOKEN": "0012"})
    assert config.endpoint("ca").token == "0012"


@pytest.mark.parametrize(
    "text",
    [
        "[sep",
        '[unknown]\nurl = "https://x.test"',
        '[sep]\ntoken = "t"',
        "[sep]\nurl = 5",
        '[sep]\nurl = "https://x.test"\ncolour = "red"',
        '[sep]\nurl = "https://x.test"\nrequests_per_minute = "many"',
        "sep = 5",
        "store = 5",
        'crls = "https://ca.test/root.crl"',
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "medsign.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError):
        Config.from_toml(file)


@pytest.mark.parametrize(
    "url", ["ca.test", "ca.test:8443", "/ca", "ftp://ca.test", "https:///ca", "https://\x00"]
)
def test_an_address_that_is_none_of_the_web_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match=r"^url: "):
        Endpoint(url=url)
    with pytest.raises(ConfigError, match=r"^\[ca\] url: "):
        Config.from_env({"MEDSIGN_CA_URL": url})


def test_a_service_that_nobody_knows_is_refused_in_code_too() -> None:
    with pytest.raises(ConfigError, match=r"^\[cA\]: no such service; known: ca, "):
        Config(services={"cA": Endpoint(url="https://ca.test")})


def test_a_file_of_gost_tls_that_cannot_be_read_is_named_in_both_texts(tmp_path: Path) -> None:
    settings, missing = tmp_path / "medsign.toml", tmp_path / "no-such.pem"
    settings.write_text("[ca]\nurl = 'https://ca.test'\ntls.trust = 'no-such.pem'\n")
    with pytest.raises(ConfigError) as refused:
        Config.from_toml(settings)
    place = f"[ca.tls] trust {missing}"
    assert str(refused.value) == f"{place}: cannot be read (FileNotFoundError)"
    assert place in refused.value.diagnostics()
    with pytest.raises(ConfigError, match=re.escape(f"{missing}: cannot be read")):
        GostTls(trust=missing)


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        Config.from_toml(tmp_path / "none.toml")


def test_a_rate_that_is_no_number_is_refused() -> None:
    with pytest.raises(ConfigError):
        Config.from_env(
            {"MEDSIGN_CA_URL": "https://ca.test", "MEDSIGN_CA_REQUESTS_PER_MINUTE": "many"}
        )


def test_a_service_that_is_not_set_is_named() -> None:
    with pytest.raises(ConfigError, match="'ekp'"):
        Config().endpoint("ekp")


def test_secrets_do_not_show() -> None:
    endpoint = Endpoint(url="https://x.test", token="secret-t", password="secret-p", login="me")
    assert "secret" not in repr(Config(services={"ca": endpoint}))
    assert "me" not in repr(endpoint).replace("requests_per_minute", "")


def test_settings_of_gost_tls_do_not_go_with_an_address_that_would_not_use_them() -> None:
    with pytest.raises(ConfigError, match="https"):
        Endpoint(url="http://ca.test", tls=GostTls(trust=b"PEM"))


def test_no_service_speaks_with_the_certificate_of_another() -> None:
    tls = [GostTls(trust=b"PEM", certificate=own) for own in (b"one", b"two")]
    ends = [Endpoint(url="https://one.test/api", tls=part) for part in tls]
    with pytest.raises(ConfigError, match="same address"):
        _ = Config(services=dict(zip(("ca", "sep"), ends, strict=True))).gost_links
    assert len(Config(services={"ca": ends[0], "sep": ends[0]}).gost_links) == 1


def test_a_service_may_be_reached_by_gost_tls(tmp_path: Path) -> None:
    (tmp_path / "roots.pem").write_bytes(b"PEM")
    file = tmp_path / "medsign.toml"
    file.write_text(
        "[ca]\nurl = 'https://ca.test:8443/api'\n"
        "[ca.tls]\ntrust = 'roots.pem'\npassword = 'tajna'\nlegacy_renegotiation = true\n"
        "[mchd]\nurl = 'https://mchd.test'\n[mchd.tls]\ngateway = 'http://127.0.0.1:8444'\n"
    )
    config = Config.from_toml(file)
    assert config.gost_links == {
        "https://ca.test:8443": GostTls(trust=b"PEM", password="tajna", legacy_renegotiation=True),
        "https://mchd.test": GostGateway("http://127.0.0.1:8444", hosts=["mchd.test"]),
    }
    assert "tajna" not in repr(config)


@pytest.mark.parametrize(
    "tls",
    [
        "tls = 5",
        "tls.trust = 5",
        "tls.colour = 'red'",
        "tls.trust = 'no-such.pem'",
        "tls.legacy_renegotiation = 'yes'",
        "tls.gateway = 'http://10.0.0.7'",
        "tls = { gateway = 'http://127.0.0.1', trust = 'roots.pem' }",
    ],
)
def test_a_wrong_setting_of_gost_tls_is_named(tls: str, tmp_path: Path) -> None:
    file = tmp_path / "medsign.toml"
    file.write_text(f"[ca]\nurl = 'https://ca.test'\n{tls}\n")
    with pytest.raises(ConfigError):
        Config.from_toml(file)
