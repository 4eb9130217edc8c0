"""What a budget counts: worst cases, running calls, and the words about them."""
