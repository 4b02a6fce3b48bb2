"""A WebSocket canister written with Python's websockets. The first word of the last message says how it answers:

text …      the rest of the message        wait S …   the same after S seconds, others meanwhile
drop        closes the connection          silent     never answers
error       an error message               garbage    something that is not JSON, then the answer
empty       an answer without text         deaf       answers no ping from now on (it stops reading)

Anything else is answered with a sentence. Prints its port as one line; what it was asked goes to /asked as the answer's metadata.
"""

import asyncio
import json
import sys

try:
    import websockets
except ImportError:
    sys.exit("Python's websockets is missing: apt-get install python3-websockets")

REQUIRED = {"type", "request_id", "conversation_id", "user_id", "system_prompt", "messages", "context_metadata"}
METADATA = {"thread_title", "user_tier", "timestamp", "message_count", "estimated_tokens"}


async def answer(socket, request):
    missing = sorted(REQUIRED - request.keys()) + sorted(METADATA - request["context_metadata"].keys())
    kind, _, rest = request["messages"][-1]["content"].partition(" ")
    text = f"missing: {missing}" if missing else "Harbor keeps objects."
    if kind == "wait":
        seconds, _, rest = rest.partition(" ")
        await asyncio.sleep(float(seconds))
    if kind in ("text", "wait") and not missing:
        text = rest
    if kind == "silent":
        return
    if kind == "drop":
        await socket.close()
        return
    if kind == "deaf":
        socket.transport.pause_reading()
        return
    if kind == "garbage":
        await socket.send("no json {")
        await socket.send(json.dumps([1, 2]))
    if kind == "empty":
        text = ""
    await socket.send(
        json.dumps(
            {
                "type": "error" if kind == "error" else "response",
                "request_id": request["request_id"],
                "conversation_id": request["conversation_id"],
                "response": text,
                "model_used": "canister-1",
                "confidence_score": 0.9,
                "processing_time_ms": 3,
                "token_count": 120,
                "metadata": {},
            }
        )
    )


async def serve(socket, *_path):
    async for text in socket:
        asyncio.ensure_future(answer(socket, json.loads(text)))


async def main():
    async with websockets.serve(serve, "127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0, ping_interval=None) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        # Ends with the process that started it.
        await asyncio.get_event_loop().run_in_executor(None, sys.stdin.read)


asyncio.run(main())
