"""A test of a cluster that fails shows what the cluster looked like then."""

from collections.abc import Generator

import pytest

from tests.support.picture import pictures


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed and report.when != "teardown" and (text := pictures()):
        report.sections.append(("The cluster", text))
    return report
