"""Reads ONNX's models and tensors: as much of the protobuf format as the node data needs."""
import struct

FLOAT, UINT8, INT8, UINT16, INT16, INT32, INT64, STRING, BOOL, FLOAT16, DOUBLE = range(1, 12)
NAMES = {1: "float", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 8: "string", 9: "bool",
         10: "float16", 11: "double", 12: "uint32", 13: "uint64", 16: "bfloat16"}
FORMATS = {FLOAT: "f", INT32: "i", INT64: "q", BOOL: "B", DOUBLE: "d", UINT8: "B", INT8: "b"}


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at


def signed(value):
    return value - (1 << 64) if value >> 63 else value


def fields(data):
    """(number, value) of a message: integers as they are, fixed and length-delimited ones as bytes."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(data, at)
        else:
            if kind == 2:
                size, at = varint(data, at)
            else:
                size = {1: 8, 5: 4}[kind]
            value = data[at:at + size]
            at += size
        yield key >> 3, value


def numbers(value, form):
    """A repeated number, packed or one of them: form is "f", "d" or "varint"."""
    if form != "varint":
        return list(struct.unpack(f"<{len(value) // struct.calcsize(form)}{form}", value))
    if isinstance(value, int):
        return [signed(value)]
    out, at = [], 0
    while at < len(value):
        number, at = varint(value, at)
        out.append(signed(number))
    return out


class Tensor:
    def __init__(self, data):
        self.shape, self.kind, self.values = [], 0, []
        raw = None
        for number, value in fields(data):
            if number == 1:
                self.shape += numbers(value, "varint")
            elif number == 2:
                self.kind = value
            elif number in (4, 10):
                self.values += numbers(value, "f" if number == 4 else "d")
            elif number in (5, 7, 11):
                self.values += numbers(value, "varint")
            elif number == 9:
                raw = value
        if raw is not None and self.kind in FORMATS:
            self.values = numbers(raw, FORMATS[self.kind])


class Node:
    def __init__(self, data):
        self.inputs, self.outputs, self.attributes, self.op = [], [], {}, ""
        for number, value in fields(data):
            if number == 1:
                self.inputs.append(value.decode())
            elif number == 2:
                self.outputs.append(value.decode())
            elif number == 4:
                self.op = value.decode()
            elif number == 5:
                name, attribute = read_attribute(value)
                self.attributes[name] = attribute


def read_attribute(data):
    name, single, lists = "", None, []
    for number, value in fields(data):
        if number == 1:
            name = value.decode()
        elif number == 2:
            single = struct.unpack("<f", value)[0]
        elif number == 3:
            single = signed(value)
        elif number == 4:
            single = value.decode("latin-1")
        elif number == 5:
            single = Tensor(value)
        elif number == 7:
            lists += numbers(value, "f")
        elif number == 8:
            lists += numbers(value, "varint")
        elif number == 9:
            lists.append(value.decode("latin-1"))
    return name, lists if lists or single is None else single


class Model:
    def __init__(self, data):
        self.nodes, self.inputs, self.outputs, self.version = [], [], [], 0
        for number, value in fields(data):
            if number == 7:
                self._graph(value)
            elif number == 8:
                imported = dict(fields(value))
                if imported.get(1, b"") in (b"", b"ai.onnx"):
                    self.version = imported.get(2, 0)

    def _graph(self, data):
        for number, value in fields(data):
            if number == 1:
                self.nodes.append(Node(value))
            elif number in (11, 12):
                (self.inputs if number == 11 else self.outputs).append(dict(fields(value))[1].decode())
