"""Chapter 5: move the test images under two trained networks."""

from torchvision.transforms import InterpolationMode
from torchvision.transforms.functional import affine

from helpers import plotting
from helpers.data import Batches
from helpers.labs.controls import slider
from helpers.labs.live import Lab
from helpers.training import evaluate_accuracy


def versus(nets, images, labels):
    """Shift, turn and scale images, and see what each network makes of them.

    nets: {name: trained network}; images: (N, 1, 28, 28) bytes; labels: (N,). All are used: some hundred will do.
    """

    def draw(shift, rotation, scale):
        moved = affine(images, rotation, [shift, 0], scale / 100, [0, 0], InterpolationMode.BILINEAR)
        device = next(next(iter(nets.values())).parameters()).device
        batches = Batches(moved, labels, 500, device=device)
        accuracies = {name: evaluate_accuracy(net, batches) for name, net in nets.items()}
        return plotting.accuracy_on(moved[:8], accuracies), _leader(accuracies)

    return Lab(
        "versus",
        draw,
        {
            "shift": slider("shift (pixels)", 0, -8, 8),
            "rotation": slider("rotation (degrees)", 0, -90, 90, 5),
            "scale": slider("scale (%)", 100, 50, 150, 5),
        },
    )


def _leader(accuracies):
    """Who is ahead, and by how many percentage points, in words."""
    if len(accuracies) < 2:
        return ""
    first, second = sorted(accuracies, key=accuracies.get, reverse=True)[:2]
    lead = 100 * (accuracies[first] - accuracies[second])
    return f"{first} is ahead by {lead:.1f} percentage points." if lead else f"{first} and {second} do equally well."
