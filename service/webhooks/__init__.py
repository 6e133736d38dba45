"""Send public changes to others by HTTP: Standard Webhooks 1.0, in order, at least once, with a log of every
attempt.
"""
