"""What makes the project's models and figures. It imports the package; the package knows nothing of it."""
