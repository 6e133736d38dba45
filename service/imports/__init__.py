"""Articles come in from elsewhere: saved pages, addresses, ninjs; what was read of each is reported."""
