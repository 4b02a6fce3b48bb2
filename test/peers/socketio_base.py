"""A foreign Socket.IO server that knows only the base events of the ERP dialect: ai_stream, ai_status, error.

Prints its port as one line. --ack none|empty|own says how it acknowledges; --token T lets only that token in;
--no-websocket leaves it with HTTP long polling.
"""

import argparse
import asyncio
import sys

try:
    import socketio
    from aiohttp import web
except ImportError:
    sys.exit("Python's socketio or aiohttp is missing: apt-get install python3-socketio python3-aiohttp")

from base_answers import steps

MESSAGE_ID = "peer-1"
CODES = {"UNAVAILABLE": 4001, "INVALID_ARGUMENT": 4002, "RESOURCE_EXHAUSTED": 4003, "OUT_OF_RANGE": 4004}


async def answer(server, sid, message):
    for step in steps(message):
        if step[0] == "piece":
            await server.emit("ai_stream", {"content": step[1], "is_final": step[2], "message_id": MESSAGE_ID}, to=sid)
        elif step[0] == "wait":
            await asyncio.sleep(step[1])
            if not server.manager.is_connected(sid, "/"):
                return
        elif step[0] == "garbage":
            for bad in (None, [1], "text", {"content": 5, "is_final": "no"}):
                await server.emit("ai_stream", bad, to=sid)
        elif step[0] == "error":
            error = {"code": CODES[step[1]], "message": "the peer's own words", "retry_after": 2}
            await server.emit("error", error, to=sid)
            return
        elif step[0] == "cut":
            await server.disconnect(sid)
            return
        else:
            return


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--ack", choices=["none", "empty", "own"], default="empty")
    parser.add_argument("--token")
    parser.add_argument("--no-websocket", action="store_true")
    options = parser.parse_args()

    transports = ["polling"] if options.no_websocket else ["polling", "websocket"]
    server = socketio.AsyncServer(async_mode="aiohttp", transports=transports)

    @server.event
    async def connect(_sid, _environ, auth):
        if options.token is not None and (auth or {}).get("token") != options.token:
            raise socketio.exceptions.ConnectionRefusedError("authentication failed")

    @server.event
    async def ai_stream(sid, data):
        await server.emit("ai_status", {"status": "thinking", "message_id": MESSAGE_ID, "progress": 10}, to=sid)
        server.start_background_task(answer, server, sid, data["message"])
        return {"none": server.not_handled, "empty": None, "own": {"received": True}}[options.ack]

    app = web.Application()
    server.attach(app)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    print(site._server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)  # lives as long as the test
    await runner.cleanup()


asyncio.run(main())
