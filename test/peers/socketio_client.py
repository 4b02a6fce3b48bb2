"""A foreign Socket.IO client that knows only the base events of the ERP dialect.

usage: socketio_client.py URL TOKEN MESSAGE [polling]. Prints one JSON line with what it heard.
"""

import asyncio
import json
import sys

try:
    import aiohttp  # noqa: F401  (python-socketio needs it for its asynchronous client)
    import socketio
except ImportError:
    sys.exit("Python's socketio or aiohttp is missing: apt-get install python3-socketio python3-aiohttp")


async def main():
    url, token, message = sys.argv[1:4]
    transports = ["polling"] if "polling" in sys.argv[4:] else ["websocket"]
    client = socketio.AsyncClient(reconnection=False)
    heard = {"pieces": [], "statuses": [], "errors": []}
    ended, answered = asyncio.Event(), asyncio.Event()

    @client.on("ai_stream")
    async def on_stream(data):
        heard["pieces"].append([data["content"], data["is_final"], data["message_id"]])
        if data["is_final"]:
            ended.set()

    @client.on("ai_status")
    async def on_status(data):
        heard["statuses"].append(data["status"])

    @client.on("ai_chat")
    async def on_chat(data):
        heard["response"], heard["timestamp"] = data["response"], data["timestamp"]
        answered.set()

    @client.on("error")
    async def on_error(data):
        heard["errors"].append(data["code"])
        ended.set()
        answered.set()

    try:
        await client.connect(url, transports=transports, headers={"Authorization": f"Bearer {token}"})
    except socketio.exceptions.ConnectionError as error:
        print(json.dumps({"refused": str(error)}))
        return
    heard["transport"] = client.transport()
    await client.emit("ai_stream", {"message": message, "context": {"client": "Northwind"}, "session_id": "python"})
    await asyncio.wait_for(ended.wait(), 20)
    await client.emit("ai_chat", {"message": message})
    await asyncio.wait_for(answered.wait(), 20)
    await client.disconnect()
    print(json.dumps(heard))


asyncio.run(main())
