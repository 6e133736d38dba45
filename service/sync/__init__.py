"""Following the store: one ordered feed of what has changed and what has gone, asked for, waited for or
streamed.
"""
