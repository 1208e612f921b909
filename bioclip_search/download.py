"""The picture at an http:// or https:// address, bounded in bytes, in seconds and in redirects.

The standard library does the talking, with the proxy that the environment names. Only these two
schemes are ever opened, whatever a server redirects to.
"""

import base64
import io
import queue
import socket
import ssl
import string
import threading
import time
import zlib
from dataclasses import dataclass, replace
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse, IncompleteRead
from pathlib import PurePosixPath
from urllib.error import URLError
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit
from urllib.request import HTTPHandler, HTTPSHandler, OpenerDirector, ProxyHandler, Request, UnknownHandler

from bioclip_search._version import __version__
from bioclip_search.errors import QueryError
from bioclip_search.text import printable

__all__ = ["MAX_BYTES", "MAX_REDIRECTS", "MAX_SECONDS", "Address", "download"]

MAX_BYTES = 200_000_000
MAX_SECONDS = 60.0
MAX_REDIRECTS = 5

_CHUNK = 65_536
_REDIRECTS = (301, 302, 303, 307, 308)
_HEADERS = {"User-Agent": f"bioclip-search/{__version__}", "Accept": "image/*, */*;q=0.5"}
_GET_ANOTHER_WAY = "download the picture in another way and give its path"
_REMEDIES = {
    401: "write https://USER:PASSWORD@… if you have a login",
    403: _GET_ANOTHER_WAY,
    407: "write the proxy's USER:PASSWORD into the variable http_proxy or https_proxy",
    429: "try again later",
}


@dataclass(frozen=True, slots=True)
class Address:
    """An address that can be asked for: ASCII, without user, password and fragment.

    `shown` is what a message may say: no login, and no query, which may hold a key.
    """

    url: str
    shown: str
    origin: tuple[str, str]
    authorization: str | None = None

    @classmethod
    def parse(cls, text: str, encoding: str = "utf-8") -> "Address":
        """Read an http:// or https:// address; letters beyond ASCII are encoded. Raises QueryError."""
        try:
            return cls._of(urlsplit(text.strip()), encoding)
        except ValueError as error:
            # It is not repeated: in an address that cannot be read, no one can tell where a password is.
            raise QueryError(
                "The address of the photo is not valid; write it like https://example.org/photo.jpg, "
                "special characters in a password as %-codes."
            ) from error

    @classmethod
    def _of(cls, parts: SplitResult, encoding: str) -> "Address":
        host = parts.hostname
        if parts.scheme not in ("http", "https") or not host:
            raise ValueError("neither http nor https, or no host")
        host = host if host.isascii() else host.encode("idna").decode("ascii")
        host = quote(f"[{host}]" if ":" in host else host, safe="[]:%")
        host = host if parts.port is None else f"{host}:{parts.port}"
        path = quote(parts.path or "/", safe=string.punctuation, encoding=encoding)
        query = quote(parts.query, safe=string.punctuation, encoding=encoding)
        url = f"{parts.scheme}://{host}{path}"
        return cls(
            url=f"{url}?{query}" if query else url,
            shown=printable(unquote(url)) + ("?…" if query else ""),
            origin=(parts.scheme, host),
            authorization=_basic(parts.username, parts.password),
        )

    @property
    def name(self) -> str:
        """The name of a file in the address, by which camera RAW files are told."""
        return PurePosixPath(unquote(urlsplit(self.url).path)).name


def _basic(user: str | None, password: str | None) -> str | None:
    """The value of an Authorization header (RFC 7617)."""
    if not user and not password:
        return None
    login = f"{unquote(user or '')}:{unquote(password or '')}"
    return "Basic " + base64.b64encode(login.encode()).decode("ascii")


def download(address: Address) -> tuple[bytes, Address]:
    """The bytes at an address, and the address that they came from in the end.

    Raises QueryError for an address that cannot be reached, an answer that is an error, empty or
    a web page, and what is larger or slower than the limits of this module.
    """
    outcome: queue.SimpleQueue[tuple[bytes, Address] | Exception] = queue.SimpleQueue()
    deadline = time.monotonic() + MAX_SECONDS

    def work() -> None:
        try:
            outcome.put(_fetch(address, deadline))
        except Exception as error:
            outcome.put(error)  # it is raised where the outcome is awaited

    # A socket's timeout bounds one wait, not their sum, and not the search for a host's number.
    # A thread that is given up ends at the next byte of a body, or when none comes; else with the program.
    threading.Thread(target=work, name="download", daemon=True).start()
    try:
        found = outcome.get(timeout=MAX_SECONDS)
    except queue.Empty:
        found = TimeoutError()
    if isinstance(found, QueryError):
        raise found
    if isinstance(found, Exception):
        raise _as_query_error(address, found) from found
    return found


def _fetch(asked: Address, deadline: float) -> tuple[bytes, Address]:
    opener = OpenerDirector()
    for handler in (ProxyHandler(), HTTPHandler(), HTTPSHandler(), UnknownHandler()):
        opener.add_handler(handler)
    address = asked
    for _ in range(MAX_REDIRECTS + 1):
        request = Request(address.url, headers=_HEADERS)  # noqa: S310 - Address has checked the scheme
        if address.authorization:
            request.add_header("Authorization", address.authorization)
        with opener.open(request, timeout=MAX_SECONDS) as response:
            location = response.headers.get("Location")
            if response.status not in _REDIRECTS or not location:
                return _body(asked, response, deadline), address
            address = _redirected(asked, address, location)
    raise _refusal(asked, f"it is redirected more than {MAX_REDIRECTS} times", "give the address of the picture itself")


def _redirected(asked: Address, address: Address, location: str) -> Address:
    """Where a server sends us to; a login stays with the server that it was written for."""
    try:
        # Header fields arrive as Latin-1, whatever bytes they are.
        target = Address.parse(urljoin(address.url, location), encoding="latin-1")
    except (QueryError, ValueError) as error:
        raise _refusal(
            asked, "it is redirected to what is no http or https address", "give the address of the picture itself"
        ) from error
    kept = address.authorization if target.origin == address.origin else None
    return replace(target, authorization=target.authorization or kept)


def _body(asked: Address, response: HTTPResponse, deadline: float) -> bytes:
    if not 200 <= response.status < 300:
        raise _refusal(asked, _status(response.status), _REMEDIES.get(response.status, "check the address"))
    length = response.length
    if length is not None and length > MAX_BYTES:
        raise _too_large(asked)
    body = io.BytesIO()
    while length is None or body.tell() < length:
        chunk = response.read1(_CHUNK)
        if not chunk:
            break
        body.write(chunk)
        if body.tell() > MAX_BYTES:
            raise _too_large(asked)
        if time.monotonic() > deadline:
            raise TimeoutError
    if length is not None and body.tell() < length:
        raise _refusal(asked, "the connection was broken off", "try again")
    return _picture(asked, response, _unpacked(asked, response, body.getvalue()))


def _unpacked(asked: Address, response: HTTPResponse, data: bytes) -> bytes:
    """The content as it was before a server packed it, which we do not ask for but some do."""
    if (response.headers.get("Content-Encoding") or "").strip().lower() not in ("gzip", "x-gzip", "deflate"):
        return data
    unpacked = zlib.decompressobj(wbits=47).decompress(data, MAX_BYTES + 1)
    if len(unpacked) > MAX_BYTES:
        raise _too_large(asked)
    return unpacked


def _picture(asked: Address, response: HTTPResponse, data: bytes) -> bytes:
    if not data:
        raise _refusal(asked, "the server sent nothing", "check the address")
    if response.headers.get_content_type() in ("text/html", "application/xhtml+xml") and data.lstrip()[:1] == b"<":
        raise _refusal(asked, "this is a web page", "give the address of the picture that is on it")
    return data


def _status(code: int) -> str:
    try:
        return f"the server answers {code} {HTTPStatus(code).phrase}"
    except ValueError:
        return f"the server answers {code}"


def _too_large(asked: Address) -> QueryError:
    return _refusal(asked, f"it is larger than {MAX_BYTES / 1e6:.0f} MB", "download it and give its path")


def _refusal(asked: Address, reason: str, remedy: str) -> QueryError:
    return QueryError(f"The photo {asked.shown} cannot be fetched ({printable(reason)}); {remedy}.")


def _as_query_error(asked: Address, error: Exception) -> QueryError:
    """One sentence for whatever sockets, TLS and HTTP raise."""
    if isinstance(error, URLError):
        error = error.reason if isinstance(error.reason, Exception) else OSError(error.reason)
    match error:
        case TimeoutError():
            return _refusal(asked, f"it did not arrive within {MAX_SECONDS:.4g} seconds", _GET_ANOTHER_WAY)
        case socket.gaierror():
            return _refusal(asked, "no computer of this name is found", "check the address and the network")
        case ConnectionRefusedError():
            return _refusal(asked, "the server refuses the connection", "check the address and the network")
        case ssl.SSLCertVerificationError():
            return _refusal(asked, f"its certificate is not valid: {error.verify_message}", _GET_ANOTHER_WAY)
        case ssl.SSLError():
            return _refusal(asked, "no secure connection can be made", "check whether it begins with http or https")
        case ConnectionError() | IncompleteRead():
            return _refusal(asked, "the connection was broken off", "try again")
        case MemoryError():
            return _refusal(asked, "there is not enough memory", "name a smaller picture")
        case HTTPException() | zlib.error():
            return _refusal(asked, "the answer is damaged", _GET_ANOTHER_WAY)
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return _refusal(asked, reason, "check the address and the network")
