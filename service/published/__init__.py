"""The read model: what the public can see, rendered when it is written, and the sequence of its changes."""
