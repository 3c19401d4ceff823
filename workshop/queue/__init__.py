"""What is trained, how far it has come, and what is next."""
