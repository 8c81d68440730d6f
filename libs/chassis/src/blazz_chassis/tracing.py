"""Traces: exported when `BLAZZ_OTLP_ENDPOINT` is set, else the W3C context is only passed on."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from blazz_chassis import context
from blazz_chassis.settings import ServiceSettings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.trace import Tracer

Kind = Literal["server", "consumer", "client", "internal"]

_tracer: "Tracer | None" = None
_provider: "TracerProvider | None" = None


def configure(settings: ServiceSettings, service: str) -> None:
    """Export spans in batches over OTLP/HTTP, when an endpoint is set."""
    global _provider, _tracer  # noqa: PLW0603
    if not settings.otlp_endpoint:
        return
    # Imported here: the SDK costs memory that a service without tracing need not pay.
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create({"service.name": service, "service.instance.id": settings.instance})
    _provider = TracerProvider(resource=resource)
    endpoint = settings.otlp_endpoint.rstrip("/")
    endpoint = endpoint if endpoint.endswith("/v1/traces") else f"{endpoint}/v1/traces"
    _provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint)))
    _tracer = _provider.get_tracer("blazz_chassis")


def shutdown() -> None:
    """Export what is left. Blocks for at most the exporter's own time limit."""
    global _provider, _tracer  # noqa: PLW0603
    if _provider is not None:
        _provider.shutdown()
    _provider = _tracer = None


@contextmanager
def span(name: str, parent: str | None = None, *, kind: Kind = "internal", **attributes: str | int) -> Iterator[None]:
    """Run the block as a span under `parent` (a `traceparent`); what it sends on carries this span's context."""
    if _tracer is None:
        yield
        return
    from opentelemetry import trace
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    propagator = TraceContextTextMapPropagator()
    given = parent or context.traceparent.get()
    above = propagator.extract({"traceparent": given}) if given else None
    with _tracer.start_as_current_span(
        name, context=above, kind=trace.SpanKind[kind.upper()], attributes=dict(attributes)
    ):
        carrier: dict[str, str] = {}
        propagator.inject(carrier)
        token = context.traceparent.set(carrier.get("traceparent"))
        try:
            yield
        finally:
            context.traceparent.reset(token)
