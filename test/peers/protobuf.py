"""The few wire rules of protobuf that the foreign gRPC peers need, by hand: no generated code, so nothing of ours can leak in."""


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def delimited(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


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
