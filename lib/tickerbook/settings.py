"""params/*.toml, read strictly into frozen types, and where a project keeps its things."""

import difflib
import os
import re
import tomllib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tickerbook.cadences import Cadence, CatchUp, Overlap, Work, parse_when, span
from tickerbook.errors import ConfigError, SymbolError

_SYMBOL = re.compile(r"\^?[A-Z0-9]+(?:[.\-=][A-Z0-9]+)*(?:=X|=F)?")
_LONGEST_SYMBOL = 20
_UNIVERSE = "universe.toml"
_PROVIDERS = "providers.toml"
_GATES = "gates.toml"
_SCHEDULE = "schedule.toml"
_STYLE = "style.toml"  # read by the narrators
_CADENCE = re.compile(r"[a-z][a-z0-9_-]{0,30}")  # a name for file names, metrics and tables
STAGES = ("dev", "paper", "production")  # of a strategy, from untried to trusted
_RISK = "risk.toml"


def check_symbol(text: str) -> str:
    """`text`, if it is a ticker symbol.

    Capitals and digits in parts joined by `.`, `-` or `=`, perhaps with a `^` first.

    Raises:
        SymbolError: if it is not.
    """
    if len(text) <= _LONGEST_SYMBOL and _SYMBOL.fullmatch(text):
        return text
    shown = text if len(text) <= _LONGEST_SYMBOL else text[:_LONGEST_SYMBOL] + "…"
    upper = text.upper()
    fits = len(upper) <= _LONGEST_SYMBOL and _SYMBOL.fullmatch(upper)
    raise SymbolError(
        f"{shown!r} is not a ticker symbol.",
        f"Symbols are written in capitals: did you mean {upper}?"
        if fits
        else "A symbol has capitals and digits, such as AAPL, BRK.B, 0700 or ^GSPC.",
    )


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


Currency = Annotated[str, Field(pattern=r"^[A-Za-z]{3}$")]  # ISO 4217, or a vendor's GBp for pence


class TickerParams(_Strict):
    """`[ticker.SYMBOL]` of universe.toml: what differs from the universe's defaults."""

    name: str = ""
    providers: list[str] | None = Field(default=None, min_length=1)
    calendar: str | None = None
    currency: Currency | None = None
    quorum: int | None = Field(default=None, ge=1, le=3)


class UniverseFile(_Strict):
    """universe.toml as written."""

    title: str
    providers: list[str] = Field(min_length=1)
    calendar: str = "XNYS"
    currency: Currency = "USD"
    quorum: int = Field(default=1, ge=1, le=3)
    tickers: list[str] = Field(min_length=1)
    ticker: dict[str, TickerParams] = {}


class Ticker(_Strict):
    """One ticker of the universe, defaults applied. `quorum` providers are asked, and compared if several."""

    symbol: str
    name: str
    providers: tuple[str, ...]
    calendar: str
    currency: str
    quorum: int = 1


class ProviderTable(_Strict):
    """`[name]` of providers.toml: how one provider is asked.

    Attributes:
        base_url: where it is asked instead of its own address, for a proxy or a test server.
        per_second: requests that may be made in a second; None for no limit of ours.
        per_minute: … in a minute.
        per_day: … in a day.
        timeout: seconds that one request may take.
        premium: whether your plan has the endpoints that the vendor sells separately.
        folder: where `files` finds its files, relative to the project.
        columns: our column → the column's name in the files, where `files` cannot recognise it.
        adjustment: "none" where the prices of `files` are as traded, "split" where they are adjusted for the
            splits that stand beside them.
    """

    base_url: str | None = None
    per_second: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    per_minute: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    per_day: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    timeout: float = Field(default=10.0, gt=0, allow_inf_nan=False)
    premium: bool = False
    folder: str = "data/prices"
    columns: dict[str, str] = {}
    adjustment: Literal["none", "split"] = "none"


class ProviderParams(ProviderTable):
    """One provider's table, defaults applied.

    Attributes:
        project: the project, which has `folder` and perhaps a `.env` with keys; None for the one we are in.
    """

    project: Path | None = None


class HeldPosition(_Strict):
    """`[[position]]` of risk.toml: an open position.

    Attributes:
        ticker: the symbol.
        shares: how many; negative for a short position.
        entry: price at which it began, in the currency of the account.
        stop: price at which it is given up now.
    """

    ticker: str
    shares: float = Field(allow_inf_nan=False)
    entry: float = Field(gt=0, allow_inf_nan=False)
    stop: float = Field(gt=0, allow_inf_nan=False)

    @property
    def text(self) -> str:
        """As the notebook `sizing` takes it: `IBM 100 195.5 188`."""
        return f"{self.ticker} {self.shares:.15g} {self.entry:.15g} {self.stop:.15g}"


class RiskFile(_Strict):
    """What risk.toml has beside the parameters of `sizing`: how things stand today.

    Attributes:
        position: the open positions.
        earnings: ticker → announced days.
    """

    position: list[HeldPosition] = []
    earnings: dict[str, list[date]] = {}


class Gate(_Strict):
    """`[stage]` of gates.toml: what a strategy must have shown out of sample to be moved to that stage.

    Attributes:
        deflated_sharpe: at least: probability of skill after all trials of its family.
        overfitting: at most: probability of backtest overfitting.
        trades: at least: closed trades of all tickers.
        sessions: at least: sessions out of sample.
        drawdown: at most: depth of the deepest drawdown, a fraction.
        break_even_bps: at least: what a fill may cost until the edge is gone.
        certificate: whether its certificate of causality must have passed.
        holdout_sharpe: above: Sharpe ratio a year in the holdout.
    """

    deflated_sharpe: float = Field(ge=0, le=1)
    overfitting: float = Field(ge=0, le=1)
    trades: int = Field(ge=0)
    sessions: int = Field(ge=1)
    drawdown: float = Field(gt=0, le=1)
    break_even_bps: float = Field(ge=0, allow_inf_nan=False)
    certificate: bool
    holdout_sharpe: float = Field(allow_inf_nan=False)


class GatesFile(_Strict):
    """gates.toml as written."""

    paper: Gate
    production: Gate


class CadenceTable(_Strict):
    """`[cadence.name]` of schedule.toml as written; `Cadence` says what each key means."""

    when: str
    zone: str | None = None
    tickers: list[str] = []
    does: Work = "update"
    catch_up: CatchUp = "latest"
    overlap: Overlap = "skip"
    jitter: str = "0 s"
    grace: str = "1 h"
    limit: str = "6 h"


class ScheduleFile(_Strict):
    """schedule.toml as written."""

    at_once: int = Field(default=1, ge=1, le=64)
    cadence: dict[str, CadenceTable] = {}


class Settings(_Strict):
    """Everything in params/, and where things are.

    Attributes:
        project: the project's directory.
        title: what the site is called.
        tickers: the universe, in the order written.
        parameters: notebook → parameter → value, from the tables in params/ named after notebooks.
        providers: provider → how it is asked, for every provider there is.
        gates: stage → what a strategy must have shown to be moved there; empty where no file says so.
        cadences: when tickerbook works by itself; none where no file says so.
        at_once: how many cadences may work at the same time.
    """

    project: Path
    title: str
    tickers: tuple[Ticker, ...]
    parameters: Mapping[str, Mapping[str, Any]]
    providers: Mapping[str, ProviderParams] = {}
    gates: Mapping[str, Gate] = {}
    cadences: tuple[Cadence, ...] = ()
    at_once: int = 1

    @property
    def lake(self) -> Path | str:
        """Stored prices: their folder, or the URL of one, from TICKERBOOK_LAKE where that is set."""
        given = os.environ.get("TICKERBOOK_LAKE") or "data/lake"
        return given if "://" in given else self.project / Path(given).expanduser()

    @property
    def runs(self) -> Path:
        """Folder of stored runs."""
        return self.project / "data" / "runs"

    @property
    def trials(self) -> Path:
        """Folder of every backtest ever run."""
        return self.project / "data" / "trials"

    @property
    def ledger(self) -> str:
        """SQLAlchemy URL of the ledger."""
        return os.environ.get("TICKERBOOK_LEDGER") or f"sqlite:///{self.project / 'data' / 'ledger.db'}"

    @property
    def notebooks(self) -> Path:
        """Folder of templates."""
        return self.project / "notebooks"

    @property
    def site(self) -> Path:
        """The published site."""
        return self.project / "_site"

    def stage(self, strategy: str) -> str:
        """The stage that a strategy has reached, from params/strategies.toml."""
        table = self.parameters.get("strategies", {})
        return next((name for name in STAGES[:0:-1] if strategy in table.get(name, ())), STAGES[0])

    def ticker(self, symbol: str) -> Ticker:
        """The universe's entry for a symbol.

        Raises:
            SymbolError: if it is not a symbol.
            ConfigError: if the universe does not have it; names the nearest.
        """
        check_symbol(symbol)
        for ticker in self.tickers:
            if ticker.symbol == symbol:
                return ticker
        raise ConfigError(
            f"{symbol} is not in the universe.{nearest(symbol, [t.symbol for t in self.tickers])}",
            f"Add it to `tickers` in params/{_UNIVERSE}.",
        )


def nearest(name: str, known: list[str]) -> str:
    """A sentence naming the nearest of `known`, or an empty string."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f" Did you mean {close[0]}?" if close else ""


def find_project(start: Path | None = None) -> Path:
    """The project's directory: the nearest folder that has params/universe.toml, from `start` upwards.

    Args:
        start: an existing folder; default: TICKERBOOK_PROJECT, or where we are if that is not set.

    Raises:
        ConfigError: if there is none.
    """
    here = (start or Path(os.environ.get("TICKERBOOK_PROJECT") or ".")).resolve()
    for folder in (here, *here.parents) if here.is_dir() else ():
        if (folder / "params" / _UNIVERSE).is_file():
            return folder
    raise ConfigError(
        f"There is no tickerbook project in {here} (no params/{_UNIVERSE}).",
        "Run the command in a project's directory, or name it with --project.",
    )


def load_settings(project: Path | None = None) -> Settings:
    """Read every file in params/ of a project (default: the one we are in).

    Raises:
        ConfigError: names the file, the key and what to write instead.
    """
    project = find_project(project)
    universe = _universe(project / "params" / _UNIVERSE)
    schedule = _schedule(project / "params" / _SCHEDULE)
    return Settings(
        project=project,
        title=universe.title,
        tickers=tuple(_ticker(symbol, universe) for symbol in universe.tickers),
        parameters=_with_book(_parameters(project), project),
        providers=_providers(project),
        gates=_gates(project),
        cadences=tuple(_cadence(name, table, universe) for name, table in schedule.cadence.items()),
        at_once=schedule.at_once,
    )


def _ticker(symbol: str, universe: UniverseFile) -> Ticker:
    own = universe.ticker.get(symbol, TickerParams())
    providers, quorum = tuple(own.providers or universe.providers), own.quorum or universe.quorum
    if len(providers) < quorum:
        raise ConfigError(
            f"params/{_UNIVERSE}: {symbol} wants {quorum} providers to agree and has {len(providers)}.",
            "Name more providers, or lower `quorum`.",
        )
    return Ticker(
        symbol=symbol,
        name=own.name or symbol,
        providers=providers,
        calendar=own.calendar or universe.calendar,
        currency=own.currency or universe.currency,
        quorum=quorum,
    )


def _universe(path: Path) -> UniverseFile:
    raw = _read_toml(path)
    try:
        universe = UniverseFile.model_validate(raw)
    except ValidationError as error:
        model = TickerParams if error.errors()[0]["loc"][0] == "ticker" else UniverseFile
        raise _explain(path, error, model) from error
    for symbol in (*universe.tickers, *universe.ticker):
        try:
            check_symbol(symbol)
        except SymbolError as error:
            raise ConfigError(f"params/{path.name}: {error.message}", error.remedy) from error
    twice = sorted({s for s in universe.tickers if universe.tickers.count(s) > 1})
    if twice:
        raise ConfigError(
            f"params/{path.name}: `tickers` has {', '.join(twice)} more than once.", "Keep one."
        )
    for symbol in universe.ticker:
        if symbol not in universe.tickers:
            raise ConfigError(
                f"params/{path.name}: [ticker.{symbol}] describes a ticker that `tickers` does not list."
                f"{nearest(symbol, universe.tickers)}",
                "Add it to `tickers` or remove the table.",
            )
    return universe


def _providers(project: Path) -> dict[str, ProviderParams]:
    """How each provider there is is asked, from providers.toml where there is one."""
    path = project / "params" / _PROVIDERS
    written = _read_toml(path) if path.exists() else {}
    known = sorted(file.stem for file in (Path(__file__).parent / "market" / "providers").glob("[a-z]*.py"))
    for name, table in written.items():
        if name not in known:
            raise ConfigError(
                f"params/{path.name}: [{name}] is not a table named after a provider.{nearest(name, known)}",
                f"The providers are {', '.join(known)}.",
            )
        if not isinstance(table, dict):
            raise ConfigError(
                f"params/{path.name}: {name} is a value, not a table.",
                f"Write [{name}] and its keys below it.",
            )
        try:
            ProviderTable.model_validate(table)
        except ValidationError as error:
            raise _explain(path, error, ProviderTable, name) from error
    return {name: ProviderParams(project=project, **written.get(name, {})) for name in known}


def _parameters(project: Path) -> dict[str, dict[str, Any]]:
    """Tables named after notebooks, from every other file in params/."""
    known = sorted(path.stem for path in (project / "notebooks").glob("*.ipynb"))
    found: dict[str, dict[str, Any]] = {}
    for path in sorted((project / "params").glob("*.toml")):
        if path.name in {_UNIVERSE, _PROVIDERS, _GATES, _SCHEDULE, _STYLE}:
            continue
        for notebook, values in _read_toml(path).items():
            if path.name == _RISK and notebook in RiskFile.model_fields:
                continue  # see `_with_book`
            where = f"params/{path.name}: [{notebook}]"
            if not isinstance(values, dict) and notebook in known:
                raise ConfigError(
                    f"{where} is a value, not a table.", f"Write [{notebook}] and its parameters below it."
                )
            if notebook not in known:
                raise ConfigError(
                    f"{where} is not a table named after a notebook.{nearest(notebook, known)}",
                    f"The notebooks are {', '.join(known) or 'not there at all'}.",
                )
            if notebook in found:
                raise ConfigError(f"{where} stands in a second file.", "Keep one table for each notebook.")
            found[notebook] = values
    _check_stages(found.get("strategies", {}))
    return found


def _check_stages(table: Mapping[str, Any]) -> None:
    """Refuse a stage that there is not, and a strategy at a stage that there is not, or at two."""
    where = "params/strategies.toml: [strategies]"
    if table.get("stage", STAGES[0]) not in STAGES:
        raise ConfigError(
            f"{where} stage = {table['stage']!r} is no stage.", f"The stages are {', '.join(STAGES)}."
        )
    known = sorted(
        path.stem for path in (Path(__file__).parent / "research" / "strategies").glob("[a-z]*.py")
    )
    lists = [name for stage in STAGES[1:] if isinstance(names := table.get(stage), list) for name in names]
    for name in lists:
        if name not in known:
            raise ConfigError(
                f"{where} names {name!r}, which is no strategy.{nearest(str(name), known)}",
                f"The strategies are {', '.join(known)}.",
            )
        if lists.count(name) > 1:
            raise ConfigError(f"{where} has {name} more than once.", "Keep it at the stage it has reached.")


def _gates(project: Path) -> dict[str, Gate]:
    """What each stage asks for, from gates.toml where there is one."""
    path = project / "params" / _GATES
    if not path.exists():
        return {}
    try:
        gates = GatesFile.model_validate(_read_toml(path))
    except ValidationError as error:
        model = GatesFile if len(error.errors()[0]["loc"]) == 1 else Gate
        raise _explain(path, error, model) from error
    return {"paper": gates.paper, "production": gates.production}


def _schedule(path: Path) -> ScheduleFile:
    """What schedule.toml says, where there is one."""
    if not path.exists():
        return ScheduleFile()
    try:
        return ScheduleFile.model_validate(_read_toml(path))
    except ValidationError as error:
        model = ScheduleFile if len(error.errors()[0]["loc"]) == 1 else CadenceTable
        raise _explain(path, error, model) from error


def _cadence(name: str, table: CadenceTable, universe: UniverseFile) -> Cadence:
    """A cadence of schedule.toml, understood."""
    where = f"params/{_SCHEDULE}: [cadence.{name}]"
    if not _CADENCE.fullmatch(name):
        raise ConfigError(
            f"{where} is no name for a cadence.", "Lower case letters, digits, - and _, 31 at most."
        )
    for symbol in table.tickers:
        if symbol not in universe.tickers:
            raise ConfigError(
                f"{where} names {symbol}, which is not in the universe.{nearest(symbol, universe.tickers)}",
                f"Add it to `tickers` in params/{_UNIVERSE}.",
            )
    try:
        return Cadence(
            name=name,
            says=table.when,
            when=parse_when(table.when, table.zone),
            tickers=tuple(table.tickers),
            does=table.does,
            catch_up=table.catch_up,
            overlap=table.overlap,
            jitter=span(table.jitter),
            grace=span(table.grace),
            limit=span(table.limit),
        )
    except ConfigError as error:
        raise ConfigError(f"{where}: {error.message}", error.remedy) from error


def _with_book(parameters: dict[str, dict[str, Any]], project: Path) -> dict[str, dict[str, Any]]:
    """The parameters of `sizing` with the open positions and the days of earnings of risk.toml as texts."""
    path = project / "params" / _RISK
    written = _read_toml(path) if path.exists() else {}
    given = {name: written[name] for name in RiskFile.model_fields if name in written}
    try:
        risk = RiskFile.model_validate(given)
        for symbol in (*(one.ticker for one in risk.position), *risk.earnings):
            check_symbol(symbol)
    except ValidationError as error:
        model = HeldPosition if error.errors()[0]["loc"][0] == "position" else RiskFile
        raise _explain(path, error, model) from error
    except SymbolError as error:
        raise ConfigError(f"params/{path.name}: {error.message}", error.remedy) from error
    texts = {
        "positions": [one.text for one in risk.position],
        "earnings": [f"{ticker} {day}" for ticker, days in risk.earnings.items() for day in days],
    }
    found = {name: told for name, told in texts.items() if told}
    return parameters | {"sizing": found | parameters.get("sizing", {})} if found else parameters


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))  # editors on Windows write a mark first
    except OSError as error:
        raise ConfigError(
            f"params/{path.name} cannot be read: {error.strerror}.", f"Make {path} a file that you may read."
        ) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(
            f"params/{path.name} is not valid TOML: {error}.",
            'Texts, and keys such as "BRK.B", stand in quotes, lists in brackets; each key appears once.',
        ) from error


def _explain(path: Path, error: ValidationError, model: type[_Strict], table: str = "") -> ConfigError:
    """The first thing that is wrong in a file, or in a table of it, in words.

    A key that there is not comes before one that is missing: it may be that one, mistyped.
    """
    first = min(error.errors(), key=lambda one: one["type"] == "missing")
    location = [part for part in (table, *map(str, first["loc"])) if part]
    key = ".".join(location)
    if first["type"] == "extra_forbidden" and location[0] == "ticker" and isinstance(first["input"], dict):
        return ConfigError(
            f"params/{path.name}: [{key}] is a table inside the table of {location[1]}.",
            f'A symbol with a dot stands in quotes: [ticker."{".".join(location[1:])}"].',
        )
    if first["type"] == "extra_forbidden":
        known = sorted(model.model_fields)
        return ConfigError(
            f"params/{path.name}: there is no key {key!r}.{nearest(location[-1], known)}",
            f"Keys are {', '.join(known)}.",
        )
    if first["type"] == "missing":
        return ConfigError(f"params/{path.name}: the key {key!r} is missing.", "Add it.")
    return ConfigError(
        f"params/{path.name}: {key} = {first['input']!r} does not fit: {first['msg']}.",
        "See the comments in the file for what each key takes.",
    )
