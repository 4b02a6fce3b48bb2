"""A foreign WebSocket client (Python's websockets) that does what it is told: one JSON command a line, one JSON answer a line.

{"do": "open", "url", "headers"?, "subprotocols"?}   {"ok": true, "subprotocol"} or {"status"} of a refused upgrade
{"do": "send", "text"} or {"do": "send", "base64"}   {"ok": true}
{"do": "receive", "timeout"?}                         {"text"}, {"closed": code, "reason"} or {"timeout": true}
{"do": "close"}                                       {"ok": true}
"""

import asyncio
import base64
import sys

try:
    import websockets
except ImportError:
    sys.exit("Python's websockets is missing: apt-get install python3-websockets")

from commands import obey


async def handle(state, command):
    what = command["do"]
    if what == "open":
        try:
            state["socket"] = await websockets.connect(
                command["url"],
                extra_headers=command.get("headers", {}),
                subprotocols=command.get("subprotocols") or None,
                ping_interval=None,
                max_size=None,
                open_timeout=10,
            )
        except websockets.InvalidStatusCode as error:
            return {"status": error.status_code}
        return {"ok": True, "subprotocol": state["socket"].subprotocol}
    socket = state["socket"]
    if what == "send":
        await socket.send(command["text"] if "text" in command else base64.b64decode(command["base64"]))
        return {"ok": True}
    if what == "receive":
        try:
            return {"text": await asyncio.wait_for(socket.recv(), command.get("timeout", 10))}
        except asyncio.TimeoutError:
            return {"timeout": True}
        except websockets.ConnectionClosed:
            return {"closed": socket.close_code, "reason": socket.close_reason}
    if what == "close":
        await socket.close()
        return {"ok": True}
    return {"error": f"unknown command {what}"}


asyncio.run(obey(handle))
