"""Cards of models: measured, made, and put into the zoo where they are better."""
