"""The real process reads its own recording when it starts, and says which thresholds nothing in it has reached."""

from pathlib import Path

from bus.recorder.segments import segments
from db.embedded import EmbeddedPostgres
from tests.acceptance.conftest import between
from tests.acceptance.harness import instant
from tests.acceptance.test_without_postgresql import adopted


def test_a_momentum_of_35_is_told_to_be_out_of_reach_where_0_35_was_recorded(
    postgres_server: EmbeddedPostgres, tmp_path: Path
) -> None:
    """Lesson 7"""
    with between(postgres_server, tmp_path) as running:
        running.start()
        running.publish("market.momentum.BTC", {"symbol": "BTC", "ts": instant(), "momentum": "0.35"})
        changes = {"momentum.enabled": True, "momentum.threshold_percent": "35"}
        asked = {"layer": "defaults", "changes": changes, "expected_version": 1, "reason": "x", "requested_by": "eve"}
        assert running.demand("settings.request.set", asked)["ok"]
        # Answered behind the tick, and recorded behind it.
        adopted(running)
        assert running.stop() == 0
        assert segments(running.recording)

        running.start()
        notice = running.notice("beyond_reach")

        assert "momentum.threshold_percent = 35 (defaults): the momentum stood between 0.35 and 0.35" in notice["body"]
        assert running.stop() == 0
        assert running.replayed()["different"] == 0
