"""The loop of every foreign peer that does what it is told: one JSON command a line, one JSON answer a line."""

import asyncio
import json
import sys


async def obey(handle):
    """`handle(state, command)` gives the answer; `state` is its own, empty at first."""
    state = {}
    lines = asyncio.StreamReader(limit=2**24)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        try:
            answer = await handle(state, json.loads(line))
        except Exception as error:  # told to the one who commands, who decides whether it was expected
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)
