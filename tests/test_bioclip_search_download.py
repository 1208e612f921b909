"""Photos at addresses: what arrives, what is refused, and when it is given up."""

import base64
import contextlib
import gzip
import socket
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from web_server import Answer, Handler, Site, drips, sends, serving, status

from bioclip_search import download as module
from bioclip_search.download import Address, download
from bioclip_search.errors import QueryError

HTTP_OK = b"HTTP/1.0 200 OK\r\n"


@pytest.fixture(autouse=True)
def no_proxy_of_this_computer(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the tester's environment names is not what is tested."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def site() -> Iterator[Site]:
    """A web server."""
    with serving() as running:
        yield running


@pytest.fixture
def other_site() -> Iterator[Site]:
    """A second web server, whose logins are its own."""
    with serving() as running:
        yield running


def fetch(url: str) -> tuple[bytes, str]:
    """The bytes, and the file name at the end of the way."""
    data, address = download(Address.parse(url))
    return data, address.name


def refusal(url: str) -> str:
    """The sentence with which an address is refused."""
    with pytest.raises(QueryError) as raised:
        fetch(url)
    sentence = str(raised.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    return sentence


def test_the_bytes_of_an_address_arrive(site: Site) -> None:
    """As they are, with the name of the file; the server is told who asks."""
    assert fetch(site.url("/a/moth.jpg", sends(b"moth"))) == (b"moth", "moth.jpg")
    assert site.asked[0][1]["User-Agent"].startswith("bioclip-search/")


def test_an_answer_without_a_length_arrives_whole(site: Site) -> None:
    """Until the connection is closed, or by chunks."""

    def closed(handler: Handler) -> None:
        handler.head()
        handler.wfile.write(b"moth" * 50_000)

    def chunked(handler: Handler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nmoth\r\n4\r\nmoth\r\n0\r\n\r\n")

    assert fetch(site.url("/closed", closed))[0] == b"moth" * 50_000
    assert fetch(site.url("/chunked", chunked))[0] == b"mothmoth"


def test_blanks_and_letters_of_any_script_are_sent_as_codes(site: Site) -> None:
    """An address may be pasted as a browser shows it."""
    site.url("/d%C3%A9sert/m%20%25.jpg?q=%C5%99", sends(b"moth"))
    assert fetch(f"http://{site.host}/désert/m %25.jpg?q=ř#part") == (b"moth", "m %.jpg")


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
def test_redirects_are_followed(site: Site, other_site: Site, code: int) -> None:
    """To a path of the same server, and to another server."""
    far = other_site.url("/far.png", sends(b"moth"))
    site.url("/near", status(code, Location=far))
    assert fetch(site.url("/start", status(code, Location="near"))) == (b"moth", "far.png")


def test_redirects_without_end_are_given_up(site: Site) -> None:
    """A server cannot lead in circles."""
    assert "redirected more than 5 times" in refusal(site.url("/loop", status(302, Location="/loop")))
    assert len(site.asked) == 6


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:image/png,x", "http://[", "//a:b"]
)
def test_a_redirect_leads_nowhere_but_to_http(site: Site, location: str) -> None:
    """A server cannot make the program read a local file."""
    assert "no http or https address" in refusal(site.url("/start", status(302, Location=location)))


@pytest.mark.parametrize(("code", "said"), [(404, "404 Not Found"), (403, "403 Forbidden"), (500, "500"), (599, "599")])
def test_an_error_of_the_server_is_told_with_its_number(site: Site, code: int, said: str) -> None:
    """The body of such an answer is not taken for a photo."""
    assert said in refusal(site.url("/x.jpg", status(code)))


def test_a_redirect_without_a_place_is_an_error(site: Site) -> None:
    """As are answers that have no content."""
    assert "302 Found" in refusal(site.url("/x.jpg", status(302)))
    assert "sent nothing" in refusal(site.url("/y.jpg", status(200)))


def test_what_is_announced_too_large_is_not_waited_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The length alone decides; not a byte of the body needs to come."""
    monkeypatch.setattr(module, "MAX_BYTES", 2_000_000)

    def announced(handler: Handler) -> None:
        handler.head(Content_Length=2_000_001)
        handler.server.over.wait()

    assert "larger than 2 MB" in refusal(site.url("/x.jpg", announced))


def test_a_stream_without_end_is_cut_off(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """What has no length is counted while it comes."""
    monkeypatch.setattr(module, "MAX_BYTES", 1_000_000)

    def endless(handler: Handler) -> None:
        handler.head()
        while True:
            handler.wfile.write(bytes(65_536))

    assert "larger than 1 MB" in refusal(site.url("/x.jpg", endless))


def test_packed_content_is_unpacked_within_the_limit(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some servers send gzip unasked; a small file may not become an enormous one."""
    monkeypatch.setattr(module, "MAX_BYTES", 1_000_000)
    packed = gzip.compress(b"moth")
    assert fetch(site.url("/x.jpg", sends(packed, Content_Encoding="gzip")))[0] == b"moth"
    bomb = gzip.compress(bytes(3_000_000))
    assert "larger than 1 MB" in refusal(site.url("/y.jpg", sends(bomb, Content_Encoding="gzip")))
    assert "damaged" in refusal(site.url("/z.jpg", sends(b"moth", Content_Encoding="gzip")))


@pytest.mark.parametrize(
    "answer",
    [
        drips(HTTP_OK + b"\r\n"),
        drips(HTTP_OK + b"Content-Length: 1000000\r\n\r\n"),
        drips(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"),
        drips(HTTP_OK + b"X-Slow: "),
        lambda handler: handler.server.over.wait(),
    ],
    ids=["body", "body of known length", "chunks", "header", "silence"],
)
def test_a_slow_server_is_given_up(site: Site, monkeypatch: pytest.MonkeyPatch, answer: Answer) -> None:
    """The limit is one for the whole download, however often a byte arrives."""
    monkeypatch.setattr(module, "MAX_SECONDS", 0.2)
    begun = time.monotonic()
    assert "within 0.2 seconds" in refusal(site.url("/x.jpg", answer))
    assert time.monotonic() - begun < 10


def test_a_server_that_is_not_there_is_named() -> None:
    """Nobody listens, or the name is nobody's: a sentence each."""
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/x.jpg"
        assert "refuses the connection" in refusal(url)
        assert url in refusal(url)
    # An interface that is not there is the one name that is unknown without asking the network.
    assert "no computer of this name" in refusal("http://[fe80::1%25nowhere]/x.jpg")
    assert "check the address" in refusal(f"http://{'a' * 80}.org/x.jpg")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        HTTP_OK + b"Content-Length: 100\r\n\r\nmoth",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n64\r\nmoth",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nmoth\r\n",
        b"220 this is not a web server\r\n",
        HTTP_OK + b"X: y\r\n" * 200 + b"\r\nmoth",
        HTTP_OK + b"X: " + b"y" * 70_000 + b"\r\n\r\nmoth",
    ],
)
def test_half_an_answer_is_none(site: Site, answer: bytes) -> None:
    """A connection that breaks off, or speaks another language, is one sentence."""
    sentence = refusal(site.url("/x.jpg", lambda handler: handler.wfile.write(answer) and None))
    assert "broken off" in sentence or "damaged" in sentence


def test_a_web_page_is_not_taken_for_its_picture(site: Site) -> None:
    """The sentence tells what to give instead; a picture that is only called a page is taken."""
    page = sends(b"\n<!doctype html><img src='moth.jpg'>", Content_Type="text/html; charset=utf-8")
    assert "web page" in refusal(site.url("/moth", page))
    assert fetch(site.url("/moth.jpg", sends(b"\xff\xd8", Content_Type="text/html")))[0] == b"\xff\xd8"


def test_https_to_a_server_without_it_is_one_sentence(site: Site) -> None:
    """Nor is it fetched without encryption then."""
    assert "no secure connection" in refusal(site.url("/x.jpg", sends(b"moth")).replace("http:", "https:"))
    assert site.asked == []


def test_a_login_goes_to_its_own_server_only(site: Site, other_site: Site) -> None:
    """Through redirects within the server, but never to another."""
    far = other_site.url("/far", sends(b"moth"))
    site.url("/near", status(302, Location=far))
    site.url("/start", status(302, Location="/near"))
    fetch(f"http://curator:sec%3Aret@{site.host}/start")
    login = "Basic " + base64.b64encode(b"curator:sec:ret").decode()
    assert [fields.get("Authorization") for _, fields in site.asked] == [login, login]
    assert ["Authorization" in fields for _, fields in other_site.asked] == [False]


def test_no_message_tells_a_password_a_key_or_a_control_code(site: Site) -> None:
    """Neither of an address that is refused, nor of one that cannot be read."""
    for url in (
        f"http://curator:secret@{site.host}/x.jpg",
        f"http://secret@{site.host}/x.jpg?key=secret#secret",
        "http://curator:secret@[::1/x.jpg",
        "http://curator:sec@ret@127.0.0.1:99999/secret",
        "http://curator:secret/x@127.0.0.1/x.jpg",
        "http://curator:secret@/x.jpg",
    ):
        sentence = refusal(url)
        assert "secret" not in sentence
        assert "curator" not in sentence
    assert "\x1b" not in refusal(f"http://{site.host}/%1B[31m\x1b[31m.jpg")


def test_the_proxy_of_the_environment_is_asked(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the whole address; it alone looks for the host."""
    monkeypatch.setenv("http_proxy", f"http://{site.host}")
    site.answers["http://museum.invalid/moth.jpg"] = sends(b"moth")
    assert fetch("http://museum.invalid/moth.jpg")[0] == b"moth"
    monkeypatch.setenv("http_proxy", "socks5://127.0.0.1:9")
    assert "socks5" in refusal("http://museum.invalid/moth.jpg")


@given(st.text() | st.text(alphabet="htps:/@[]%?#.\\é 1a\x1b").map("http://".__add__))
def test_any_text_is_an_address_or_a_query_error(text: str) -> None:
    """What is an address is ASCII without blanks, and what is shown of it obeys no one."""
    with contextlib.suppress(QueryError):
        address = Address.parse(text)
        assert address.url.isascii()
        assert not any(character.isspace() for character in address.url)
        assert "\x1b" not in address.shown
        assert Address.parse(address.url).url == address.url


@given(st.text(alphabet=st.characters(exclude_characters="/?#[]@", categories=("L", "N", "P")), min_size=3))
def test_a_password_is_never_shown(secret: str) -> None:
    """Whatever it is made of."""
    said = "http://0.0/"
    with contextlib.suppress(QueryError):
        said = Address.parse(f"http://u:{secret}@0.0/").shown
    assert said == "http://0.0/"
