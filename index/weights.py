"""Where the packaged weights lie: in this program's own folders, or in the package ``iskp_qa_weights`` beside it.

``make weights`` builds that package from the folders, so that a copy of the program can do without the files.
"""

from __future__ import annotations

import importlib.util
from importlib.resources import files
from pathlib import Path

PACKAGE = "iskp_qa_weights"
_ROOT = Path(__file__).parent.parent
_FILE = "model.safetensors"
MISSING = f"reinstall the program, or install its weights: pip install {PACKAGE}-….whl, which 'make weights' builds"
"""What to do where weights are neither here nor there. No name for pip alone: nobody has published such a package."""


def placed(folder: Path, root: Path = _ROOT) -> Path:
    """The folder of weights that is there: this one, or else the same in the package of weights.

    Args:
        folder: under ``root``; given back when neither holds weights.
    """
    if (folder / _FILE).is_file() or importlib.util.find_spec(PACKAGE) is None:
        return folder
    apart = Path(str(files(PACKAGE).joinpath(*folder.relative_to(root).parts)))
    return apart if (apart / _FILE).is_file() else folder
