"""Traces: what a handler sends on belongs to the span that handles, in the trace that came in."""

from collections.abc import Iterator
from typing import ClassVar
from uuid import uuid4

import pytest
from blazz_chassis import context, outgoing, tracing
from blazz_contracts import Event
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


class Happened(Event):
    name: ClassVar[str] = "chassis.happened"


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("test"))
    yield exporter
    provider.shutdown()


def test_a_message_sent_within_a_span_carries_that_span_not_its_parent(exported: InMemorySpanExporter) -> None:
    with context.correlated("c", PARENT), tracing.span("handle", PARENT, kind="consumer"):
        message = outgoing.of(Happened(workspace_id=uuid4()), app_id="t")
    span = exported.get_finished_spans()[0]
    assert span.context is not None
    assert span.parent is not None
    _, trace, sender, _ = str(message.headers["traceparent"]).split("-")
    assert trace == PARENT.split("-")[1] == f"{span.context.trace_id:032x}"
    assert sender == f"{span.context.span_id:016x}"
    assert f"{span.parent.span_id:016x}" == PARENT.split("-")[2]


def test_without_an_endpoint_the_context_is_passed_on_unchanged() -> None:
    with context.correlated("c", PARENT), tracing.span("handle", PARENT):
        message = outgoing.of(Happened(workspace_id=uuid4()), app_id="t")
    assert message.headers["traceparent"] == PARENT
    assert message.correlation_id == "c"
    with context.correlated(None):
        assert "traceparent" not in outgoing.of(Happened(workspace_id=uuid4()), app_id="t").headers
