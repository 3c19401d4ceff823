"""How long decoders take for a shot, side by side on the same shots."""
