"""Inputs nobody would write, tried on every place where cometnb reads what it did not write itself."""
