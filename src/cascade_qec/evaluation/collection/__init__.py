"""Monte-Carlo collections: a plan to counts of shots and errors, in sinter's files, with workers that may die."""
