"""The way of a request into an endpoint and of its answer out: callers, bodies, conditions,
lists, problems.
"""
