"""What it is worth to send the shots that a network doubts to a fallback."""
