"""Pictures: what they show in words, who must be credited, where their bytes are kept, and who
may see them.
"""
