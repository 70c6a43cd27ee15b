"""`tickerbook certify`: what it prints, and with what it ends."""

import sys

import pytest

from tickerbook import cli
from tickerbook.certificates import Audit, Certificate
from tickerbook.research import causality


@pytest.fixture
def certify(project, monkeypatch, capsys):
    """A runner of the verb: exit code, and what was printed with its white space folded."""

    def run(*names):
        monkeypatch.setattr(sys, "argv", ["tickerbook", "certify", *names, "--project", str(project)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        printed = capsys.readouterr()
        return ended.value.code, " ".join((printed.out + printed.err).split())

    return run


def test_a_certificate_is_printed(certify):
    """Each question with its answer, and a sum."""
    code, printed = certify("true_range")
    assert code == 0
    assert "true_range, indicator: passed," in printed
    assert "✓ prefix replay:" in printed
    assert printed.endswith("1 certificate, all passed.")


def test_a_failed_certificate_ends_with_1(certify, monkeypatch):
    """With what was found."""
    bad = Certificate("sma", "indicator", (Audit("prefix replay", passed=False, told="was 1 and is 0"),), 3)
    monkeypatch.setattr(causality, "certify_one", lambda *_, **__: bad)
    code, printed = certify("sma")
    assert code == 1
    assert "✗ prefix replay: was 1 and is 0" in printed
    assert "1 failed" in printed


def test_an_unknown_name_is_refused(certify):
    """It names the nearest, and ends as wrong configuration does."""
    code, printed = certify("ma_cros")
    assert code == 2
    assert "Did you mean ma_cross?" in printed


def test_a_notebook_without_prices_says_what_to_do(certify, project, root):
    """Notebooks are certified on prices of the lake."""
    (project / "notebooks" / "levels.ipynb").write_bytes((root / "notebooks" / "levels.ipynb").read_bytes())
    code, printed = certify("levels")
    assert code == 1
    assert "tickerbook fetch" in printed
