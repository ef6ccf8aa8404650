"""The server answers its own page alone: address, origin, host and token; and it ends a page that sends nonsense."""

import asyncio
import json

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPClientError, HTTPRequest
from tornado.websocket import websocket_connect

from riemopt.explore.conversation import Limits
from riemopt.explore.presets import PRESETS
from riemopt.explore.requests import MOST_CHARACTERS
from riemopt.explore.server import MOST_PAGES, application, hosts, listen

TOKEN = "t" * 40
OPENING = {**PRESETS[0], "family": "exponential", "charts": ["rate = 1/r"], "start": [1.0], "integrators": ["ng"]}
OPENING["data"] = {"kind": "drawn", "point": None, "size": 50, "seed": 0}
OPEN = {name: OPENING[name] for name in ("family", "charts", "data", "start", "integrators", "step_size")}
OPEN |= {"type": "open", "id": 1, "steps": 2}


def with_server(use, limits=None):
    """Run a coroutine function with the address of a server, which ends with it."""

    async def run():
        app = application(TOKEN, OPENING, limits)
        port = listen(app, 0)
        try:
            await asyncio.wait_for(use(app, f"127.0.0.1:{port}"), 60)
        finally:
            while _sockets:
                _sockets.pop().close()
            app.settings["server"].stop()
            for page in list(app.settings["pages"]):
                page.on_close()

    asyncio.run(run())


async def get(address, **headers):
    try:
        return await AsyncHTTPClient().fetch(HTTPRequest(f"http://{address}", headers=headers))
    except HTTPClientError as error:
        return error.response


_sockets = []


async def connected(host):
    request = HTTPRequest(f"ws://{host}/socket?token={TOKEN}", headers={"Origin": f"http://{host}"})
    _sockets.append(await websocket_connect(request))
    return _sockets[-1]


async def refused(host, token=TOKEN, **headers):
    """Whether a socket is refused before there is one."""
    upgrade = {"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13"}
    upgrade |= {"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Origin": f"http://{host}", **headers}
    return (await get(f"{host}/socket?token={token}", **upgrade)).code == 403


async def answered(socket, kind):
    """The next answer of a type; None where the socket is closed first."""
    while (message := await socket.read_message()) is not None:
        answer = json.loads(message)
        if answer["type"] == kind:
            return answer
    return None


def test_the_page_is_given_to_who_has_the_token():
    async def use(app, host):
        page = await get(f"{host}/?token={TOKEN}")
        assert page.code == 200 and b"explorer" in page.body
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        for address in (f"{host}/", f"{host}/?token=", f"{host}/?token={TOKEN}x", f"{host}/?token=%ff"):
            answer = await get(address)
            assert answer.code in (400, 403) and b"token" in answer.body
            assert b"script" not in answer.body

    with_server(use)


def test_the_files_of_the_page_are_there_and_no_others():
    async def use(app, host):
        for name in ("explorer.js", "host.js", "explorer.css"):
            assert (await get(f"{host}/{name}")).code == 200
        for name in ("page.html", "../setup.cfg", "..%2fserver.py", "socket"):
            assert (await get(f"{host}/{name}")).code >= 400

    with_server(use)


def test_another_name_for_this_machine_is_refused():
    """As of a page that has its own name point here."""

    async def use(app, host):
        assert (await get(f"{host}/?token={TOKEN}", Host="attacker.example")).code == 403
        assert await refused(host, Host="attacker.example", Origin="http://attacker.example")

    with_server(use)


@pytest.mark.parametrize("origin", ["http://attacker.example", "null", "https://127.0.0.1", "http://127.0.0.1:1", ""])
def test_a_page_from_elsewhere_cannot_connect(origin):
    async def use(app, host):
        assert await refused(host, Origin=origin)

    with_server(use)


def test_nobody_connects_without_the_token():
    async def use(app, host):
        for token in ("", TOKEN[:-1], TOKEN + "t"):
            assert await refused(host, token)

    with_server(use)


@pytest.mark.parametrize("frame", ["", "nonsense", "[]", '{"type": "run", "id": 1}', b"\xff\xfe"], ids=repr)
def test_a_frame_that_is_no_request_closes_the_socket_with_a_reason(frame):
    async def use(app, host):
        socket = await connected(host)
        assert (await answered(socket, "hello"))["kind"] == "server"
        await socket.write_message(frame, binary=isinstance(frame, bytes))
        assert await answered(socket, "none") is None
        assert socket.close_code == 1008 and socket.close_reason
        while app.settings["pages"]:
            await asyncio.sleep(0.02)

    with_server(use)


def test_a_frame_that_is_too_long_closes_the_socket():
    async def use(app, host):
        socket = await connected(host)
        await socket.write_message("x" * (MOST_CHARACTERS + 1))
        assert await answered(socket, "none") is None
        assert socket.close_code == 1008 and str(MOST_CHARACTERS) in socket.close_reason

    with_server(use)


def test_only_so_many_pages_are_open_at_once():
    async def use(app, host):
        sockets = [await connected(host) for _ in range(MOST_PAGES + 1)]
        assert await answered(sockets[-1], "none") is None
        assert sockets[-1].close_code == 1013
        assert len(app.settings["pages"]) == MOST_PAGES

    with_server(use)


def test_each_page_has_a_study_of_its_own_and_gives_it_back():
    async def use(app, host):
        first, second = await connected(host), await connected(host)
        await first.write_message(json.dumps(OPEN))
        opened = await answered(first, "opened")
        assert [chart["label"] for chart in opened["charts"]] == ["rate", "rate = 1/r"]
        run = {"type": "run", "id": 2, "start": [1.0], "integrators": ["ng"], "step_size": 0.5, "steps": 3}
        await second.write_message(json.dumps(run))
        assert "no study" in (await answered(second, "refused"))["reason"]
        await first.write_message(json.dumps(run))
        assert len((await answered(first, "ran"))["gap"][0]) == 4
        (page,) = [page for page in app.settings["pages"] if page.conversation._study]
        worker = page.conversation._study
        assert worker.is_alive
        first.close()
        while page in app.settings["pages"]:
            await asyncio.sleep(0.02)
        assert not worker.is_alive

    with_server(use)


def test_limits_are_those_that_were_given():
    class Short(Limits):
        piece = 0.001

    async def use(app, host):
        socket = await connected(host)
        await socket.write_message(json.dumps(OPEN))
        assert "took longer" in (await answered(socket, "refused"))["reason"]

    with_server(use, Short())


def test_the_hosts_are_names_of_this_machine_alone():
    assert hosts(80) == ("127.0.0.1:80", "localhost:80")
