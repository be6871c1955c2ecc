# SPDX-License-Identifier: MIT
"""A run's page inside a notebook: an iframe of the dashboard, live while the cell is looked at.

Jupyter shows whatever has `_repr_html_`; nothing of it is imported here.
"""

from html import escape
from typing import Optional
from urllib.parse import urlencode

#: Where a daemon without options listens.
DEFAULT_URL = "http://localhost:5001"
HEIGHT_PX = 620


class Frame:
    """What `run.notebook()` gives; `url` is where the frame looks."""

    def __init__(self, session_id: str, daemon: Optional[str], height: int) -> None:
        base = (daemon or DEFAULT_URL).rstrip("/")
        self.url = f"{base}/?{urlencode({'embed': 1, 'run': session_id})}"
        self._height = int(height)

    def _repr_html_(self) -> str:
        return (
            f'<iframe src="{escape(self.url)}" width="100%" height="{self._height}" '
            'style="border: 0" title="streamd"></iframe>'
        )

    def __repr__(self) -> str:
        return f"<streamd page {self.url}>"
