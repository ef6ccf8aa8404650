"""``python -m riemopt.cli``, where the command is not on the path."""

from riemopt.cli.program import main

if __name__ == "__main__":
    main()
