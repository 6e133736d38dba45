"""The benchmark: Copydesk against a bare ASGI app that answers the same bytes, on the same server and the
same core.
"""
