"""A foreign Socket.IO client (python-socketio) that does what it is told: one JSON command a line, one JSON answer a line.

{"do": "open", "url", "transports"?, "headers"?, "auth"?, "wait"?}  {"ok": true, "transport"} or {"refused": what the server said}
{"do": "emit", "event", "data", "ack"?}                     {"ok": true} or {"ack": data}
{"do": "receive", "timeout"?}                               {"event", "data"}, {"closed": true} or {"timeout": true}
{"do": "close"}                                             {"ok": true}
"""

import asyncio
import sys

try:
    import aiohttp  # noqa: F401  (python-socketio needs it for its asynchronous client)
    import socketio
except ImportError:
    sys.exit("Python's socketio or aiohttp is missing: apt-get install python3-socketio python3-aiohttp")

from commands import obey


def listen(client, heard):
    @client.on("*")
    async def on_any(event, data=None):
        await heard.put({"event": event, "data": data})

    @client.on("connect_error")
    async def on_refused(data=None):
        await heard.put({"refused": data})

    @client.event
    async def disconnect():
        await heard.put({"closed": True})


async def handle(state, command):
    what = command["do"]
    if what == "open":
        client, heard = socketio.AsyncClient(reconnection=False), asyncio.Queue()
        state.update(client=client, heard=heard)
        listen(client, heard)
        try:
            await client.connect(
                command["url"],
                transports=command.get("transports", ["websocket"]),
                headers=command.get("headers", {}),
                auth=command.get("auth"),
                wait_timeout=command.get("wait", 10),
            )
        except socketio.exceptions.ConnectionError as error:
            told = None if heard.empty() else heard.get_nowait().get("refused")
            return {"refused": told if told is not None else str(error)}
        return {"ok": True, "transport": client.transport()}
    client = state["client"]
    if what == "emit":
        if command.get("ack"):
            return {"ack": await client.call(command["event"], command.get("data"), timeout=10)}
        await client.emit(command["event"], command.get("data"))
        return {"ok": True}
    if what == "receive":
        try:
            return await asyncio.wait_for(state["heard"].get(), command.get("timeout", 10))
        except asyncio.TimeoutError:
            return {"timeout": True}
    if what == "close":
        await client.disconnect()
        return {"ok": True}
    return {"error": f"unknown command {what}"}


asyncio.run(obey(handle))
