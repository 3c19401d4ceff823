"""Random command lines and damaged files, to see that `cascade` neither breaks, hangs nor does harm."""
