"""A real web server on this computer whose every answer a test writes."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer

Answer = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    """One request."""

    server: "Site"

    def do_GET(self) -> None:
        self.server.asked.append((self.path, dict(self.headers)))
        with suppress(ConnectionError):
            self.server.answers.get(self.path, status(404))(self)

    def head(self, code: int = 200, **fields: object) -> None:
        """Send the status line and the header fields, “_” in their names standing for “-”."""
        self.send_response(code)
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), str(value))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


class Site(ThreadingTCPServer):
    """Answers by path; `asked` are the paths and header fields of the requests; `over` is set at the end."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, Answer] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.over = threading.Event()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_address[1]}"

    def url(self, path: str, answer: Answer) -> str:
        """The address at which there is now an answer."""
        self.answers[path] = answer
        return f"http://{self.host}{path}"


@contextmanager
def serving() -> Iterator[Site]:
    """A server that runs in a thread until the test is over."""
    with Site() as site:
        thread = threading.Thread(target=site.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield site
        finally:
            site.over.set()
            site.shutdown()
            thread.join()


def sends(data: bytes, **fields: object) -> Answer:
    """An answer with its length, as most servers give."""

    def answer(handler: Handler) -> None:
        handler.head(Content_Length=len(data), **fields)
        handler.wfile.write(data)

    return answer


def status(code: int, **fields: object) -> Answer:
    """An answer without a body."""
    return lambda handler: handler.head(code, Content_Length=0, **fields)


def drips(first: bytes) -> Answer:
    """After the first bytes, one byte again and again, so that no single wait is long."""

    def answer(handler: Handler) -> None:
        handler.wfile.write(first)
        while not handler.server.over.wait(0.01):
            handler.wfile.write(b"x")

    return answer
