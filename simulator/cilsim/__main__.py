"""`python -m cilsim` is `cilsim`."""

from cilsim.cli.main import main

if __name__ == "__main__":
    main()
