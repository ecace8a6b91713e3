"""One case of the golden suite, answered as a program."""

import sys

from tests.peers.second_implementation.program import main

if len(sys.argv) != 3:
    sys.exit("usage: python -m tests.peers.second_implementation IN_DIR OUT_DIR")
sys.exit(main(sys.argv[1], sys.argv[2]))
