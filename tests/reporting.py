"""Say which test has failed as soon as it has, so that a run that is killed has said it too; list figures at
the end.
"""

from collections.abc import Callable

import pytest

Figure = Callable[[str, object], None]
"""What the fixture `record_property` is: a test names a figure that it has found, and its value."""


class Failures:
    """Write a line for each failure beside the dots, by the process that writes the report."""

    def __init__(self, terminal: pytest.TerminalReporter) -> None:
        self._terminal = terminal
        self._figures: list[str] = []

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            last = report.longreprtext.rstrip().rpartition("\n")[2]
            self._terminal.write_line(f"\nFAILED in {report.when}: {report.nodeid} ({last})", red=True)
        if report.when == "call":
            name = report.nodeid.rpartition("::")[2]
            self._figures += [f"{name}: {figure}: {value}" for figure, value in report.user_properties]

    def pytest_terminal_summary(self) -> None:
        """List the figures that tests have found."""
        if self._figures:
            self._terminal.section("figures")
            for line in sorted(self._figures):
                self._terminal.write_line(line)
