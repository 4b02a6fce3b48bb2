"""A foreign gRPC client that knows only fields 1 to 9 of ai.AICopilot, encoded by hand.

usage: grpc_client.py ADDRESS TOKEN MESSAGE. Prints one JSON line with what it heard.
"""

import json
import sys

try:
    import grpc
except ImportError:
    sys.exit("Python's grpc is missing: apt-get install python3-grpcio")


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def text(number, value):
    return field(number, value.encode())


def decode(data):
    """Field number to its values, as bytes or numbers; what is not known is kept and ignored."""
    fields, position = {}, 0

    def read():
        nonlocal position
        value = shift = 0
        while True:
            byte = data[position]
            position += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while position < len(data):
        key = read()
        kind = key & 7
        if kind == 0:
            value = read()
        elif kind == 1:
            value, position = data[position : position + 8], position + 8
        elif kind == 2:
            size = read()
            value, position = data[position : position + size], position + size
        elif kind == 5:
            value, position = data[position : position + 4], position + 4
        else:
            raise ValueError(f"wire type {kind}")
        fields.setdefault(key >> 3, []).append(value)
    return fields


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
        context = field(2, text(1, "client") + text(2, "Northwind"))
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
