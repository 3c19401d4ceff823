"""Two source trees side by side: whether a change of the code left predictions and speed as they were."""
