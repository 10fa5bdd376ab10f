"""Settings are read when somebody asks, and a wrong one is named."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import attrs
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
        "store = ''",
        'crls = "https://ca.test/root.crl"',
        "crls = [1]",
        "crls = ['ldap://ca.test/root.crl']",
        '[sep]\nurl = "https://x.test"\nrequests_per_minute = true',
        '[sep]\nurl = "https://x.test"\nrequests_per_minute = 0',
    ],
)
def test_a_wrong_file_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "medsign.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError):
        Config.from_toml(file)


@pytest.mark.parametrize(
    "url",
    [
        *("ca.test", "ca.test:8443", "/ca", "ftp://ca.test", "https:///ca", "https://\x00"),
        *("https://ca.test/\udc80", "https://xn--a.test", "https://*.test", "https://c a.test"),
        "https://ca.test:99999",
    ],
)
def test_an_address_that_is_none_of_the_web_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match=r"^url: "):
        Endpoint(url=url)
    with pytest.raises(ConfigError, match=r"^\[ca\] url: "):
        Config.from_env({"MEDSIGN_CA_URL": url})


@pytest.mark.parametrize("userinfo", ["login:tajna@", "tajna@", ":tajna@"])
def test_an_address_with_a_secret_in_it_is_refused_without_telling_it(userinfo: str) -> None:
    url = f"https://{userinfo}ca.test"
    for refused in (
        lambda: Endpoint(url=url),
        lambda: Config(crls=(url,)),
        lambda: Config.from_env({"MEDSIGN_CA_URL": url}),
    ):
        with pytest.raises(ConfigError, match="holds no login") as error:
            refused()
        assert "tajna" not in str(error.value) + error.value.diagnostics()


@pytest.mark.parametrize("end", ["?clinic=7", "#clinic"])
def test_an_address_to_which_paths_are_joined_ends_with_its_path(end: str) -> None:
    url = f"https://x.test/api{end}"
    with pytest.raises(ConfigError, match=r"^\[ca\] url: "):
        Config(services={"ca": Endpoint(url=url)})
    assert Config(services={"tsp": Endpoint(url=url)}).endpoint("tsp").url == url


@pytest.mark.parametrize("rate", [0, -1, True, 1.5])
def test_a_rate_limit_that_limits_nothing_is_refused(rate: int) -> None:
    with pytest.raises(ConfigError, match=r"^requests_per_minute: "):
        Endpoint(url="https://x.test", requests_per_minute=rate)


@pytest.mark.parametrize("text", ["Bearer tajna", "tajna\n", "тайна"])
def test_a_secret_that_no_field_of_http_takes_is_refused_without_telling_it(text: str) -> None:
    for name in ("token", "organization"):
        with pytest.raises(ConfigError, match=f"^{name}: ") as refused:
            Endpoint(url="https://x.test", **{name: text})
        assert text.strip() not in str(refused.value)


def test_a_secret_stands_in_one_place() -> None:
    with pytest.raises(ConfigError, match="vault"):
        Endpoint(url="https://x.test", token="t", credential="clinic/ca")


@pytest.mark.parametrize(
    ("service", "setting"),
    [
        ("ocsp", {"token": "t"}),
        ("tsp", {"credential": "clinic/tsp"}),
        ("tsp", {"requests_per_minute": 5}),
        ("ca", {"login": "l"}),
        ("ca", {"organization": "1.2.643"}),
        ("mchd", {"token": "t"}),
    ],
)
def test_a_setting_that_the_service_would_ignore_is_refused(
    service: str, setting: dict[str, Any]
) -> None:
    (name,) = setting
    with pytest.raises(ConfigError, match=rf"^\[{service}\] {name}: "):
        Config(services={service: Endpoint(url="https://x.test", **setting)})


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[sepp]\nurl = 'https://x.test'", "sepp"),
        ("[sep]\nurl = 'https://x.test'\ncolour = 'red'", "[sep] colour"),
        ("[sep]\nurl = 'https://x.test'\nrequests_per_minute = 0", "[sep] requests_per_minute"),
        ("[sep]\nurl = 'http://x.test'\ntls.trust = 'roots.pem'", "[sep] url"),
        ("[tsp]\nurl = 'https://x.test'\ntoken = 't'", "[tsp] token"),
        ("[ca]\nurl = 'https://x.test'\ntls.colour = 'red'", "[ca.tls] colour"),
    ],
)
def test_staff_is_told_which_setting_of_which_file_is_wrong(
    tmp_path: Path, text: str, place: str
) -> None:
    (tmp_path / "roots.pem").write_bytes(b"PEM")
    file = tmp_path / "medsign.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        Config.from_toml(file)
    assert f"Место: {file} {place}." in refused.value.diagnostics()
    assert str(refused.value).startswith(f"{file} {place}: ")


def test_the_line_is_named_that_is_no_toml(tmp_path: Path) -> None:
    file = tmp_path / "medsign.toml"
    file.write_text("[sep]\ntoken = tajna\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="line 2") as refused:
        Config.from_toml(file)
    assert "tajna" not in str(refused.value)


def test_a_file_that_notepad_saved_is_read_and_may_be_named_by_text(tmp_path: Path) -> None:
    file = tmp_path / "medsign.toml"
    file.write_text("[sep]\nurl = 'https://x.test'\n", encoding="utf-8-sig")
    assert list(Config.from_toml(str(file)).services) == ["sep"]


@pytest.mark.parametrize(
    "variable", ["MEDSIGN_SEPP_URL", "MEDSIGN_SEP_COLOUR", "MEDSIGN_STORE_URL"]
)
def test_a_variable_with_a_slip_in_its_name_is_refused(variable: str) -> None:
    with pytest.raises(ConfigError):
        Config.from_env({"MEDSIGN_STORE": "journal.db", variable: "https://x.test"})


def test_variables_that_kubernetes_makes_are_left_alone() -> None:
    config = Config.from_env(
        {"MEDSIGN_SERVICE_HOST": "10.0.0.7", "MEDSIGN_PORT": "tcp://10.0.0.7:80"}
    )
    assert config.services == {}


def test_a_service_that_nobody_knows_is_refused_in_code_too() -> None:
    with pytest.raises(ConfigError, match=r"^\[cA\]: no such service; known: ca, "):
        Config(services={"cA": Endpoint(url="https://ca.test")})


def test_a_file_of_gost_tls_that_cannot_be_read_is_named_in_both_texts(tmp_path: Path) -> None:
    settings, missing = tmp_path / "medsign.toml", tmp_path / "no-such.pem"
    settings.write_text("[ca]\nurl = 'https://ca.test'\ntls.trust = 'no-such.pem'\n")
    with pytest.raises(ConfigError) as refused:
        Config.from_toml(settings)
    place = f"{settings} [ca.tls] trust {missing}"
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
    ends = {
        "ca": Endpoint(url="https://x.test", token="secret-t"),
        "mchd": Endpoint(url="https://x.test", password="secret-p", login="secret-l"),
    }
    assert "secret" not in repr(Config(services=ends))


def test_settings_of_gost_tls_do_not_go_with_an_address_that_would_not_use_them() -> None:
    with pytest.raises(ConfigError, match="https"):
        Endpoint(url="http://ca.test", tls=GostTls(trust=b"PEM"))


def test_no_service_speaks_with_the_certificate_of_another() -> None:
    tls = [GostTls(trust=b"PEM", certificate=own) for own in (b"one", b"two")]
    ends = [Endpoint(url="https://one.test/api", tls=part) for part in tls]
    with pytest.raises(ConfigError, match="same address"):
        _ = Config(services=dict(zip(("ca", "sep"), ends, strict=True))).links
    assert len(Config(services={"ca": ends[0], "sep": ends[0]}).links) == 1


def test_ordinary_tls_of_one_service_is_not_replaced_by_gost_tls_of_another() -> None:
    ordinary, gost = (
        Endpoint(url=url, tls=tls)
        for url, tls in (
            ("https://one.test:8443", None),
            ("https://one.test", GostTls(trust=b"PEM")),
        )
    )
    links = Config(services={"sep": ordinary, "ca": gost}).links
    assert links == {"https://one.test:8443": None, "https://one.test": gost.tls}
    here = attrs.evolve(ordinary, url="https://one.test/sep")
    with pytest.raises(ConfigError, match="same address"):
        _ = Config(services={"sep": here, "ca": gost}).links


def test_a_window_has_one_owner(tmp_path: Path) -> None:
    file = tmp_path / "medsign.toml"
    file.write_text("owner = 'clinic-7'\n")
    assert Config.from_toml(file).owner == "clinic-7"
    assert Config.from_env({"MEDSIGN_OWNER": "clinic-7"}).owner == "clinic-7"


def test_a_service_may_be_reached_by_gost_tls(tmp_path: Path) -> None:
    (tmp_path / "roots.pem").write_bytes(b"PEM")
    file = tmp_path / "medsign.toml"
    file.write_text(
        "[ca]\nurl = 'https://ca.test:8443/api'\n"
        "[ca.tls]\ntrust = 'roots.pem'\npassword = 'tajna'\nlegacy_renegotiation = true\n"
        "[mchd]\nurl = 'https://mchd.test'\n[mchd.tls]\ngateway = 'http://127.0.0.1:8444'\n"
    )
    config = Config.from_toml(file)
    assert config.links == {
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
