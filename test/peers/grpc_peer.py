"""A foreign gRPC client (grpcio) that does what it is told: one JSON command a line, one JSON answer a line.

{"do": "call", "address", "method", "fields"?, "metadata"?, "timeout"?, "stream"?, "cancel_after"?, "options"?}

`fields` maps field numbers to texts, numbers or maps of texts. The answer is {"answers": [fields], "code", "details", "trailers"};
in the fields of an answer every number has the list of its values. `raw` (base64) is sent as it is instead of `fields`.
"""

import base64
import json
import sys

try:
    import grpc
except ImportError:
    sys.exit("Python's grpc is missing: apt-get install python3-grpcio")

from protobuf import decode, delimited, varint


def encode(fields):
    out = b""
    for number, value in fields.items():
        number = int(number)
        if isinstance(value, str):
            out += delimited(number, value.encode("utf-8", "surrogatepass"))
        elif isinstance(value, dict):
            for key, text in value.items():
                out += delimited(number, delimited(1, key.encode()) + delimited(2, text.encode()))
        else:
            out += varint(number << 3) + varint(value)
    return out


def readable(data):
    """As JSON takes it: texts and numbers by field number; fixed-width values are none of ours."""
    plain = {bytes: lambda value: value.decode("utf-8", "replace"), int: lambda value: value}
    return {str(number): [plain[type(value)](value) for value in values] for number, values in decode(data).items()}


def call(command):
    answers, code, details, trailers = [], "OK", "", {}
    request = base64.b64decode(command["raw"]) if "raw" in command else encode(command.get("fields", {}))
    metadata = [tuple(pair) for pair in command.get("metadata", [])]
    timeout = command.get("timeout", 20)
    with grpc.insecure_channel(command["address"], options=[tuple(option) for option in command.get("options", [])]) as channel:
        shape = {"in": channel.stream_stream, True: channel.unary_stream}.get(command.get("stream"), channel.unary_unary)
        method = shape(command["method"], request_serializer=bytes, response_deserializer=readable)
        try:
            if command.get("stream"):
                running = method(iter([request]) if command["stream"] == "in" else request, metadata=metadata, timeout=timeout)
                for answer in running:
                    answers.append(answer)
                    if len(answers) == command.get("cancel_after"):
                        running.cancel()
            else:
                answer, running = method.with_call(request, metadata=metadata, timeout=timeout)
                answers.append(answer)
            final = running
        except grpc.RpcError as error:
            code, details, final = error.code().name, error.details(), error
        trailers = {key: value for key, value in final.trailing_metadata() or () if isinstance(value, str)}
    return {"answers": answers, "code": code, "details": details, "trailers": trailers}


for line in sys.stdin:
    try:
        answer = call(json.loads(line))
    except Exception as error:  # told to the one who commands, who decides whether it was expected
        answer = {"error": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
