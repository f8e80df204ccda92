"""The ways of answering, each in one module, tried in this order; one that gives None leaves the question to the next."""

from app.answering.engine import Strategy
from app.answering.strategies.across import across
from app.answering.strategies.catalogue import catalogue
from app.answering.strategies.comparison import comparison
from app.answering.strategies.declined import declined
from app.answering.strategies.definition import definition
from app.answering.strategies.elsewhere import elsewhere
from app.answering.strategies.empty import empty
from app.answering.strategies.holder import holder
from app.answering.strategies.listing import listing
from app.answering.strategies.meaning import meaning
from app.answering.strategies.named import named
from app.answering.strategies.overview import overview
from app.answering.strategies.parts import in_parts
from app.answering.strategies.point import point
from app.answering.strategies.quote import quote
from app.answering.strategies.summary import summary
from app.answering.strategies.talk import perhaps_talk, talk
from app.answering.strategies.timeline import timeline
from app.answering.strategies.turned import turned
from app.answering.strategies.unreadable import unreadable
from app.answering.strategies.verdict import verdict
from app.answering.strategies.which import which

REGISTRY: tuple[Strategy, ...] = (
    declined, talk, catalogue, empty, across, unreadable, elsewhere, turned, meaning,
    listing, timeline, comparison, summary, definition, verdict, quote,
    holder, overview, in_parts, perhaps_talk, which, named, point,
)  # fmt: skip
"""The last one answers everything that reaches it."""
