"""The Responses API without any I/O: parameters, events, folding and the exchange. Standard library only."""
