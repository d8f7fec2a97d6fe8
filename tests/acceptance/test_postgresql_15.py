"""The oldest PostgreSQL that is supported: one life of a trade through the real process."""

from decimal import Decimal
from pathlib import Path

import pytest

from tests.acceptance.conftest import serving
from tests.acceptance.harness import an_open
from tests.fixtures.postgres import DEBIAN_BINARIES, throwaway_server


@pytest.mark.skipif(not DEBIAN_BINARIES.is_dir(), reason=f"PostgreSQL 15 is not installed in {DEBIAN_BINARIES}")
def test_a_trade_lives_and_is_recovered_on_postgresql_15(tmp_path: Path) -> None:
    wanted = an_open()
    trade_id = wanted["trade_id"]
    with throwaway_server(DEBIAN_BINARIES) as server, serving(server, tmp_path) as running:
        running.quote(wanted["ticker"], "0.60", "0.62")
        assert running.demand("trade.request.open", wanted)["ok"]
        running.fill(running.order(f"{trade_id}-entry-1"), "0.62", "10")
        running.event(trade_id, "open")
        running.kill()
        running.start()
        running.quote(wanted["ticker"], "0.38", "0.40")
        running.fill(running.order(f"{trade_id}-close-1"), "0.38", "10")
        running.event(trade_id, "closed")

        running.await_rows([("closed", Decimal("-2.4"))], "select state, pnl from trades where trade_id = %s", trade_id)
        assert running.rows("select current_setting('server_version_num')::int / 10000") == [(15,)]
