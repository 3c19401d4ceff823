"""Whether a decoder's confidence comes true, and what discarding its doubts is worth."""
