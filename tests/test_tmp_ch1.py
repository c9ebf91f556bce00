import torch
from helpers import checks
def test_x():
    print(checks.check_mean_brightness(lambda x, y: [x[y == c].mean() for c in range(10)]))
    try: torch.zeros(3,dtype=torch.uint8).mean()
    except Exception as e: print(type(e), type(e).__mro__)
