"""The tests of cometnb; folders mirror the package's, and the harnesses stand beside them."""
