"""From stored runs to a site in place: gather, write the page sources, render, check, swap."""

import re
import shutil
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from importlib.resources import files
from pathlib import Path
from types import MappingProxyType

from tickerbook.errors import SiteError
from tickerbook.files import write_text
from tickerbook.settings import Settings
from tickerbook.site.api import moment
from tickerbook.site.checks import check_site
from tickerbook.site.content import Before, Content, gather
from tickerbook.site.pages import stale_notice, write_sources
from tickerbook.site.proof import refuse_unproven
from tickerbook.site.releases import one_at_a_time, release
from tickerbook.site.renderers import Render, Renderer, choose
from tickerbook.site.staging import REPORTS, Stage, page_name, stage
from tickerbook.store import RunStore

__all__ = ["BuildResult", "Renderer", "build"]

PLOTLY = "look/plotly.min.js"
_MAIN = re.compile(r"<main\b[^>]*>")
_STALE = 'callout-important stale"'


@dataclass(frozen=True)
class BuildResult:
    """What became of a build.

    Attributes:
        renderer: what typeset the pages.
        pages: how many pages the site has.
        failures: page → why it is an older version, or a stub.
        site: where the site is.
    """

    renderer: Renderer
    pages: int
    failures: Mapping[str, str]
    site: Path


def build(
    settings: Settings,
    store: RunStore,
    *,
    tickers: Collection[str] | None = None,
    notices: Mapping[str, str] = MappingProxyType({}),
    renderer: Renderer = Renderer.AUTO,
    now_at: datetime,
    on_progress: Callable[[str], None] = lambda _: None,
) -> BuildResult:
    """Build the site and put it in place as a whole; after any error the site before stays.

    Args:
        settings: the project's.
        store: the stored runs.
        tickers: symbols whose pages are made anew, default all; the site has every ticker all the same.
        notices: symbol → what is wrong with its prices, for its page; it never looks fresh then.
        renderer: what typesets the pages.
        now_at: the time, for freshness and for the release's name.
        on_progress: is told each step in words.

    Raises:
        SiteError: if there is no such renderer, it fails as a whole, or the result does not pass the checks.
    """
    chosen = {t.symbol for t in settings.tickers} if tickers is None else set(tickers)
    kind, render = choose(renderer)
    with one_at_a_time(settings):
        on_progress(f"gathering {len(chosen)} tickers")
        content = gather(settings, store, now_at, chosen=chosen, refused={}, notices=notices)
        on_progress(f"rendering with {kind}")
        staged, refused = _rendered(settings, content, render)
        if refused:
            on_progress(f"rendering again without what failed: {', '.join(refused)}")
            content = gather(settings, store, now_at, chosen=chosen, refused=refused, notices=notices)
            staged, refused = _rendered(settings, content, render)
        faults = {**{page: why for page, why in content.kept.items() if why}, **refused}
        with release(settings, now_at) as site:
            names = _fill(site, staged, content, Before(settings.site), faults, moment(now_at))
            on_progress(f"checking {len(names)} pages")
            check_site(site, names)
    return BuildResult(kind, len(names), faults, settings.site)


def _rendered(settings: Settings, content: Content, render: Render) -> tuple[Stage, dict[str, str]]:
    """The rendered stage, and page → why it could not be made, or may not be published."""
    reports = settings.project / REPORTS
    unchanged = {page for page, why in content.kept.items() if not why}
    write_sources(reports, content.sources, keep=unchanged)
    _share_plotly(reports / PLOTLY)
    staged = stage(settings.project, settings.project / "data" / "site")
    staged = staged.without({source for source in staged.sources if page_name(source) in unchanged})
    failures = render(staged)
    failures = {**refuse_unproven(staged, content.files), **failures}
    return staged, {page_name(source): why for source, why in failures.items()}


def _share_plotly(target: Path) -> None:
    """Put the one plotly.js of the site beside its look, from plotly's own package."""
    source = Path(str(files("plotly"))) / "package_data" / "plotly.min.js"
    if not target.is_file() or target.stat().st_size != source.stat().st_size:
        write_text(target, source.read_text(encoding="utf-8"))


def _fill(
    site: Path, staged: Stage, content: Content, before: Before, faults: Mapping[str, str], built_at: str
) -> set[str]:
    """Fill the folder of a new site; the names of its pages.

    Raises:
        SiteError: if a page could neither be made nor kept.
    """
    shutil.copytree(staged.output, site, dirs_exist_ok=True)
    (site / ".nojekyll").touch()  # GitHub Pages would leave out names that begin with `_`, such as ^GSPC's
    for name, text in content.files.items():
        (site / name).parent.mkdir(parents=True, exist_ok=True)
        (site / name).write_text(text, encoding="utf-8")
    for page, why in {**content.kept, **faults}.items():
        if before.has(page):
            old = (before.site / page).read_text(encoding="utf-8")
            (site / page).write_text(_marked(old, why, built_at) if why else old, encoding="utf-8")
        elif not (site / page).is_file():
            raise SiteError(f"The page {page} cannot be rendered: {why}", "Mend its source in reports/.")
    return {page_name(source) for source in staged.sources} | set(content.kept)


def _marked(page: str, why: str, built_at: str) -> str:
    """An older version of a page that says so; once it says so it keeps the date since when."""
    if _STALE in page:
        return page
    notice = stale_notice(why, built_at)
    return _MAIN.sub(lambda main: main[0] + notice, page, count=1)
