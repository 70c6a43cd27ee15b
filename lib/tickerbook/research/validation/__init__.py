"""Is it skill or luck? What a Sharpe ratio is worth after a search, each method in a file of its own.

Sharpe ratios here are of one period (a session, a month) unless a name says otherwise: mean over standard
deviation (n − 1) of the returns, never annualised. Kurtosis is raw: a normal distribution has 3.
"""
