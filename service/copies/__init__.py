"""Record who has a copy of an article or a picture: which version was sent to whom, and which is known to
have arrived.
"""
