"""The command `tickerbook`, also as `python -m tickerbook`."""

import sys


def main() -> None:
    """Load the command line and run it; a Ctrl-C while it loads, which takes seconds, is no traceback."""
    try:
        from tickerbook.cli import main as run  # noqa: PLC0415 - inside what catches a Ctrl-C
    except KeyboardInterrupt:
        sys.exit(130)  # what a shell makes of Ctrl-C
    run()


if __name__ == "__main__":
    main()
