"""The sources keep the style and the types that pyproject.toml asks for."""

import subprocess
import sys
from pathlib import Path

import pytest

TOOLS = Path(sys.executable).parent


@pytest.mark.parametrize(
    "command", [("ruff", "check"), ("ruff", "format", "--check"), ("mypy",)], ids=" ".join
)
def test_nothing_is_found(command, root):
    """The tool has nothing to say; otherwise the test shows what it says."""
    tool, *arguments = command
    done = subprocess.run([TOOLS / tool, *arguments], cwd=root, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
