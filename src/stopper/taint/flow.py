"""A flow: the path of a client's data to a sink, as rules and reports see it."""

from __future__ import annotations

from stopper.finding import Confidence, Location, RouteRef, Step
from stopper.records import dataclass


@dataclass(frozen=True, slots=True)
class Flow:
    """The path of a client's data to a sink."""

    kind: str
    """The kind of sink, as the models name it: ``sql``."""
    source: str
    """What is read: ``request.args['q']``."""
    steps: tuple[Step, ...]
    """Every hop, the source first, the sink last."""
    sink: Location
    place: Location
    """Where a reader should look first: the sink, or the call that hands the data to a helper which holds the sink."""
    sink_name: str
    """What is reached: ``execute()``."""
    confidence: Confidence
    near_miss: str
    """Why a guard on the way does not count; "" where there is none."""
    path: str
    """The file of the place."""
    function: str
    """The qualified name of the function that holds the place."""
    marks: frozenset[str] = frozenset()
    """States of the data at the sink: ``built`` for a part of a longer string, ``prefixed`` for a URL whose host is fixed."""
    route: RouteRef | None = None
    """The route that the data comes in by, for a flow that ends in a template; None where no route is known."""
    in_template: bool = False
    """Whether it ends in a template."""
