"""A kernel's working session: requests on their own thread, cells turned into prompts."""
