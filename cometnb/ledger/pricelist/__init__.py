"""Where prices come from, and the arithmetic of one call."""
