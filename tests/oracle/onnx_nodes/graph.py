"""What a mapping from an ONNX node to our steps works with."""
import reader


class Skip(Exception):
    """Why a node is left out."""


class Value:
    def __init__(self, index, shape=None):
        self.index, self.shape = index, shape

    @property
    def rank(self):
        return len(self.shape)


DTYPES = {reader.FLOAT: "f32", reader.DOUBLE: "f64", reader.INT64: "i64", reader.INT32: "i64", reader.BOOL: "mask"}


def dtype_of(tensor):
    if tensor.kind not in DTYPES:
        raise Skip(f"the library has no {reader.NAMES[tensor.kind]}")
    return DTYPES[tensor.kind]


class Graph:
    """The inputs of a node as leaves, made when a mapping asks for them, and the steps. Any other method is a step."""

    def __init__(self, node, inputs, outputs, version):
        self.a, self.version = node.attributes, version
        self.given, self.expected = inputs, outputs  # Tensors by place; None where there is none
        self.leaves, self.steps, self._made = [], [], {}

    def has(self, k):
        return k < len(self.given) and self.given[k] is not None

    def list(self, k):
        """The numbers of an input that is a setting, not an operand."""
        return list(self.given[k].values)

    def shape(self, k):
        return list(self.given[k].shape)

    def x(self, k):
        """Input k."""
        if k not in self._made:
            t = self.given[k]
            self._made[k] = self.leaf(dtype_of(t), t.shape, t.values)
        return self._made[k]

    def all(self):
        return [self.x(k) for k in range(len(self.given))]

    def leaf(self, dtype, shape, values):
        # Numbered from behind until the number of leaves is known: -1, -2, ...
        self.leaves.append({"dtype": dtype, "shape": list(shape), "values": list(values)})
        return Value(-len(self.leaves), list(shape))

    def __getattr__(self, name):
        if name.startswith("_"):
            raise AttributeError(name)

        def step(*operands, **attributes):
            self.steps.append([name, [v.index for v in operands], attributes])
            return Value(len(self.steps) - 1)
        return step

    def numbered(self):
        """The steps with leaves first, as cases have them."""
        n = len(self.leaves)
        return [[name, [-k - 1 if k < 0 else k + n for k in operands], attributes]
                for name, operands, attributes in self.steps]
