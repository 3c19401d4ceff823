"""The workshop's commands, a file for each."""
