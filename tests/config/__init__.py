"""Tests of what is stored between kernels."""
