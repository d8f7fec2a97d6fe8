"""The process must start while PostgreSQL is away: it guards from the snapshot and the streams, and the record is whole afterwards."""

from pathlib import Path

import pytest

from db.embedded import EmbeddedPostgres
from tests.acceptance.conftest import between
from tests.acceptance.harness import CONFIG, an_open
from tests.acceptance.instances import wait_until
from tests.acceptance.test_without_postgresql import adopted, assert_recorded, stopped_out

KEPT = '\n[snapshot]\nfile = "{file}"\ninterval_s = 1\npatience_s = 1\n'
NOT_KEPT = "\n[snapshot]\npatience_s = 1\n"


@pytest.mark.parametrize(("setting", "source"), [(KEPT, "from the snapshot of"), (NOT_KEPT, "there is no snapshot")])
def test_a_stop_fires_in_a_process_that_started_without_postgresql_and_closes_once(
    own_postgres: EmbeddedPostgres, tmp_path: Path, setting: str, source: str
) -> None:
    """Fault 18, Fault 49, K14"""
    file = tmp_path / "snapshot"
    with between(own_postgres, tmp_path, CONFIG + setting.format(file=file)) as alone:
        alone.start()
        trade, *others = [adopted(alone) for _ in range(3)]
        if setting is KEPT:
            wait_until(
                lambda: file.exists() and all(each["trade_id"] in file.read_text() for each in (trade, *others)),
                alone.log,
            )
        alone.kill()
        own_postgres.kill()

        alone.begin()
        notice = alone.notice("started_without_database")
        wait_until(lambda: len(alone.demand("system.request.status", {})["result"]["why_not_ready"]) == 1, alone.log)
        refused = alone.demand("trade.request.open", an_open())
        stopped_out(alone, trade)
        own_postgres.start()
        alone.event(trade["trade_id"], "closed")

        assert notice["severity"] == "critical"
        assert "3 open trades" in notice["body"]
        assert source in notice["body"]
        assert not refused["ok"]
        assert_recorded(alone, trade)
        alone.await_ready()
        assert alone.demand("trade.request.open", an_open())["ok"]
        assert alone.stop() == 0
