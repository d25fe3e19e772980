"""`python -m stopper`: the command line, where the script of the same name is not on the path."""

from stopper.cli.main import main

if __name__ == "__main__":
    main(prog_name="stopper")
