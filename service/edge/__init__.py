"""The layers in front of the router. All are pure ASGI, because an answer from memory costs less than any
other layer.
"""
