"""`python -m policytext` is the command line."""

from policytext.cli import main

main()
