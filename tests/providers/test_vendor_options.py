"""Keys, addresses and what is shown of them, as all adapters' options have it."""

from __future__ import annotations

import httpx
import msgspec
import pytest

from antiphon_providers.errors import Refused
from antiphon_providers.registry import STAGES, installed, load, options_of
from antiphon_providers.vendor_options import (
    HTTP_SCHEMES,
    SOCKET_SCHEMES,
    FinalMs,
    VendorOptions,
    check_key,
    key_at,
    parameter,
    socket_url,
    url_of,
    voices_by_name,
)


class Own(VendorOptions, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Options of some adapter."""

    schemes = HTTP_SCHEMES

    model: str
    voice: str = "anna"
    final_ms: FinalMs = 1000


def own(**options: object) -> Own:
    """As settings give them: texts."""
    return msgspec.convert({"base_url": "http://host", "model": "m", **options}, Own, strict=False)


@pytest.mark.parametrize(
    "wrong",
    [
        {"base_url": "ws://host"},
        {"base_url": ""},
        {"api_key": "two\nlines"},
        {"api_key": "with blank"},
        {"connect_ms": "0"},
        {"final_ms": "0"},
        {"first_ms": "1"},
    ],
)
def test_options_that_cannot_be_are_refused(wrong: dict[str, object]) -> None:
    """The key, the address, a number out of its range, and a name that is none."""
    with pytest.raises(msgspec.ValidationError):
        own(**wrong)


def test_all_is_shown_but_the_key() -> None:
    """Of what tells one adapter from another."""
    told = f"{own(api_key='hidden')!r} {own(api_key='hidden').__rich_repr__()}"
    assert "hidden" not in told
    assert repr(own()) == "Own(model='m', voice='anna', base_url='http://host', ...)"
    assert repr(VendorOptions(base_url="ws://h")) == "VendorOptions(base_url='ws://h', ...)"


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "nothing",
        "ftp://secret",
        "wss://",
        "ws://[secret",
        "https://user:secret@host",
        "wss://secret@host",
        "ws://host:secret",
    ],
)
def test_what_is_no_address_is_refused_without_quoting_it(wrong: str) -> None:
    """As options do it, so that settings can say which is wrong."""
    with pytest.raises(ValueError, match="base_url") as refused:
        url_of(wrong, SOCKET_SCHEMES)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("scheme", SOCKET_SCHEMES)
def test_an_adapter_of_http_takes_no_socket(scheme: str) -> None:
    """Its address is that of requests."""
    if scheme in HTTP_SCHEMES:
        assert url_of(f"{scheme}://host/v1") == httpx.URL(f"{scheme}://host/v1")
    else:
        with pytest.raises(ValueError, match="http or https, without user"):
            url_of(f"{scheme}://host/v1")


def test_a_key_is_checked_without_quoting_it() -> None:
    """The library that refuses such a header would quote it."""
    check_key("")
    check_key("sk-a.b/c+d=")
    with pytest.raises(ValueError, match="api_key") as refused:
        check_key("secret\n")
    assert "secret" not in str(refused.value)


def test_the_environments_key_goes_to_the_vendor_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another address gets what the options say, and a key that is none is quoted nowhere."""
    monkeypatch.setenv("VENDOR_KEY", " from-outside\n")
    assert key_at("", "https://vendor/", "https://vendor", "VENDOR_KEY") == "from-outside"
    assert key_at("mine", "https://vendor", "https://vendor", "VENDOR_KEY") == "mine"
    assert key_at("", "https://elsewhere", "https://vendor", "VENDOR_KEY") == ""
    monkeypatch.setenv("VENDOR_KEY", "two\nlines")
    with pytest.raises(Refused, match="VENDOR_KEY has characters"):
        key_at("", "https://vendor", "https://vendor", "VENDOR_KEY")


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("https://host/base/", "wss://host/base/listen"),
        ("http://host:1", "ws://host:1/listen"),
        ("WSS://host?a=1", "wss://host/listen?a=1"),
    ],
)
def test_addresses_are_those_of_sockets(base_url: str, url: str) -> None:
    """Whichever of the four schemes they have; a path and a query of one's own are kept."""
    assert socket_url(base_url, "/listen") == url
    joint = "&" if "?" in url else "?"
    assert socket_url(base_url, "/listen", [("b", "2 3"), ("b", "4")]) == f"{url}{joint}b=2+3&b=4"


def test_a_parameter_is_as_json_has_it() -> None:
    """Texts have no quotes."""
    assert [parameter(value) for value in ("x", True, 0.5, ["a"])] == ["x", "true", "0.5", '["a"]']


def test_voices_have_texts_for_names() -> None:
    """Anything else would be found out in the first reply."""
    assert voices_by_name('{"anna": "x"}') == {"anna": "x"}
    for wrong in ("[]", '{"anna": 1}', '{"anna": {"id": "x"}}', "{"):
        with pytest.raises(ValueError, match=r"voices must map|no JSON object"):
            voices_by_name(wrong)


def test_each_option_of_each_adapter_is_described() -> None:
    """Or the reference would have a line that says nothing."""
    for stage in STAGES:
        for name in installed(stage):
            struct = options_of(load(stage, name))
            if issubclass(struct, VendorOptions):
                told = msgspec.json.schema(struct)["$defs"][struct.__name__]["properties"]
                silent = {option for option, of in told.items() if not _said(of)}
                assert silent <= {"temperature", "speed"}, (name, silent)


def _said(schema: dict[str, object]) -> bool:
    several = schema.get("anyOf", [])
    assert isinstance(several, list)
    return "description" in schema or any("description" in one for one in several)
