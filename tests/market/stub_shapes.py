"""What vendors say for a raw frame: their shapes, as recorded in tests/recorded. Each gives (data, status).

A stub has `frames` and `intraday` by symbol, `lacks` (parts that the plan does not have), `page` (rows on one) and `url`.
"""

import numpy as np
import pandas as pd

from tickerbook.market.raw import PRICES, RAW

NEW_YORK = "America/New_York"
FORBIDDEN = 403
MISSING = 404


def sentence(name: str, said: str):
    """A vendor's sentence where it puts sentences."""
    if name == "alphavantage":
        return {"Information": said}
    if name == "finnhub":
        return {"error": said}
    return {"status": "ERROR", "request_id": "0f1e", "message": said}


def other(raw):
    """Another company's prices."""
    return raw.assign(**{name: raw[name] * 3 + 1 for name in PRICES}, volume=raw["volume"] + 7)


def split_adjusted(raw):
    """Prices, volume and dividends of the frame in units of its newest session."""
    factor = raw["split"][::-1].cumprod().shift(fill_value=1.0)[::-1]
    names = [*PRICES, "dividend"]
    return raw.assign(**{name: raw[name] / factor for name in names}, volume=raw["volume"] * factor)


def actions(raw, name, none, query, low, high):
    """(date, value) of the actions within the dates that are asked for."""
    told = raw[name][raw[name] != none]
    inside = [(f"{day:%Y-%m-%d}", value) for day, value in told.items()]
    return [(day, value) for day, value in inside if query.get(low, "") <= day <= query.get(high, "9")]


# Yahoo


def yahoo(stub, path, query):
    if path.startswith("/v1/test/getcrumb"):
        return "abc123.xYz", 200
    if path.startswith("/xhr/ncp"):
        return {"data": {"tickerStream": {"stream": [_yahoo_article()]}}}, 200
    symbol = path.rsplit("/", 1)[-1]
    if not path.startswith("/v8/finance/chart/") or symbol not in stub.frames:
        error = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
        return {"chart": {"result": None, "error": error}}, MISSING
    if query["interval"] != "1d":
        return _chart(
            symbol, stub.intraday[symbol].assign(dividend=0.0, split=1.0), query, intraday=True
        ), 200
    return _chart(symbol, stub.frames[symbol], query), 200


def _opening(day):
    return int(pd.Timestamp(day).tz_localize(NEW_YORK).timestamp()) + 9 * 3600 + 1800


def _chart(symbol, raw, query, *, intraday=False):
    table = split_adjusted(raw)
    stamps = [int(at.timestamp()) if intraday else _opening(at) for at in table.index]
    begin = int(query.get("period1", 0))
    kept = np.array([stamp >= begin for stamp in stamps])
    quote = {name: [None if np.isnan(v) else v for v in table[name][kept]] for name in RAW[:5]}
    events = {"dividends": {}, "splits": {}}
    for stamp, (_, row) in zip(stamps, table.iterrows(), strict=True):
        if row["dividend"]:
            events["dividends"][str(stamp)] = {"amount": row["dividend"], "date": stamp}
        if row["split"] != 1:
            ratio = {"numerator": row["split"], "denominator": 1, "splitRatio": f"{row['split']:g}:1"}
            events["splits"][str(stamp)] = {"date": stamp, **ratio}
    meta = {
        "currency": "USD",
        "symbol": symbol,
        "instrumentType": "EQUITY",
        "exchangeTimezoneName": NEW_YORK,
        "timezone": "EDT",
        "gmtoffset": -14400,
        "dataGranularity": query["interval"],
        "range": "",
        "validRanges": ["max"],
        "regularMarketPrice": table["close"].iloc[-1],
        "regularMarketTime": stamps[-1] + 23400,
        "chartPreviousClose": table["close"].iloc[-2],
    }
    if intraday:
        period = {"timezone": "EDT", "start": stamps[0], "end": stamps[0] + 23400, "gmtoffset": -14400}
        meta["tradingPeriods"] = [[period]]
    found = {
        "meta": meta,
        "timestamp": [stamp for stamp, keep in zip(stamps, kept, strict=True) if keep],
        "indicators": {"quote": [quote], "adjclose": [{"adjclose": quote["close"]}]},
        "events": events,
    }
    return {"chart": {"result": [found], "error": None}}


def _yahoo_article():
    content = {
        "title": "Synthetic <b>headline</b>",
        "summary": "Synthetic.",
        "pubDate": "2020-09-01T12:00:00Z",
        "provider": {"displayName": "Example"},
        "canonicalUrl": {"url": "https://example.invalid/a"},
    }
    return {"id": "1", "content": content}


# Polygon, Massive


def polygon(stub, path, query):
    parts = path.split("/")
    if parts[1:3] == ["v2", "aggs"]:
        return _aggs(stub, parts[4], parts[6:10], query)
    if parts[1:3] == ["stocks", "v1"]:
        return _polygon_actions(stub, parts[3], query)
    if path.startswith("/v3/reference/tickers/"):
        known = parts[-1] in stub.frames
        error = {"status": "NOT_FOUND", "message": "Ticker not found."}
        return ({"status": "OK", "results": {"ticker": parts[-1]}}, 200) if known else (error, MISSING)
    if path.startswith("/v2/snapshot/"):
        return _snapshot(stub, parts[-1])
    if path == "/v2/reference/news":
        return {"status": "OK", "count": 1, "results": [_polygon_article()]}, 200
    return {"status": "NOT_FOUND", "message": "Not found"}, MISSING


massive = polygon


def _aggs(stub, symbol, span, query):
    many, unit, first, last = span
    none = {"ticker": symbol, "queryCount": 0, "resultsCount": 0, "adjusted": False, "status": "OK"}
    if symbol not in stub.frames:
        return none, 200
    raw = stub.frames[symbol] if unit == "day" else stub.intraday[symbol]
    if query.get("adjusted", "true") == "true":
        raw = split_adjusted(raw)
    days = raw.index.tz_convert(NEW_YORK).tz_localize(None) if raw.index.tz else raw.index
    raw = raw[(days >= first) & (days < pd.Timestamp(last) + pd.Timedelta(days=1))]
    zone = "UTC" if raw.index.tz else NEW_YORK
    stamps = (raw.index if raw.index.tz else raw.index.tz_localize(zone)).as_unit("ms").asi8
    rows = [
        {"v": v, "vw": c, "o": o, "c": c, "h": h, "l": low, "t": int(t), "n": 1}
        for t, (o, h, low, c, v) in zip(stamps, raw[list(RAW[:5])].to_numpy().tolist(), strict=True)
    ]
    return _paged(stub, f"/v2/aggs/ticker/{symbol}/range/{many}/{unit}/{first}/{last}", query, rows, none)


def _paged(stub, path, query, rows, answer):
    begin = int(query.get("cursor", 0))
    page = rows[begin : begin + stub.page]
    answer = {**answer, "queryCount": len(page), "resultsCount": len(page), "results": page}
    if begin + stub.page < len(rows):
        answer["next_url"] = f"{stub.url}{path}?cursor={begin + stub.page}&adjusted=false"
    return answer, 200


def _polygon_actions(stub, kind, query):
    if kind in stub.lacks:
        message = "You are not entitled to this data. Please upgrade your plan at https://massive.com/pricing"
        return {"status": "NOT_AUTHORIZED", "request_id": "0f1e", "message": message}, FORBIDDEN
    symbol = query["ticker"]
    raw = stub.frames.get(symbol)
    if raw is None:
        return {"status": "OK", "request_id": "1", "results": []}, 200
    if kind == "splits":
        found = actions(raw, "split", 1.0, query, "execution_date.gte", "execution_date.lte")
        rows = [
            {"ticker": symbol, "execution_date": day, "split_from": 1, "split_to": ratio, "id": f"E{day}"}
            for day, ratio in found
        ]
    else:
        found = actions(raw, "dividend", 0.0, query, "ex_dividend_date.gte", "ex_dividend_date.lte")
        rows = [
            {
                "ticker": symbol,
                "ex_dividend_date": day,
                "cash_amount": paid,
                "currency": "USD",
                "id": f"E{day}",
            }
            for day, paid in found
        ]
    return {"status": "OK", "request_id": "1", "results": rows}, 200


def _snapshot(stub, symbol):
    raw = stub.frames.get(symbol)
    if raw is None:
        return {"status": "NotFound", "message": "Ticker not found."}, MISSING
    at = (_opening(raw.index[-1]) + 23400) * 10**9
    trade = {"p": raw["close"].iloc[-1], "s": 1, "t": at}
    state = {"ticker": symbol, "lastTrade": trade, "prevDay": {"c": raw["close"].iloc[-2]}, "updated": at}
    return {"status": "OK", "ticker": state}, 200


def _polygon_article():
    return {
        "title": "Synthetic <b>headline</b>",
        "article_url": "https://example.invalid/a",
        "description": "Synthetic.",
        "published_utc": "2020-09-01T12:00:00Z",
        "publisher": {"name": "Example"},
    }


# Finnhub


def finnhub(stub, path, query):
    symbol = query.get("symbol", "")
    raw = stub.frames.get(symbol)
    if path.removeprefix("/stock/") in stub.lacks:
        return {"error": "You don't have access to this resource."}, FORBIDDEN
    if path == "/stock/candle":
        return _candles(stub, symbol, query), 200
    if path == "/quote":
        return _finnhub_quote(raw), 200
    if path == "/company-news":
        return [_finnhub_article(1598961600)] if raw is not None else [], 200
    if path == "/stock/split":
        found = actions(raw, "split", 1.0, query, "from", "to") if raw is not None else []
        return [
            {"symbol": symbol, "date": day, "fromFactor": 1, "toFactor": ratio} for day, ratio in found
        ], 200
    if path == "/stock/dividend":
        found = actions(raw, "dividend", 0.0, query, "from", "to") if raw is not None else []
        return [{"symbol": symbol, "date": d, "amount": paid, "currency": "USD"} for d, paid in found], 200
    return {"error": "not found"}, MISSING


def _candles(stub, symbol, query):
    raw = stub.frames.get(symbol)
    if raw is None:
        return {"s": "no_data"}
    table = split_adjusted(raw) if query["resolution"] == "D" else stub.intraday[symbol]
    stamps = table.index.tz_localize("UTC") if table.index.tz is None else table.index
    seconds = stamps.as_unit("s").asi8
    kept = (seconds >= int(query["from"])) & (seconds <= int(query["to"]))
    if not kept.any():
        return {"s": "no_data"}
    short = {name[0]: table[name][kept].tolist() for name in RAW[:5]}
    return {**short, "t": [int(second) for second in seconds[kept]], "s": "ok"}


def _finnhub_quote(raw):
    if raw is None:
        return {"c": 0, "d": None, "dp": None, "h": 0, "l": 0, "o": 0, "pc": 0, "t": 0}
    close, before = raw["close"].iloc[-1], raw["close"].iloc[-2]
    return {"c": close, "d": close - before, "pc": before, "t": _opening(raw.index[-1]) + 23400}


def _finnhub_article(at):
    return {
        "category": "company",
        "datetime": at,
        "headline": "Synthetic <b>headline</b>",
        "source": "Example",
        "summary": "Synthetic.",
        "url": "https://example.invalid/a",
    }


# Alpha Vantage


def alphavantage(stub, _path, query):
    function, symbol = query["function"], query.get("symbol", "")
    raw = stub.frames.get(symbol)
    premium = "Thank you for using Alpha Vantage! This is a premium endpoint."
    if function in stub.lacks or (query.get("outputsize") in stub.lacks):
        return {"Information": premium}, 200
    if function == "NEWS_SENTIMENT":
        return {"items": "1", "feed": [_av_article()]}, 200
    if function == "GLOBAL_QUOTE":
        return {"Global Quote": _av_quote(symbol, raw)}, 200
    if raw is None:
        return {"Error Message": "Invalid API call. Please retry or visit the documentation."}, 200
    if function == "SPLITS":
        rows = [
            {"effective_date": day, "split_factor": f"{v:.4f}"}
            for day, v in actions(raw, "split", 1.0, query, "", "")
        ]
        return {"symbol": symbol, "data": rows}, 200
    if function == "DIVIDENDS":
        table = split_adjusted(raw)
        rows = [
            {"ex_dividend_date": day, "declaration_date": "None", "amount": str(v)}
            for day, v in actions(table, "dividend", 0.0, query, "", "")
        ]
        return {"symbol": symbol, "data": rows}, 200
    return _av_series(stub, function, symbol, query), 200


def _av_series(stub, function, symbol, query):
    if function == "TIME_SERIES_INTRADAY":
        table = stub.intraday[symbol]
        table = table.set_axis(table.index.tz_convert(NEW_YORK).tz_localize(None))
        name, form = f"Time Series ({query['interval']})", "%Y-%m-%d %H:%M:%S"
    else:
        table, name, form = stub.frames[symbol], "Time Series (Daily)", "%Y-%m-%d"
    if query.get("outputsize", "compact") == "compact":
        table = table.iloc[-100:]
    series = {}
    for at, row in table.iloc[::-1].iterrows():
        values = {f"{n}. {c}": f"{row[c]:.4f}" for n, c in enumerate(RAW[:4], 1)}
        if function == "TIME_SERIES_DAILY_ADJUSTED":
            values |= {"5. adjusted close": "1.0", "6. volume": f"{row['volume']:.0f}"}
            values |= {
                "7. dividend amount": f"{row['dividend']:.4f}",
                "8. split coefficient": str(row["split"]),
            }
        else:
            values["5. volume"] = f"{row['volume']:.0f}"
        series[at.strftime(form)] = values
    meta = {"1. Information": "Prices", "2. Symbol": symbol, "5. Time Zone": "US/Eastern"}
    return {"Meta Data": meta, name: series}


def _av_quote(symbol, raw):
    if raw is None:
        return {}
    return {
        "01. symbol": symbol,
        "05. price": f"{raw['close'].iloc[-1]:.4f}",
        "07. latest trading day": f"{raw.index[-1]:%Y-%m-%d}",
        "08. previous close": f"{raw['close'].iloc[-2]:.4f}",
    }


def _av_article():
    return {
        "title": "Synthetic <b>headline</b>",
        "url": "https://example.invalid/a",
        "time_published": "20200901T120000",
        "source": "Example",
        "summary": "Synthetic.",
    }
