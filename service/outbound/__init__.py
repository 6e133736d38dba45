"""The one door to other hosts: public addresses only, a deadline for everything, and a bound for
each answer.
"""
