"""The readers' own pages, made from what is published: a front page, the articles, the reader's choice, and
the staff's report.
"""
