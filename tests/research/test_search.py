"""What a search amounts to, from the ledger."""

from datetime import date

import numpy as np
import pandas as pd
import pytest
from evidence_data import noise, recorded

from tickerbook.errors import DataError
from tickerbook.research.search import search

UNTIL = date(2021, 12, 31)


def test_variance_is_that_of_the_sharpe_ratios():
    """One ticker: the sample variance over the configurations."""
    records = recorded(noise(1, 40))
    assert search(records, UNTIL).variance == pytest.approx(np.var(records[0].sharpes, ddof=1))


def test_random_strategies_vary_as_luck_does():
    """Without skill the variance of a Sharpe ratio is one over the sessions; independent ideas are not merged."""
    found = search(recorded(noise(2, 200)), UNTIL)
    assert found.count == 200
    assert found.variance == pytest.approx(1 / 1590, rel=0.3)
    assert found.effective == 200


def test_a_fine_grid_is_few_ideas():
    """A hundred neighbours of three rules are a hundred trials and three ideas."""
    rules = noise(3, 3)
    grid = np.hstack([rules + noise(n, 3) * 0.1 for n in range(4, 14)])
    found = search(recorded(grid), UNTIL)
    assert (found.count, found.effective) == (30, 3)


def test_what_is_measured_again_later_changes_nothing():
    """Beside a measurement that ends with the quarter, a newer one has no say."""
    first = recorded(noise(20, 5))
    later = recorded(noise(21, 5, 1700), last="2022-06-01")
    found, alone = search(first + later, UNTIL), search(first, UNTIL)
    assert found.variance == alone.variance
    assert found.monthly.equals(alone.monthly)


def test_a_configuration_tried_later_only_counts_with_its_earliest_measurement():
    """It is counted at once, and its figure does not move when it is measured again."""
    late = recorded(noise(22, 5), last="2022-05-02")
    later = recorded(noise(23, 5), last="2022-08-01")
    assert search(late + later, UNTIL).variance == search(late, UNTIL).variance


def test_other_tickers_count_and_are_not_compared():
    """A search on shares that are no longer in the universe was a search; its returns are of something else."""
    here, there = recorded(noise(24, 5)), recorded(noise(25, 50), ticker="GONE")
    found, alone = search(here + there, UNTIL, ["AAA"]), search(here, UNTIL)
    assert (found.count, found.variance) == (50, alone.variance)
    assert found.monthly.equals(alone.monthly)


def test_the_order_of_the_records_does_not_matter():
    """The ledger has no order."""
    records = [r for n in range(4) for r in recorded(noise(30 + n, 6), ticker=f"T{n}")]
    one, other = search(records, UNTIL), search(records[::-1], UNTIL)
    assert one.variance == other.variance
    assert one.monthly.equals(other.monthly)


def test_overfitting_of_noise_and_of_an_edge():
    """Choosing among noise is worthless half of the time; choosing what is truly better is not."""
    random = noise(40, 30)
    edge = random.copy()
    edge[:, 3] += 0.004
    assert search(recorded(random), UNTIL).overfitting > 0.25
    assert search(recorded(edge), UNTIL).overfitting == 0


def test_a_single_trial_is_not_overfitted():
    """Nothing was chosen."""
    found = search(recorded(noise(50, 1)), UNTIL)
    assert (found.count, found.variance, found.overfitting, found.effective) == (1, None, 0.0, 1)


def test_a_short_record_says_nothing():
    """Below two years no figure is made up."""
    found = search(recorded(noise(51, 5, 300)), UNTIL)
    assert (found.overfitting, found.effective) == (None, None)
    assert found.superiority(pd.Series(0.0, found.monthly.index)) is None


def test_an_edge_beats_holding_and_noise_does_not():
    """The p-value of the best against a benchmark of cash."""
    edge = noise(60, 10)
    edge[:, 2] += 0.001
    cash = pd.Series(0.0, [f"{year}-{month:02}" for year in range(2014, 2023) for month in range(1, 13)])
    assert search(recorded(edge), UNTIL).superiority(cash) < 0.05
    assert search(recorded(noise(61, 10)), UNTIL).superiority(cash) > 0.05


def test_no_trials_are_no_search():
    """There is nothing to sum up, and no zero to be mistaken for a result."""
    with pytest.raises(DataError, match="no trials"):
        search([], UNTIL)
