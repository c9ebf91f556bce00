"""Every lab as source text: for tests of all labs in one go, and for their notebooks in a browser and in the bench."""

IMPORTS = "import torch\nfrom helpers import fashion_mnist, labs, lenet, mlp, xavier"
BEGIN = f"{IMPORTS}\ndata = fashion_mnist()"
NETS = """torch.manual_seed(0)
nets = {
    "LeNet": xavier(lenet(activation=torch.nn.ReLU, pooling=torch.nn.MaxPool2d)),
    "MLP": xavier(mlp((64,))),
}"""
LABS = {
    "explorer": "labs.explorer(data)",
    "convolution": "labs.convolution(data.train_images[0])",
    "pooling": "labs.pooling(data.train_images[0])",
    "learn_kernel": "labs.learn_kernel(data.train_images[0])",
    "shapes": "labs.shapes()",
    "trainer": "labs.trainer(data, num_epochs=2)",
    "class_experiment": "labs.class_experiment('result lr=0.1 channels=6 kernel=5 parameters=61706 accuracy=0.8430')",
    "microscope": "labs.microscope(nets['LeNet'], data.test_images[:20], data.class_names)",
    "versus": "labs.versus(nets, data)",
    "drawing": "labs.drawing(nets, data.class_names)",
    "collect": "labs.collect()",
    "class_data": "labs.class_data()",
    "honest_split": "labs.honest_split()",
}


def cells(code):
    """The code cells of a notebook that shows the lab which `code` makes; `lab` is its name there."""
    return [BEGIN, f"{NETS}\nlab = {code}\nlab"]


def made(name, data):
    """The lab of that name, made in this process with the same first weights; data: an `ImageData`."""
    names = {"data": data}
    exec(f"{IMPORTS}\n{NETS}\nlab = {LABS[name]}", names)
    return names["lab"]


def shown(lab):
    """What a lab shows now, to compare: the numbers that it sends to the browser."""
    return lab.data, lab.facts
