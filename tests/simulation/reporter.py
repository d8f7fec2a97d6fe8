"""How an executor of a simulated venue reports: in order or not, once or twice, late, in the sum first, or not at all."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bus.messages import addresses
from bus.messages.orders import OrderReport, ReportStatus
from bus.messages.plain import to_json
from bus.messages.units import NS_PER_MS, NS_PER_S
from tests.simulation.venue import VenueOrder
from tests.simulation.venue_words import reports_of

if TYPE_CHECKING:
    from tests.simulation.executor import Executor


class Reporter:
    """Speaks for one executor, in one of its lives. late: how many reports it is late with."""

    def __init__(self, executor: "Executor") -> None:
        self._executor = executor
        self.late = 0
        self._last_said: dict[str, tuple[int, str]] = {}

    def tell(self, order: VenueOrder) -> None:
        """Report everything that is known of an order and was not said in this life."""
        now = (len(order.fills), order.status.value)
        name = order.sent.client_order_id
        if self._last_said.get(name) == now:
            return
        self._last_said[name] = now
        if self._executor.draw(self._executor.faults.silent, "silent"):
            return
        reports = list(reports_of(order))
        if self._executor.draw(self._executor.faults.shuffled, "shuffled"):
            self._executor.random.shuffle(reports)
        for report in reports:
            self.publish(report)

    def publish(self, report: OrderReport) -> None:
        """Publish into ORDERS until it is stored; the stream knows it by its id."""
        if self._executor.draw(self._executor.faults.late_report, "late_report"):
            self.late += 1
            self._executor.later(
                int(self._executor.random.uniform(0.1, 10) * NS_PER_S), lambda: self.publish_late(report)
            )
            return
        if self.count_first(report, self._executor.faults.counted):
            return
        self.publish_now(report)
        if self._executor.draw(self._executor.faults.twice, "twice"):
            self.publish_now(report, named=False)

    def count_first(self, report: OrderReport, rate: float) -> bool:
        """Tell a fill in the sum only; whether it was so, and follows by itself later."""
        name = report.client_order_id
        if report.fill_id is None or name in self._executor.disk.counted or not self._executor.draw(rate, "counted"):
            return False
        self._executor.disk.counted.add(name)
        count = OrderReport(
            client_order_id=name,
            ts=report.ts,
            status=ReportStatus.PARTIALLY_FILLED,
            cumulative_quantity=report.cumulative_quantity,
        )
        self.publish_now(count)
        self.late += 1
        self._executor.later(int(self._executor.random.uniform(0.3, 4) * NS_PER_S), lambda: self.publish_late(report))
        return True

    def publish_late(self, report: OrderReport) -> None:
        self.late -= 1
        self.publish_now(report)

    def publish_now(self, report: OrderReport, *, named: bool = True) -> None:
        msg_id = addresses.report_id(report)
        headers: Mapping[str, str] = {"Nats-Msg-Id": msg_id} if named else {}
        subject = addresses.order_report(report.client_order_id)
        stream = self._executor.nats.jetstream.streams.get("ORDERS")
        if (
            not self._executor.nats.is_up
            or self._executor.nats.is_hung
            or stream is None
            or stream.is_full
            or self._executor.session is None
        ):
            self._executor.later(500 * NS_PER_MS, lambda: self.publish_now(report, named=named))
            return
        session, body = self._executor.session, to_json(report)
        session.send(lambda: self._executor.nats.publish(subject, body, headers, "", session))
