"""`python -m cilsim` is `cilsim`."""

import sys

from cilsim.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
