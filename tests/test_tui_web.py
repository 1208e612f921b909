"""The terminal application in a browser: who is answered."""

import asyncio

import pytest

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

    async def asked() -> int:
        application = web.Application(middlewares=[guard(8377)])
        application.router.add_get("/", answer)
        async with utils.TestClient(utils.TestServer(application)) as client:
            response = await client.get("/", headers={"Host": "127.0.0.1:8377", **fields})
            return int(response.status)

    assert asyncio.run(asked()) == status
