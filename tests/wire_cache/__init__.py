"""The cache in front of the router never gives an old answer."""
