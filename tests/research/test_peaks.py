"""Peaks of a curve, against scipy's."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import find_peaks

from tickerbook.research.peaks import peaks


@given(
    values=st.lists(st.integers(0, 6), min_size=1, max_size=40),
    prominence=st.sampled_from([0.5, 1.0, 2.0, 4.0]),
)
def test_peaks_are_those_of_scipy(values, prominence):
    """Places of all that stand out, flat tops included."""
    curve = np.array(values, dtype=float)
    assert peaks(curve, prominence).tolist() == find_peaks(curve, prominence=prominence)[0].tolist()
