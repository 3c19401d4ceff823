"""Triton kernels for the network's trunk, and the trunk made of them. Imported only where they are chosen."""
