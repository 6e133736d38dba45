"""How much the searches try: `./run test --long` has them try more."""

import os

LONG = os.environ.get("COPYDESK_TEST_LONG") == "1"
