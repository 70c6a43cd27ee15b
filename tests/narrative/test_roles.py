"""A figure is called what it is, and nothing is said that no fact says: sentences written to get through."""

import pytest
from mutants import pack

from tickerbook.narrative.check import faults

FACTS = pack(3)
FALSE = """\
The share keeps making new highs by {resistance.price}.
The trend points north.
The support at {support.price} has held many times.
The support at {support.price} is broken.
The price has cleared {resistance.price}.
{ticker} is cheap at {price.close}.
The price tested {support.price} and bounced.
The price is close to {resistance.price}.
{ticker} opened at {price.close}.
It has a high chance to reach {resistance.price}.
Resistance at {support.price} is there.
The stop is at {plan.entry}.
The entry is {plan.stop}.
Support stands at {resistance.price}.
The target is {plan.stop}.
The risk is {plan.notional}.
The plan risks {plan.notional} of the account.
The close of {support.price} is there.
{ticker} closed at {support.price}.
Both strategies made money.
The distance to support is {resistance.distance}.
The plan fails.
{strategy.1.title} returned {strategy.1.oos_return} in the sample, which may be luck.
A close above {resistance.price} would invalidate the plan.""".splitlines()
TRUE = """\
The stop is {plan.stop}, and the entry is {plan.entry}.
The stop, {plan.stop}, is below the entry.
Support is at {support.price}, resistance at {resistance.price}.
The plan risks {plan.money_at_risk}, and its size is {plan.shares}.
A close below {plan.stop} would end the plan.
The distance to support is {support.distance}.
The plan passes.
The target is {target.1.price}.""".splitlines()


@pytest.mark.parametrize("sentence", FALSE)
def test_what_is_not_so_is_refused(sentence):
    """Prices under other names, events and judgements that nothing computed."""
    assert list(faults(sentence, FACTS))


@pytest.mark.parametrize("sentence", TRUE)
def test_what_is_so_passes(sentence):
    """Prices under their own names."""
    assert list(faults(sentence, FACTS)) == []
