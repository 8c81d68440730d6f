"""/_sim/faults: what shall go wrong."""

from typing import Any

from aiohttp import web

from ..errors import BadInput
from ..faults import Fault
from ..keys import WHATSAPP
from .endpoint import answer, json_body, parse


def _shown(request: web.Request) -> web.Response:
    return answer({"faults": [fault.model_dump() for fault in request.app[WHATSAPP].faults]})


async def get_faults(request: web.Request) -> web.Response:
    """Return the faults in force, with how often each has hit."""
    return _shown(request)


async def put_faults(request: web.Request) -> web.Response:
    """Set faults. One fault is added (in place of one with its id); a list, or `{"faults": [...]}`, replaces all."""
    data: Any = await json_body(request)
    whatsapp = request.app[WHATSAPP]
    if isinstance(data, dict) and "faults" in data:
        seed = data.get("seed")
        if seed is not None and not isinstance(seed, int):
            raise BadInput("seed must be a whole number.", {"seed": "must be a whole number"})
        unknown = set(data) - {"faults", "seed"}
        if unknown:
            raise BadInput("Only faults and seed go together.", dict.fromkeys(unknown, "unknown field"))
        data = data["faults"]
        rules = _rules(data)
        if seed is not None:
            whatsapp.rng.seed(seed)
        whatsapp.faults.replace(rules)
    elif isinstance(data, list):
        whatsapp.faults.replace(_rules(data))
    else:
        whatsapp.faults.add(parse(Fault, data))
    return _shown(request)


def _rules(data: Any) -> list[Fault]:
    if not isinstance(data, list):
        raise BadInput("faults must be a list.", {"faults": "must be a list"})
    return [parse(Fault, item, where=f"faults.{index}.") for index, item in enumerate(data)]


async def delete_faults(request: web.Request) -> web.Response:
    """Remove all faults, or with `?kind=` those of one kind."""
    faults = request.app[WHATSAPP].faults
    kind = request.query.get("kind")
    faults.replace([fault for fault in faults if kind is not None and fault.kind != kind])
    return _shown(request)


async def delete_fault(request: web.Request) -> web.Response:
    """Remove one fault by its id."""
    request.app[WHATSAPP].faults.remove(request.match_info["id"])
    return _shown(request)
