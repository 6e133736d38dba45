"""Read one page in a process of its own: standard input is a line of JSON that says what comes, and the
page's bytes; standard output the `Page`, or `NotAnArticle`, pickled.
"""

import json
import os
import pickle
import resource
import sys

from service.newspages import Page
from service.newspages.page import NotAnArticle
from service.newspages.received import Received, read


def main() -> None:
    """Read a page within the memory and the seconds that the arguments name."""
    memory, seconds = map(int, sys.argv[1:])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Requests come first.
    os.nice(5)
    said = json.loads(sys.stdin.buffer.readline())
    answer: Page | NotAnArticle
    try:
        answer = read(Received(sys.stdin.buffer.read(), **said))
    except NotAnArticle as fault:
        answer = fault
    sys.stdout.buffer.write(pickle.dumps(answer))


if __name__ == "__main__":
    main()
