"""Reading the CIB into a plan: the only part of the scheduler that looks at XML. Pure."""
