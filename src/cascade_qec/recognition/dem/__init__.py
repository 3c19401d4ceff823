"""Which check, and when, each detector of an error model is, by what the model alone says."""
