"""The layers in front of the router: no old answer, no one else's answer."""
