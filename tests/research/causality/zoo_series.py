"""The zoo: ways to compute a series with a look into the future, and the honest way beside each.

Each function takes bars (open, high, low, close, volume, dividend, split) and gives a value for each of them.
A name that ends in `_leak` uses later sessions than the one its value stands at; `_twin` does what its author
should have done.
"""

import numpy as np
import pandas as pd
from scipy import signal
from scipy.cluster.vq import kmeans2
from scipy.ndimage import gaussian_filter1d

from tickerbook.research.zigzag import turning_points
from tickerbook.sessions import sessions_between


def _returns(frame):
    return frame["close"].pct_change()


def _months(frame):
    return frame.index.to_period("M")


def _weeks(frame):
    return frame.index.to_period("W")


# --- windows ----------------------------------------------------------------------------------------------


def centred_window_leak(frame):
    return frame["close"].rolling(11, center=True).mean()


def centred_window_twin(frame):
    return frame["close"].rolling(11).mean()


def forward_window_leak(frame):
    return frame["high"].rolling(pd.api.indexers.FixedForwardWindowIndexer(window_size=5)).max()


def forward_window_twin(frame):
    return frame["high"].rolling(5).max()


def closed_both_leak(frame):
    return frame["close"].rolling(5, closed="both").mean().shift(-1)


def closed_both_twin(frame):
    return frame["close"].rolling(5, closed="left").mean()


def negative_shift_leak(frame):
    return (frame["close"].shift(-1) > frame["close"]).astype(float)


def negative_shift_twin(frame):
    return (frame["close"] > frame["close"].shift(1)).astype(float)


def negative_change_leak(frame):
    return -frame["close"].pct_change(-5)


def negative_change_twin(frame):
    return frame["close"].pct_change(5)


def rolled_leak(frame):
    return np.roll(frame["close"].to_numpy(), -1)


def rolled_twin(frame):
    return frame["close"].shift(1)


def wrapped_leak(frame):
    """Shifted the right way, and the last session comes in at the front."""
    return np.roll(frame["close"].to_numpy(), 3)


def wrapped_twin(frame):
    moved = np.roll(frame["close"].to_numpy(), 3)
    moved[:3] = np.nan
    return moved


def gradient_leak(frame):
    """Central differences look one session ahead."""
    return np.gradient(frame["close"].to_numpy())


def gradient_twin(frame):
    return frame["close"].diff()


def next_open_leak(frame):
    """The gap of tomorrow morning, tonight."""
    return frame["open"].shift(-1) / frame["close"] - 1


def next_open_twin(frame):
    return frame["open"] / frame["close"].shift(1) - 1


def next_volume_leak(frame):
    """Prices are honest here, volumes are not."""
    return frame["volume"].rolling(5).mean().shift(-2)


def next_volume_twin(frame):
    return frame["volume"].rolling(5).mean().shift(2)


# --- filling ----------------------------------------------------------------------------------------------


def back_fill_leak(frame):
    return frame["close"].where(frame.index.day < 4).bfill()


def back_fill_twin(frame):
    return frame["close"].where(frame.index.day < 4).ffill()


def interpolation_leak(frame):
    return frame["close"].where(np.arange(len(frame)) % 10 == 0).interpolate()


def interpolation_twin(frame):
    return frame["close"].where(np.arange(len(frame)) % 10 == 0).ffill()


def filled_with_mean_leak(frame):
    known = frame["volume"].where(frame["volume"] > 2e5)
    return known.fillna(known.mean())


def filled_with_mean_twin(frame):
    known = frame["volume"].where(frame["volume"] > 2e5)
    return known.fillna(known.expanding().mean())


# --- the whole sample -------------------------------------------------------------------------------------


def whole_scaling_leak(frame):
    return (frame["close"] - frame["close"].mean()) / frame["close"].std()


def whole_scaling_twin(frame):
    past = frame["close"].expanding(20)
    return (frame["close"] - past.mean()) / past.std()


def whole_range_leak(frame):
    low, high = frame["low"].min(), frame["high"].max()
    return (frame["close"] - low) / (high - low)


def whole_range_twin(frame):
    low, high = frame["low"].cummin(), frame["high"].cummax()
    return (frame["close"] - low) / (high - low)


def whole_rank_leak(frame):
    return frame["close"].rank(pct=True)


def whole_rank_twin(frame):
    return frame["close"].expanding().rank(pct=True)


def quantile_bins_leak(frame):
    return pd.qcut(_returns(frame).rank(method="first"), 5, labels=False)


def quantile_bins_twin(frame):
    edges = _returns(frame).expanding(40).quantile(0.2)
    return (_returns(frame) < edges).astype(float)


def labelled_bins_leak(frame):
    """Categories by name: words move as numbers do."""
    return pd.qcut(_returns(frame).rank(method="first"), 3, labels=["low", "middle", "high"])


def labelled_bins_twin(frame):
    return pd.cut(_returns(frame), [-np.inf, -0.01, 0.01, np.inf], labels=["low", "middle", "high"])


def outliers_leak(frame):
    moves = _returns(frame)
    return moves.where((moves - moves.mean()).abs() < 2 * moves.std())


def outliers_twin(frame):
    moves, past = _returns(frame), _returns(frame).expanding(20)
    return moves.where((moves - past.mean()).abs() < 2 * past.std())


def last_value_leak(frame):
    return frame["close"] / frame["close"].iloc[-1]


def last_value_twin(frame):
    return frame["close"] / frame["close"].iloc[0]


def place_in_sample_leak(frame):
    """No price at all: how much is still to come."""
    return np.arange(len(frame)) / len(frame)


def place_in_sample_twin(frame):
    return np.arange(len(frame)) / 252


def tiny_leak(frame):
    """A millionth of the whole sample in an honest average."""
    return frame["close"].rolling(10).mean() + 1e-6 * frame["close"].mean()


def tiny_twin(frame):
    return frame["close"].rolling(10).mean() + 1e-6 * frame["close"].expanding().mean()


# --- backwards --------------------------------------------------------------------------------------------


def reversed_maximum_leak(frame):
    return frame["close"][::-1].cummax()[::-1]


def reversed_maximum_twin(frame):
    return frame["close"].cummax()


def reversed_expanding_leak(frame):
    return frame["close"][::-1].expanding().mean()[::-1]


def reversed_expanding_twin(frame):
    return frame["close"].expanding().mean()


def reversed_ewm_leak(frame):
    return frame["close"][::-1].ewm(span=10, adjust=True).mean()[::-1]


def reversed_ewm_twin(frame):
    return frame["close"].ewm(span=10, adjust=True).mean()


# --- smoothing --------------------------------------------------------------------------------------------


def fourier_leak(frame):
    waves = np.fft.rfft(frame["close"].to_numpy())
    waves[20:] = 0
    return np.fft.irfft(waves, len(frame))


def fourier_twin(frame):
    """Of the last 64 sessions only, the newest point."""
    closes, smooth = frame["close"].to_numpy(), np.full(len(frame), np.nan)
    for row in range(63, len(frame), 4):
        waves = np.fft.rfft(closes[row - 63 : row + 1])
        waves[8:] = 0
        smooth[row] = np.fft.irfft(waves, 64)[-1]
    return smooth


def both_ways_filter_leak(frame):
    return signal.filtfilt(*signal.butter(2, 0.1), frame["close"].to_numpy(), padlen=5)


def both_ways_filter_twin(frame):
    return signal.lfilter(*signal.butter(2, 0.1), frame["close"].to_numpy())


def savitzky_golay_leak(frame):
    return signal.savgol_filter(frame["close"].to_numpy(), 5, 2)


def savitzky_golay_twin(frame):
    weights = signal.savgol_coeffs(5, 2, pos=4, use="conv")
    return np.convolve(frame["close"].to_numpy(), weights)[: len(frame)]


def median_filter_leak(frame):
    return signal.medfilt(frame["close"].to_numpy(), 5)


def median_filter_twin(frame):
    return frame["close"].rolling(5).median()


def gaussian_leak(frame):
    return gaussian_filter1d(frame["close"].to_numpy(), 2.0)


def gaussian_twin(frame):
    weights = np.exp(-0.5 * (np.arange(9) / 2.0) ** 2)
    return np.convolve(frame["close"].to_numpy(), weights / weights.sum())[: len(frame)]


def smoother_leak(frame):
    """A Kalman smoother goes over the series backwards; its filter does not."""
    return smoother_twin(frame)[::-1].ewm(alpha=0.3, adjust=False).mean()[::-1]


def smoother_twin(frame):
    return frame["close"].ewm(alpha=0.3, adjust=False).mean()


# --- calendars and groups ---------------------------------------------------------------------------------


def resample_label_leak(frame):
    """Weekly means that stand at the beginning of their week."""
    weekly = frame["close"].resample("W-FRI", label="left").mean()
    return weekly.reindex(frame.index, method="ffill")


def resample_label_twin(frame):
    weekly = frame["close"].resample("W-FRI", label="right").mean()
    return weekly.reindex(frame.index, method="ffill")


def month_mean_leak(frame):
    return frame["close"].groupby(_months(frame)).transform("mean")


def month_mean_twin(frame):
    groups = frame["close"].groupby(_months(frame))
    return groups.cumsum() / (groups.cumcount() + 1)


def week_high_leak(frame):
    return frame["high"].groupby(_weeks(frame)).transform("max")


def week_high_twin(frame):
    return frame["high"].groupby(_weeks(frame)).cummax()


def month_end_leak(frame):
    """The next bar says that the month is over; only wrong on a dozen days a year."""
    months = pd.Series(_months(frame), frame.index)
    return (months != months.shift(-1)).astype(float)


def month_end_twin(frame):
    """The exchange's calendar says so before."""
    until = (frame.index[-1] + pd.Timedelta(days=40)).date()
    days = sessions_between("XNYS", frame.index[0].date(), until)
    last = days[np.append(np.diff(days.month) != 0, True)]
    return frame.index.isin(last).astype(float)


def month_countdown_leak(frame):
    groups = frame["close"].groupby(_months(frame))
    return groups.transform("count") - groups.cumcount()


def month_countdown_twin(frame):
    return frame["close"].groupby(_months(frame)).cumcount()


def merge_forward_leak(frame):
    weekly = frame[["close"]].iloc[::5].rename(columns={"close": "weekly"})
    merged = pd.merge_asof(frame, weekly, left_index=True, right_index=True, direction="forward")
    return merged["weekly"]


def merge_forward_twin(frame):
    weekly = frame[["close"]].iloc[::5].rename(columns={"close": "weekly"})
    merged = pd.merge_asof(frame, weekly, left_index=True, right_index=True, direction="backward")
    return merged["weekly"]


def merge_nearest_leak(frame):
    weekly = frame[["close"]].iloc[::5].rename(columns={"close": "weekly"})
    return pd.merge_asof(frame, weekly, left_index=True, right_index=True, direction="nearest")["weekly"]


def merge_nearest_twin(frame):
    weekly = frame[["close"]].iloc[::5].rename(columns={"close": "weekly"})
    return weekly["weekly"].reindex(frame.index, method="ffill")


# --- prices and actions -----------------------------------------------------------------------------------


def split_adjusted_leak(frame):
    """Past prices in today's shares: a level that only later splits explain."""
    later = frame["split"][::-1].cumprod()[::-1].shift(-1).fillna(1.0)
    return frame["close"] / later


def split_adjusted_twin(frame):
    return frame["close"] * frame["split"].cumprod()


def dividend_adjusted_leak(frame):
    kept = 1 - (frame["dividend"] / frame["close"].shift(1)).fillna(0)
    return frame["close"] * kept[::-1].cumprod()[::-1].shift(-1).fillna(1.0)


def dividend_adjusted_twin(frame):
    return ((frame["close"] + frame["dividend"]) / frame["close"].shift(1)).fillna(1).cumprod()


def next_dividend_leak(frame):
    rows = pd.Series(np.arange(len(frame), dtype=float), frame.index)
    return rows.where(frame["dividend"] > 0).bfill() - rows


def next_dividend_twin(frame):
    rows = pd.Series(np.arange(len(frame), dtype=float), frame.index)
    return rows - rows.where(frame["dividend"] > 0).ffill()


def whole_profile_leak(frame):
    """The price with most volume of the whole period."""
    bins = np.round(frame["close"])
    return frame["close"] - frame["volume"].groupby(bins).sum().idxmax()


def whole_profile_twin(frame):
    """… of the sixty sessions before."""
    bins, volume = np.round(frame["close"]), frame["volume"]
    poc = np.full(len(frame), np.nan)
    for row in range(60, len(frame), 40):
        past = slice(row - 60, row)
        poc[row] = volume.iloc[past].groupby(bins.iloc[past]).sum().idxmax()
    return poc


# --- extremes ---------------------------------------------------------------------------------------------


def unconfirmed_swing_leak(frame):
    """Acts on a swing high at its own bar."""
    peak = frame["high"].rolling(11, center=True).max()
    return frame["high"].where(frame["high"] == peak).ffill()


def unconfirmed_swing_twin(frame):
    peak = frame["high"].rolling(11, center=True).max()
    return frame["high"].where(frame["high"] == peak).shift(5).ffill()


def extrema_leak(frame):
    marks = np.zeros(len(frame))
    marks[signal.argrelextrema(frame["close"].to_numpy(), np.greater, order=3)[0]] = 1
    return marks


def extrema_twin(frame):
    close = frame["close"]
    before = close.shift(3) > close.shift(4).rolling(3).max()
    return (before & (close.shift(3) > close.rolling(3).max())).astype(float)


def _turns(frame):
    reach = 0.08 * frame["close"].to_numpy()
    return turning_points(*(frame[n].to_numpy() for n in ("high", "low", "close")), reach)


def zigzag_leak(frame):
    """The line from turn to turn, its last leg drawn to where the price is now."""
    rows, _, prices, _ = _turns(frame)
    rows, prices = [*rows, len(frame) - 1], [*prices, frame["close"].iloc[-1]]
    return np.interp(np.arange(len(frame)), rows, prices)


def zigzag_twin(frame):
    """The price of the last turn, from the close that confirmed it."""
    _, known, prices, _ = _turns(frame)
    line = pd.Series(np.nan, range(len(frame)))
    line.iloc[known] = prices
    return line.ffill().to_numpy()


# --- fitting ----------------------------------------------------------------------------------------------


def regression_leak(frame):
    rows = np.arange(len(frame))
    return frame["close"] - np.polyval(np.polyfit(rows, frame["close"].to_numpy(), 1), rows)


def regression_twin(frame):
    """The slope of the first hundred sessions, continued."""
    rows = np.arange(len(frame))
    if len(frame) < 100:
        return np.full(len(frame), np.nan)
    line = np.polyval(np.polyfit(rows[:100], frame["close"].to_numpy()[:100], 1), rows)
    return np.where(rows < 100, np.nan, frame["close"] - line)


def clusters_leak(frame):
    points = np.nan_to_num(_returns(frame).to_numpy())[:, None]
    centres, _ = kmeans2(points, 3, seed=1, minit="++")
    return np.abs(points - np.sort(centres.ravel())).argmin(axis=1).astype(float)


def clusters_twin(frame):
    points = np.nan_to_num(_returns(frame).to_numpy())[:, None]
    if len(points) < 120:
        return np.full(len(points), np.nan)
    centres, _ = kmeans2(points[:120], 3, seed=1, minit="++")
    found = np.abs(points - np.sort(centres.ravel())).argmin(axis=1).astype(float)
    return np.where(np.arange(len(points)) < 120, np.nan, found)


def _features(frame):
    moves = _returns(frame).fillna(0)
    return np.column_stack([moves, moves.shift(1).fillna(0), moves.rolling(5, min_periods=1).mean()])


def label_leak(frame):
    """Tomorrow's return among the features."""
    return _returns(frame).shift(-1).fillna(0).ewm(span=3).mean()


def label_twin(frame):
    return _returns(frame).fillna(0).ewm(span=3).mean()


def shuffled_training_leak(frame):
    """Trained on sessions drawn from everywhere, used on the rest."""
    features, label = _features(frame), _returns(frame).shift(-1).fillna(0).to_numpy()
    train = np.random.default_rng(5).permutation(len(frame))[: len(frame) // 2]
    return features @ np.linalg.lstsq(features[train], label[train], rcond=None)[0]


def shuffled_training_twin(frame):
    """Trained on the first 150 sessions, whose labels are known by then, used afterwards."""
    features, label = _features(frame), _returns(frame).shift(-1).fillna(0).to_numpy()
    if len(frame) <= 150:
        return np.full(len(frame), np.nan)
    weights = np.linalg.lstsq(features[:150], label[:150], rcond=None)[0]
    return np.where(np.arange(len(frame)) < 150, np.nan, (features * weights).sum(axis=1))


def _best_length(frame):
    close = frame["close"]
    gains = {
        n: (_returns(frame).shift(-1) * (close > close.rolling(n).mean())).sum() for n in range(5, 60, 6)
    }
    return max(gains, key=gains.get)


def chosen_parameter_leak(frame):
    """The average that worked best, used from the beginning."""
    return frame["close"].rolling(_best_length(frame)).mean()


def chosen_parameter_twin(frame):
    """The average that worked best in the first 200 sessions, used after them."""
    if len(frame) <= 200:
        return np.full(len(frame), np.nan)
    mean = frame["close"].rolling(_best_length(frame.iloc[:200])).mean()
    return mean.where(np.arange(len(frame)) >= 200)


# --- now and then -----------------------------------------------------------------------------------------


def crash_leak(frame):
    """Honest, save on the eve of a fall by a tenth."""
    return (_returns(frame).shift(-1) < -0.1).astype(float)


def crash_twin(frame):
    return (_returns(frame) < -0.1).astype(float)


def new_year_leak(frame):
    """Honest, save on the last session of a year."""
    last = frame.index.isin(frame.index[(frame.index.month == 12) & (frame.index.day >= 29)])
    return frame["close"].where(~last, frame["close"].shift(-1))


def new_year_twin(frame):
    last = frame.index.isin(frame.index[(frame.index.month == 12) & (frame.index.day >= 29)])
    return frame["close"].where(~last, frame["close"].shift(1))


def quiet_leak(frame):
    """Knows on which evening trade stops."""
    still = (frame["close"].shift(-1) == frame["close"]) & (frame["high"].shift(-1) == frame["low"].shift(-1))
    return still.astype(float)


def quiet_twin(frame):
    still = (frame["close"] == frame["close"].shift(1)) & (frame["high"] == frame["low"])
    return still.astype(float)


_MEMORY: dict[object, pd.Series] = {}


def remembered_leak(frame):
    """What was once computed on more is given again."""
    known = _MEMORY.get(frame["close"].iloc[0])
    if known is None or len(known) < len(frame):
        known = _MEMORY[frame["close"].iloc[0]] = frame["close"] / frame["close"].max()
    return known.iloc[: len(frame)].to_numpy()


def remembered_twin(frame):
    key = frame["close"].iloc[0], len(frame)
    _MEMORY[key] = _MEMORY.get(key, frame["close"] / frame["close"].cummax())
    return (frame["close"] / frame["close"].cummax()).to_numpy()
