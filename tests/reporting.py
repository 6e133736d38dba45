"""Say which test has failed as soon as it has, so that a run that is killed has said it too."""

import pytest


class Failures:
    """Write a line for each failure beside the dots, by the process that writes the report."""

    def __init__(self, terminal: pytest.TerminalReporter) -> None:
        self._terminal = terminal

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            last = report.longreprtext.rstrip().rpartition("\n")[2]
            self._terminal.write_line(f"\nFAILED in {report.when}: {report.nodeid} ({last})", red=True)
