"""A foreign gRPC client that knows only fields 1 to 9 of ai.AICopilot, encoded by hand.

usage: grpc_client.py ADDRESS TOKEN MESSAGE. Prints one JSON line with what it heard.
"""

import json
import sys

try:
    import grpc
except ImportError:
    sys.exit("Python's grpc is missing: apt-get install python3-grpcio")

from protobuf import decode, delimited


def text(number, value):
    return delimited(number, value.encode())


def last(fields, number, default):
    return fields.get(number, [default])[-1]


def main():
    address, token, message = sys.argv[1:4]
    metadata = [("authorization", f"Bearer {token}")] if token else []
    heard = {}
    with grpc.insecure_channel(address) as channel:
        def method(kind, name):
            return kind(f"/ai.AICopilot/{name}", request_serializer=bytes, response_deserializer=decode)

        health = method(channel.unary_unary, "HealthCheck")(b"", timeout=10)
        heard["healthy"] = bool(last(health, 1, 0))
        heard["status"] = last(health, 2, b"").decode()
        context = delimited(2, text(1, "client") + text(2, "Northwind"))
        try:
            pieces = []
            for piece in method(channel.unary_stream, "StreamChat")(text(1, message) + context, metadata=metadata, timeout=20):
                pieces.append([last(piece, 1, b"").decode(), bool(last(piece, 2, 0)), last(piece, 3, b"").decode()])
            heard["pieces"] = pieces
            answer = method(channel.unary_unary, "Chat")(text(1, message) + context + text(4, "python"), metadata=metadata, timeout=20)
            heard["response"] = last(answer, 1, b"").decode()
            heard["message_id"] = last(answer, 2, b"").decode()
            heard["timestamp"] = last(answer, 3, 0)
        except grpc.RpcError as error:
            heard["error"] = [error.code().name, error.details()]
    print(json.dumps(heard))


main()
