"""Code to take home: plain PyTorch that runs without the playground."""
