"""An order for more machines than one page of the list, in the console's pages: chosen by a filter, reviewed, signed once, followed. Most machines are off, some simulated."""
import sys

import pages
import pytest
from seat import Seat  # of tests/proc

sys.path.insert(0, str(pages.ROOT / "bench"))
import scale  # pylint: disable=wrong-import-position

CONNECTED, TOTAL = 40, 12_000


@pytest.fixture(scope="module")
def played():
    with scale.fleet_of(CONNECTED, TOTAL) as (fleet, shards):
        for command in ("register", "connect"):
            got = shards.all(command, "32")
            assert (got["done"], got["failed"]) == (CONNECTED, 0), got
        shards.all("status", CONNECTED, "32")
        fleet.agent = fleet.base
        seat = Seat(fleet, "seat", who="Deployer")
        try:
            yield pages.play("crowd.mjs", {"yes": seat.yes, "orders": lambda: shards.all("count")["orders"]}, link=seat.link, password=fleet.password,
                             keyPassword=(fleet.base / "pw").read_text().strip(), total=TOTAL, connected=CONNECTED)
        finally:
            seat.end()


@pytest.mark.parametrize("name", pages.scenarios("crowd.mjs"))
def test_scenario(played, name):
    assert played[name] is None, played[name]
