"""What a sentence says, compared piece by piece: figures, dates, names, denials, opposites, strength of words.

Meaning is not looked at here (``app.support.checker`` does that); everything below is told by words alone, so that a
changed figure or name is found however alike two sentences are.
"""

from app.text.claims.beside import crossed, name_rival
from app.text.claims.denials import alleged, denial_differs, denies, denies_that, held, opposed, overstated, unsure
from app.text.claims.figures import agrees, conflicts, follows
from app.text.claims.moments import dated_alike, dated_near
from app.text.claims.names import akin, name_share, word_of_name
from app.text.claims.pieces import Denial, Figure, Find, Moment, Said, Word
from app.text.claims.reading import read
from app.text.claims.words import bare, plain, printed, stem, tokens

__all__ = (
    "Denial", "Figure", "Find", "Moment", "Said", "Word", "agrees", "akin", "alleged", "bare", "conflicts", "crossed", "dated_alike",
    "dated_near", "denial_differs", "denies", "denies_that", "follows", "held", "name_rival", "name_share", "opposed", "overstated",
    "plain", "printed", "read", "stem", "tokens", "unsure", "word_of_name",
)  # fmt: skip
