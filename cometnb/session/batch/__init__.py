"""Many jobs at once: asked within limits, kept as they come, handed out in any order, taken up again."""
