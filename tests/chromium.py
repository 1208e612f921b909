"""A headless Chromium, told what to do by the Chrome DevTools Protocol."""

import asyncio
import base64
import io
import re
import shutil
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from PIL import Image

__all__ = ["Chromium", "Page", "find_chromium"]

_PATIENCE = 60
_OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0", "--window-size=1200,800")


def find_chromium() -> str | None:
    """The program, where it is installed."""
    names = ("chromium", "chromium-browser", "google-chrome", "chrome")
    return next((found for name in names if (found := shutil.which(name))), None)


class Chromium:
    """Starts the browser with a profile of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @asynccontextmanager
    async def showing(self, address: str) -> AsyncIterator["Page"]:
        """The page at an address; the browser is ended afterwards."""
        import aiohttp

        program = find_chromium()
        assert program is not None
        browser = await asyncio.create_subprocess_exec(
            program, *_OPTIONS, f"--user-data-dir={self._folder / 'profile'}", "about:blank",
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            async with aiohttp.ClientSession() as session:
                port = await _debugging_port(browser)
                async with session.get(f"http://127.0.0.1:{port}/json/list") as answer:
                    target = next(page for page in await answer.json() if page["type"] == "page")
                async with session.ws_connect(target["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                    page = Page(socket)
                    await page.open(address)
                    yield page
        finally:
            browser.kill()
            await browser.wait()


async def _debugging_port(browser: asyncio.subprocess.Process) -> str:
    assert browser.stderr is not None
    async for line in browser.stderr:
        if found := re.search(rb"listening on ws://[^:]+:(\d+)/", line):
            return found[1].decode()
    raise AssertionError("Chromium did not start.")


class Page:
    """What a page asked for, and what its terminal was sent."""

    def __init__(self, socket: Any) -> None:
        self._socket = socket
        self._calls = 0
        self._urls: dict[str, str] = {}
        self.text = ""
        self.asked: set[str] = set()
        self.refused: set[str] = set()

    async def open(self, address: str) -> None:
        for domain in ("Page", "Network"):
            await self.call(f"{domain}.enable")
        await self.call("Page.navigate", url=address)

    async def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command of the protocol; what happened meanwhile is noted."""
        self._calls += 1
        call = self._calls
        await self._socket.send_json({"id": call, "method": method, "params": parameters})
        while True:
            told = (await self._socket.receive()).json()
            if told.get("id") == call:
                assert "error" not in told, told
                return dict(told["result"])
            self._note(told["method"], told["params"])

    def _note(self, method: str, told: dict[str, Any]) -> None:
        if method == "Network.webSocketFrameReceived":
            frame = told["response"]
            content = base64.b64decode(frame["payloadData"]) if frame["opcode"] == 2 else b""
            self.text += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", content.decode(errors="replace"))
        elif method == "Network.requestWillBeSent":
            self._urls[told["requestId"]] = told["request"]["url"]
            self.asked.add(told["request"]["url"])
        elif method == "Network.loadingFailed" and told.get("blockedReason") == "csp":
            self.refused.add(self._urls[told["requestId"]])

    async def until(self, condition: Callable[[], object]) -> None:
        """Ask the page for nothing in particular until the condition holds."""
        end = time.monotonic() + _PATIENCE
        while not condition():
            assert time.monotonic() < end, self.text[-2000:]
            await self.call("Runtime.evaluate", expression="1")
            await asyncio.sleep(0.02)

    async def press(self, key: str) -> None:
        """A key that writes a character, in the terminal of the page."""
        await self.call("Runtime.evaluate", expression="document.querySelector('.xterm-helper-textarea').focus()")
        await self.call("Input.dispatchKeyEvent", type="keyDown", key=key, text=key)
        await self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    async def colours(self) -> int:
        """How many colours are on the screen."""
        shot = await self.call("Page.captureScreenshot")
        picture = Image.open(io.BytesIO(base64.b64decode(shot["data"]))).convert("RGB")
        return len(picture.getcolors(1 << 24) or ())
