"""What runs in processes of its own, because the bytes it touches come from strangers: decoding, reading
metadata, printing.

Nothing here knows the service: Pillow, lxml, thumbhash, the two libraries of the sandbox and the standard library
are all that is imported, so that a process starts in a fifth of a second and holds no secret.
"""
