"""Mirror another store: follow its feed into rows that are its own, and serve these whether or not it
answers.
"""
