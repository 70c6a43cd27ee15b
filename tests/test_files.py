"""Files appear whole or not at all, and every ticker has a file name of its own on every disk."""

import re
import stat
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tickerbook.errors import SymbolError
from tickerbook.files import digest, dump_json, slug, whole_file, whole_folder, write_text
from tickerbook.settings import check_symbol

# FAULTS.md DA12: symbols that YAML, TOML, JSON or pandas take for something else.
REAL = ["NA", "NAN", "NULL", "ON", "NO", "TRUE", "INF", "1E5", "000001", "0700"]
REAL += ["BRK.B", "^GSPC", "EURUSD=X", "ES=F", "BF-B", "CON", "BRK-A", "RDS.A"]
# FAULTS.md SE01: texts that would do harm.
HOSTILE = [
    "../../x",
    "../../etc/passwd",
    "/etc/passwd",
    "..\\..\\x",
    "a/b",
    "A/B",
    "%2e%2e%2f",
    "x\0y",
    "A\0B",
]
HOSTILE += ["A" * 300, "-rf", "$(touch PWN)", ";touch PWN", "A;rm -rf ~", "`touch PWN`", "A\n", "\nA", "A\nB"]
HOSTILE += ["{ticker.__class__}", "", " ", "A B", ".", "..", "A.", ".A", "A..B", "=A", "^", "ＡＡＰＬ", "AAPL\u202e", "A²", "٣"]  # fmt: skip
NULL_DEVICES = ["CON", "PRN", "AUX", "NUL", "COM1", "LPT9", "CON.L", "NUL.B"]


def _unslug(name: str) -> str:
    """Back from a file name; that it exists proves that no two symbols share one."""
    raw = re.sub(rb"_([0-9A-F]{2})", lambda found: bytes.fromhex(found[1].decode()), name.encode())
    return raw.decode("utf-8", "surrogatepass")


@pytest.mark.parametrize("symbol", REAL)
def test_real_symbols_are_kept_to_the_letter(symbol):
    """A symbol that looks like a number, a truth value or nothing arrives as it is."""
    assert check_symbol(symbol) == symbol


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_symbols_are_refused(text):
    """What could leave its folder, or run, is no symbol; the message shows it harmlessly and says the way out."""
    with pytest.raises(SymbolError) as caught:
        check_symbol(text)
    assert caught.value.remedy
    assert "\n" not in caught.value.message
    assert len(caught.value.message) < 120


def test_small_letters_are_answered_with_capitals():
    """Who types a symbol in small letters is told the right one."""
    with pytest.raises(SymbolError, match=r"did you mean BRK\.B\?"):
        check_symbol("brk.b")


@given(st.text() | st.text(".ACON_5E"))
def test_every_name_leads_back_to_its_symbol(symbol):
    """No two texts share a file name."""
    assert _unslug(slug(symbol)) == symbol


@given(st.text(min_size=1) | st.text(".ACON_5E", min_size=1))
def test_names_are_plain_and_visible(symbol):
    """A name has capitals, digits, dots, hyphens and underscores; no dot at either end."""
    assert re.fullmatch(r"[A-Z0-9_\-]([A-Z0-9_.\-]*[A-Z0-9_\-])?", slug(symbol))


@pytest.mark.parametrize("symbol", NULL_DEVICES)
def test_no_name_is_a_device(symbol):
    """Windows keeps these names, whatever follows the first dot."""
    assert slug(symbol).split(".")[0] not in {name.split(".")[0] for name in NULL_DEVICES}


def test_ordinary_symbols_are_their_own_name():
    """A page's address looks as the reader expects."""
    assert [slug(s) for s in ("AAPL", "BRK.B", "BF-B", "0700")] == ["AAPL", "BRK.B", "BF-B", "0700"]


def test_a_written_file_holds_the_text(tmp_path):
    """Folders are made on the way, and nothing else is left."""
    write_text(tmp_path / "a" / "b.txt", "ß\n")
    assert (tmp_path / "a" / "b.txt").read_text(encoding="utf-8") == "ß\n"
    assert _names(tmp_path / "a") == ["b.txt"]


def test_an_error_while_writing_leaves_the_old_file(tmp_path):
    """The half-written file is gone, the old one untouched."""
    path = tmp_path / "x.txt"
    write_text(path, "old")
    with pytest.raises(KeyboardInterrupt), whole_file(path) as part:
        _write_and_break(part)
    assert path.read_text(encoding="utf-8") == "old"
    assert _names(tmp_path) == ["x.txt"]


def test_an_error_while_renaming_leaves_the_old_file(tmp_path, monkeypatch):
    """A disk that fails at the very end does no harm either."""
    path = tmp_path / "x.txt"
    write_text(path, "old")
    monkeypatch.setattr("pathlib.Path.replace", _fail)
    with pytest.raises(OSError, match="no space"):
        write_text(path, "new")
    assert path.read_text(encoding="utf-8") == "old"
    assert _names(tmp_path) == ["x.txt"]


def test_a_kill_while_writing_leaves_the_old_file(tmp_path):
    """The process ends between writing and renaming; readers see the old text."""
    write_text(tmp_path / "x.txt", "old")
    _run_killed("with whole_file(at / 'x.txt') as part:\n    part.write_text('new'); os._exit(9)", tmp_path)
    assert (tmp_path / "x.txt").read_text(encoding="utf-8") == "old"
    assert [path.name for path in tmp_path.glob("*.txt")] == ["x.txt"]


def test_a_folder_takes_the_old_ones_place(tmp_path):
    """What the old folder held is gone, and nothing else is left."""
    for name in ("old", "new"):
        with whole_folder(tmp_path / "run") as part:
            (part / name).write_text(name, encoding="utf-8")
    assert _names(tmp_path) == ["run"]
    assert _names(tmp_path / "run") == ["new"]


def test_an_error_while_filling_leaves_the_old_folder(tmp_path):
    """The half-filled folder is gone, the old one untouched."""
    _old_folder(tmp_path)
    with pytest.raises(KeyboardInterrupt), whole_folder(tmp_path / "run") as part:
        _write_and_break(part / "new")
    assert _names(tmp_path) == ["run"]
    assert _names(tmp_path / "run") == ["old"]


def test_an_error_between_the_renames_brings_the_old_folder_back(tmp_path, monkeypatch):
    """The old folder has been put aside and the new one cannot take its place: the old one returns."""
    _old_folder(tmp_path)
    rename, calls = type(tmp_path).rename, []

    def fail_at_second(path, target):
        calls.append(path)
        return _fail() if len(calls) == 2 else rename(path, target)

    monkeypatch.setattr("pathlib.Path.rename", fail_at_second)
    with pytest.raises(OSError, match="no space"), whole_folder(tmp_path / "run"):
        pass
    assert _names(tmp_path) == ["run"]
    assert _names(tmp_path / "run") == ["old"]


def test_a_kill_while_filling_leaves_the_old_folder(tmp_path):
    """The process ends before the renames; readers see the old folder."""
    _old_folder(tmp_path)
    _run_killed("with whole_folder(at / 'run') as part:\n    (part / 'new').touch(); os._exit(9)", tmp_path)
    assert _names(tmp_path / "run") == ["old"]


def test_others_may_read_what_the_mask_lets_them(tmp_path):
    """A finished file has the mode of any file, not the private one of a temporary file."""
    (tmp_path / "any").touch()
    write_text(tmp_path / "ours", "")
    with whole_folder(tmp_path / "folder"):
        pass
    (tmp_path / "any_folder").mkdir()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert (modes["ours"], modes["folder"]) == (modes["any"], modes["any_folder"])


def test_equal_values_give_equal_json():
    """The order in which keys were given is not seen."""
    assert dump_json({"b": 1, "a": [None, "é"]}) == dump_json({"a": [None, "é"], "b": 1})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_json_stays_json(value):
    """Other programs cannot read NaN or infinity, so they are not written."""
    with pytest.raises(ValueError, match="not JSON compliant"):
        dump_json({"a": value})


@given(st.lists(st.text()), st.lists(st.text()))
def test_digests_see_where_one_part_ends(left, right):
    """Equal digests mean equal parts, not equal concatenations."""
    assert (digest(*left) == digest(*right)) == (left == right)


def test_digests_take_text_as_its_bytes():
    """A file's bytes and its text have one digest."""
    assert digest("é", "x") == digest("é".encode(), b"x")
    assert len(digest()) == 64


def _names(folder):
    return sorted(path.name for path in folder.iterdir())


def _write_and_break(path):
    path.write_text("ne", encoding="utf-8")
    raise KeyboardInterrupt


def _fail(*_):
    raise OSError("no space")


def _old_folder(at):
    with whole_folder(at / "run") as part:
        (part / "old").write_text("old", encoding="utf-8")


def _run_killed(code, at):
    """Run code in another process that ends without any clean-up."""
    start = (
        "import os, sys; from pathlib import Path; from tickerbook.files import *; at = Path(sys.argv[1])\n"
    )
    done = subprocess.run([sys.executable, "-c", start + code, str(at)], check=False)
    assert done.returncode == 9
