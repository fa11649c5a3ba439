"""What axe-core finds on a page that keeps somebody out: its serious and critical matters."""

import os

import pytest
from playwright.sync_api import Page
from studio_process import ROOT

AXE = ROOT / "web/node_modules/axe-core/axe.min.js"
ADVICE = "axe-core comes with the front end's packages: npm --prefix web ci"
FOUND = """async within => {
    const found = await axe.run(within, { resultTypes: ["violations"] });
    return found.violations
        .filter(one => one.impact === "serious" || one.impact === "critical")
        .map(one => `${one.id}: ${one.help}\\n` + one.nodes.map(node =>
            `    ${node.target.join(" ")}: ${node.failureSummary}`).join("\\n"));
}"""


def serious(page: Page, within: str = "html") -> list[str]:
    """One entry for each rule that something in the page, as it is, breaks.

    Without axe-core the test is skipped; in CI it fails.
    """
    if not AXE.is_file():
        if os.environ.get("CI"):
            pytest.fail(ADVICE)
        pytest.skip(ADVICE)
    page.emulate_media(reduced_motion="reduce")  # a colour half-way to another is nobody's
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(AXE.read_text(encoding="utf-8") + "; undefined")
    found: list[str] = page.evaluate(FOUND, within)
    return found
