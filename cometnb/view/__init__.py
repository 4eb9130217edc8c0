"""What a person sees: answers as Markdown, terminal text and live displays."""
