"""What form an answer should have, and what a turn wants done with the answer before it."""

from __future__ import annotations

from typing import Literal

Shape = Literal["point", "list", "count", "timeline", "comparison", "summary", "definition", "verdict", "why", "quote"]
"""point: the sentence that answers. list, count: the things asked for, each with its sentence. timeline: dated sentences, ascending.
comparison: one side beside the other. summary: of a source, a topic or the collection. definition: what or who something is.
verdict: yes or no, with both sides. why: reasons, by who gives them. quote: the exact words."""
Turning = Literal["new", "shorter", "longer", "bullets", "table", "who-says", "sure", "quote", "why", "correction"]
"""new: a question, maybe one that leans on what was said before. shorter, longer, bullets, table: the last answer in another form.
who-says: where the last answer is from. sure: whether it holds. quote: its exact words. why: the reasons for it. correction: the last
question, with something in it replaced ("no, I meant 2021")."""
