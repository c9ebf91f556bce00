"""A student's own network, from the chapter that designs it to those that train it, in a text file."""

import ast
import os
from pathlib import Path

import torch
from IPython.display import display
from torch import nn

from helpers.any_network import refuse_unknown_sizes
from helpers.checks import networks
from helpers.checks.attempt import Stopped
from helpers.checks.verdict import not_yet, right, wrong
from helpers.errors import DataError, ShapeError
from helpers.files import new_file
from helpers.layers import layer_table
from helpers.models import lenet, num_parameters

NAME = "own_net.txt"
FIRST_LINE = (
    "# Your networks of LeNet Lab, the oldest first: its chapters build the last one. You may edit this file.\n"
)
LARGEST_FILE, LARGEST_NET = 100_000, 20_000_000  # bytes and parameters: anything larger is not a student's network
ELSE_EXAMPLE = "Until then, the course's example is used instead."


def example(**sizes):
    """The network that the chapters use until the student has saved one; its layers have new random weights.

    sizes: as `lenet` takes them; without them, ten classes of 28×28 pixels.
    """
    return lenet(3, (8, 16), (1, 1), nn.ReLU, nn.MaxPool2d, dense=(32, 16), **sizes)


def save_own_net(net):
    """Write the layers of `net`, an `nn.Sequential` from (N, 1, 28, 28) to (N, 10), for the next chapters (chapter 3).

    They are added at the end of own_net.txt, in the folder LENET_LAB_HOME or else beside the notebook; earlier networks
    stay in the file. Weights are not saved. Returns a verdict, which says what went wrong; nothing is raised.
    """
    path = _path()
    try:
        with torch.random.fork_rng(devices=[]):  # building layers again must not disturb the notebook's random numbers
            text = in_python(net)
            _refuse_unfit(net)
            if text == in_python(example()):
                return not_yet("This is the course's example, which is not saved: change it, and run the cell again.")
            old = _read(path)
            if not old or text != in_python(_last(old, path)):
                with new_file(path, overwrite=True) as file:
                    file.write(f"{old or FIRST_LINE}\n{text}\n".encode())
    except (DataError, ShapeError) as error:
        return wrong(f"Not saved: {error}.")
    except OSError as error:
        return wrong(f"Not saved: {path} cannot be written ({error.strerror}).")
    table = layer_table(net)
    costs = f"{table.parameters:,} parameters, {table.multiply_adds:,} multiply-adds"
    return right(f"Saved in {path.name}: {costs}. Chapters 4 and 5 find it there.")


def load_own_net():
    """The network that `save_own_net` saved last, with new random weights, or the course's example (chapters 4, 5).

    Displays a line that says which of the two it is, and what is wrong with the file, if anything; nothing is raised.
    """
    path = _path()
    try:
        text = _read(path)
        net = _last(text, path) if text else example()
    except (DataError, OSError) as error:
        said = str(error) if isinstance(error, DataError) else f"{path} cannot be read ({error.strerror})"
        display(wrong(f"{said}. {ELSE_EXAMPLE}"))
        return example()
    if text:
        display(right(f"own_net is the network that you saved in {path.name}: {num_parameters(net):,} parameters."))
    else:
        display(not_yet(f"You have not saved a network of your own yet (chapter 3, section 8). {ELSE_EXAMPLE}"))
    return net


def _path():
    return Path(os.environ.get("LENET_LAB_HOME", ".")) / NAME


def _read(path):
    """The text of the file, empty if there is none; DataError if it is not text, OSError if it cannot be read."""
    try:
        with open(path, "rb") as file:
            content = file.read(LARGEST_FILE + 1)
        text = content.decode("utf-8-sig")  # some editors put a byte order mark at the start
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError:
        raise DataError(f"{path} is not a text file: rename or delete it, and save your network again") from None
    if len(content) > LARGEST_FILE:
        raise DataError(f"{path} is too long for a list of networks: rename or delete it, and save yours again")
    return text if text.strip() else ""


def in_python(net):
    """The lines of Python that build the layers of `net`, an `nn.Sequential` of PyTorch's own layers.

    The lines are tried out. Raises ShapeError for another network, and for layers that lines cannot describe, such as
    lazy ones.
    """
    refuse_unknown_sizes(net)
    if not isinstance(net, nn.Sequential):
        raise ShapeError(f"only an nn.Sequential can be saved, but this is a {type(net).__name__}")
    text = _layers_in_python(net, "")
    try:
        with torch.device("meta"):
            again = _built(ast.parse(text).body[0].value)
    except (DataError, SyntaxError):
        raise ShapeError(f"only PyTorch's own layers can be saved, by the lines that print them:\n{text}\n") from None
    if repr(again) != repr(net) or num_parameters(again) != num_parameters(net):
        raise ShapeError("its lines would build another network: is a layer in it twice, or is one frozen?")
    return text


def _layers_in_python(net, indent):
    inner = indent + "    "
    lines = [
        _layers_in_python(layer, inner) if isinstance(layer, nn.Sequential) else f"{inner}nn.{layer}" for layer in net
    ]
    return "\n".join([f"{indent}nn.Sequential(", *(f"{line}," for line in lines), f"{indent})"])


def _last(text, path):
    """The network of the last statement of `text`. Raises DataError, with the line, if there is no usable one.

    None of the text is run: it is parsed as Python, and only PyTorch's layers are built from it.
    """
    remedy = "fix it there, or rename the file and save your network again"
    try:
        statement = ast.parse(text).body[-1]
    except IndexError:
        raise DataError(f"{path} holds no network: save yours again") from None
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        line = f", line {error.lineno}" if isinstance(error, SyntaxError) else ""
        raise DataError(f"{path}{line}, cannot be read as Python: {remedy}") from None
    try:
        node = getattr(statement, "value", None)  # also of `own_net = lenet(...)`
        with torch.device("meta"):  # tensors there have shapes but no numbers, so a typing error takes no memory
            size = num_parameters(_built(node))
        if size > LARGEST_NET:
            raise DataError(f"it has {size:,} parameters, too many for a network of this course")
        net = _built(node)
        _refuse_unfit(net)
    except (DataError, ShapeError) as error:
        raise DataError(f"{path}, line {statement.lineno}: {error}; {remedy}") from None
    return net


def _built(node):
    """What a piece of Python describes: a network, a layer, or one of their arguments. Raises DataError for others."""
    if isinstance(node, ast.Call):
        make = lenet if isinstance(node.func, ast.Name) and node.func.id == "lenet" else _layer_class(node.func)
        given = [_built(argument) for argument in node.args]
        named = {keyword.arg: _built(keyword.value) for keyword in node.keywords}
        try:
            return make(*given, **named)
        except Exception as error:  # layers may raise anything for wrong arguments
            raise DataError(f"{ast.unparse(node.func)} cannot be built ({error})") from None
    if isinstance(node, ast.Attribute):
        return _layer_class(node)
    if isinstance(node, ast.Name):
        return node.id  # PyTorch prints padding="same" as padding=same
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        raise DataError("there is something other than layers") from None


def _layer_class(node):
    """One of PyTorch's layers by its name, `nn.Conv2d`."""
    words = ast.unparse(node)
    found = getattr(nn, words.removeprefix("nn."), None) if words.startswith("nn.") else None
    if not (isinstance(found, type) and issubclass(found, nn.Module)):
        raise DataError(f"{words} is not one of PyTorch's layers")
    return found


def _refuse_unfit(net):
    """Raise ShapeError unless `net` gives ten scores for an image of 28×28 and has parameters to train."""
    if not num_parameters(net):
        raise ShapeError("it has no parameter that training could change")
    X = torch.rand(3, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    try:
        networks.scores(net, X)
    except Stopped as stopped:
        raise ShapeError(f"with images of 28×28, {stopped.words}") from None
