"""Looking at a page as it is at both widths: what axe finds, what does not fit, what the browser complains of."""

from typing import TYPE_CHECKING, Any

from axe_playwright_python.sync_playwright import Axe

from tests.support.programs import ROOT

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Page

LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
WIDTHS = {"wide": 1280, "narrow": 320}  # 320 px is also 1280 px at 400 % zoom (WCAG 1.4.10)
AXE = Axe().axe_script
RUN = "options => axe.run(document, options).then(found => found.violations)"
SCREENSHOTS = ROOT / ".local" / "screenshots"


class Looker:
    """Looks at pages one after the other and remembers what is wrong with each; a picture of each is kept."""

    def __init__(self, page: "Page", door: str, origin: str) -> None:
        """`door` names the folder of the pictures; `origin` is the portal's address."""
        self.page = page
        self.origin = origin
        self.folder = SCREENSHOTS / door
        self.faults: list[str] = []
        self.seen: list[str] = []
        self._complaints: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self._complaints.append(str(error)))

    def _hear(self, message: "ConsoleMessage") -> None:
        # What other sites' pages complain of is not ours. The status of a refusal's page is reported by the browser
        # as a failed resource; that is what was asked for.
        is_ours = message.location["url"].startswith(self.origin)
        if message.type == "error" and is_ours and "the server responded with a status of" not in message.text:
            self._complaints.append(message.text)

    def look(self, name: str, heading: str = "") -> None:
        """Look at the present page; `heading` is what its h1 must say."""
        number = len(self.seen)
        self.seen.append(name)
        if heading:
            said = self.page.locator("h1").inner_text()
            assert said == heading, f"{name}: {said!r} at {self.page.url}: {self.page.locator('main').inner_text()}"
        self.page.evaluate(AXE)
        for width_name, width in WIDTHS.items():
            self.page.set_viewport_size({"width": width, "height": 800})
            folder = self.folder / width_name
            folder.mkdir(parents=True, exist_ok=True)
            self.page.screenshot(path=folder / f"{number:02}-{name}.png", full_page=True)
            if self.page.evaluate("document.documentElement.scrollWidth") > width:
                self.faults.append(f"{name} at {width} px scrolls sideways")
            self.faults += [f"{name} at {width} px: {fault}" for fault in self._violations()]
        self.faults += [f"{name}: {complaint}" for complaint in self._complaints]
        self._complaints.clear()

    def _violations(self) -> list[str]:
        found: list[dict[str, Any]] = self.page.evaluate(RUN, {"runOnly": LEVELS, "resultTypes": ["violations"]})
        return [f"{each['id']} {node['html']}" for each in found for node in each["nodes"]]
