"""The terminal application in a browser: who is answered, and what a real browser shows."""

import asyncio
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from chromium import Chromium, find_chromium

from tui.web import guard


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, 200),
        ({"Origin": "http://127.0.0.1:8377"}, 200),
        ({"Origin": "http://localhost:8377", "Host": "localhost:8377"}, 200),
        ({"Origin": "https://elsewhere.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Host": "elsewhere.example:8377"}, 403),
    ],
)
def test_pages_of_other_sites_are_refused(fields: dict[str, str], status: int) -> None:
    """A browser tells whose page asks (Origin), and by which name it found us (Host)."""
    web = pytest.importorskip("aiohttp.web")
    utils = pytest.importorskip("aiohttp.test_utils")

    async def answer(_: object) -> object:
        return web.Response(text="a specimen")

    async def asked() -> tuple[int, str]:
        application = web.Application(middlewares=[guard(8377)])
        application.router.add_get("/", answer)
        async with utils.TestClient(utils.TestServer(application)) as client:
            response = await client.get("/", headers={"Host": "127.0.0.1:8377", **fields})
            return int(response.status), response.headers.get("Content-Security-Policy", "")

    answered, policy = asyncio.run(asked())
    assert answered == status
    assert status != 200 or policy.startswith("default-src 'self'")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(catalogue: Path, port: int | None = None) -> Iterator[str]:
    """The address at which `browse --web` answers; at another port where the first was taken after it was found."""
    for free in (port or _free_port(), _free_port()):
        with _serving(catalogue, free) as server:
            if _answers(server):
                yield f"http://127.0.0.1:{free}/"
                return
    pytest.fail("the program does not serve")


@contextmanager
def _serving(catalogue: Path, port: int) -> Iterator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "bioclip_search", "browse", "--web", "--port", str(port)]
    with subprocess.Popen(
        [*command, "--catalogue", str(catalogue)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as server:
        try:
            yield server
        finally:
            server.terminate()
            server.communicate()


def _answers(server: "subprocess.Popen[str]") -> bool:
    """Whether the program goes on after it was ready: where its port is taken it ends then."""
    assert server.stdout is not None
    next((line for line in server.stdout if "Ctrl+C" in line), "")
    with suppress(subprocess.TimeoutExpired):
        server.wait(1)
        return False
    return True


def test_a_port_that_was_taken_meanwhile_is_left(drawer: Path) -> None:
    """Between finding a free port and using it, another process may take it."""
    pytest.importorskip("textual_serve")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with served(drawer, port) as address:
            assert not address.endswith(f":{port}/")


@pytest.mark.skipif(find_chromium() is None, reason="there is no Chromium on this computer")
def test_a_browser_shows_it_and_its_keys_work(drawer: Path, tmp_path: Path) -> None:
    """The page shows the photos in colours, ? opens the help, and no other site is asked for anything."""

    async def look(address: str) -> None:
        async with Chromium(tmp_path).showing(address) as page:
            await page.until(lambda: "Results" in page.text and "DEMO-" in page.text)
            assert await page.colours() > 200
            await page.press("?")
            await page.until(lambda: "Help" in page.text.rpartition("DEMO-")[2])
            assert {url for url in page.asked if not url.startswith((address, "data:"))} <= page.refused

    with served(drawer) as address:
        asyncio.run(look(address))
