"""Kelly's fraction of an uncertain edge."""

import math

from tickerbook.research.position import check_value

Z95 = 1.959963984540054  # half-width of a 95 % interval, in standard errors


def kelly(p: float, b: float) -> float:
    """Kelly's fraction of a bet that wins `b` for 1 with probability `p`: p − (1 − p) / b.

    Negative where the bet loses in the long run. Source: Kelly (1956); Thorp (2006), equation 2.1.

    Raises:
        ConfigError: if p is no probability, or b is not above 0.
    """
    check_value("p", p, 0 <= p <= 1, "0 to 1")
    check_value("b", b, 0 < b < math.inf, "above 0")
    return p - (1 - p) / b


def shrunk_kelly(edge: float, low: float, high: float, reward_risk: float, fraction: float = 0.5) -> float:
    """Share of equity to risk on a bet whose edge over a fair game is only estimated.

    A fair game that wins b = `reward_risk` for 1 is won with probability 1 / (1 + b); with `edge` more,
    Kelly's fraction is edge · (1 + b) / b. It is shrunk by edge² / (edge² + σ²), which maximises the expected
    growth when the edge has the standard error σ (Baker and McHale 2013, Optimal Betting Under Parameter
    Uncertainty, Decision Analysis 10), and multiplied by `fraction`. Where the interval includes zero,
    nothing is risked.

    Args:
        edge: probability of winning less that of a fair game.
        low: lower end of its 95 % interval.
        high: upper end.
        reward_risk: what is won for 1 lost, above 0.
        fraction: of Kelly's that is taken, 0 to 1.

    Returns:
        0 or more; at most `fraction`.

    Raises:
        ConfigError: for a value outside its range, or an edge outside its interval.
    """
    check_value("reward_risk", reward_risk, 0 < reward_risk < math.inf, "above 0")
    check_value("fraction", fraction, 0 <= fraction <= 1, "0 to 1")
    check_value("edge", (low, edge, high), -1 <= low <= edge <= high <= 1, "within its interval, −1 to 1")
    if low <= 0:
        return 0.0
    error = (high - low) / (2 * Z95)
    fair = 1 / (1 + reward_risk)
    whole = kelly(min(fair + edge, 1.0), reward_risk)
    return fraction * whole * edge**2 / (edge**2 + error**2)
