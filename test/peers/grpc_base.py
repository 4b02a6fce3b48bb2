"""A foreign gRPC service that knows only the base fields of ai.AICopilot (numbers 1 to 3).

It has no generated code, so nothing of ours can leak into it.
Prints its port as one line. With --slim it serves StreamChat alone: no HealthCheck.
"""

import sys
import time
from concurrent import futures

try:
    import grpc
except ImportError:
    sys.exit("Python's grpcio is missing: apt-get install python3-grpcio")

from base_answers import steps
from protobuf import decode, delimited, varint

MESSAGE_ID = "peer-1"


def text_field(number, text):
    return delimited(number, text.encode("utf-8")) if text else b""


def message_of(request):
    """Field 1 of a StreamRequest; whatever else is in it is skipped, as a base peer would."""
    return decode(request).get(1, [b""])[-1].decode("utf-8")


def stream_response(content, is_final):
    final = varint(2 << 3) + b"\x01" if is_final else b""
    return text_field(1, content) + final + text_field(3, MESSAGE_ID)


def stream_chat(request, context):
    for step in steps(message_of(request)):
        if step[0] == "piece":
            yield stream_response(step[1], step[2])
        elif step[0] == "wait":
            time.sleep(step[1])
            if not context.is_active():
                return
        elif step[0] == "garbage":
            yield b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"
        elif step[0] == "error":
            context.abort(getattr(grpc.StatusCode, step[1]), "the peer's own words")
        elif step[0] == "cut":
            context.abort(grpc.StatusCode.UNAVAILABLE, "going away")
        else:
            return


def health_check(_request, _context):
    return varint(1 << 3) + b"\x01" + text_field(2, "ok")


def same(data):
    return data


def main():
    handlers = {"StreamChat": grpc.unary_stream_rpc_method_handler(stream_chat, same, same)}
    if "--slim" not in sys.argv:
        handlers["HealthCheck"] = grpc.unary_unary_rpc_method_handler(health_check, same, same)
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=8))
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("ai.AICopilot", handlers),))
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    sys.stdin.read()  # lives as long as the test that holds its standard input
    server.stop(None)


main()
