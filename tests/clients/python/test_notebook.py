# SPDX-License-Identifier: MIT
"""clients/python/streamd/notebook.py"""

import unittest
from html.parser import HTMLParser
from typing import Dict, Optional

from streamd.notebook import Frame
from streamd.run import Run


class Reader(HTMLParser):
    """Keeps what the one element has."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: Dict[str, Optional[str]] = {}
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        assert tag == "iframe" and not self.found
        self.found = dict(attrs)


class TestNotebook(unittest.TestCase):
    def test_a_frame_looks_at_the_embedded_page_of_the_run(self):
        frame = Frame("a:1", None, 300)
        found = Reader(frame._repr_html_()).found
        self.assertEqual(found["src"], "http://localhost:5001/?embed=1&run=a%3A1")
        self.assertEqual(found["height"], "300")
        self.assertIn(frame.url, repr(frame))

    def test_a_daemon_elsewhere_is_looked_at_there_whatever_its_address_holds(self):
        frame = Frame("a", 'http://host:1/below/"><script>', 1)
        src = Reader(frame._repr_html_()).found["src"]
        self.assertEqual(src, 'http://host:1/below/"><script>/?embed=1&run=a')

    def test_a_run_shows_itself(self):
        start = {"type": "start", "sessionId": "a"}
        run = Run(start, None, "http://host:5001", spool_bytes=0)
        self.assertEqual(run.notebook().url, "http://host:5001/?embed=1&run=a")
        self.assertEqual(run.notebook(url="http://other/").url, "http://other/?embed=1&run=a")
        self.assertEqual(run._repr_html_(), run.notebook()._repr_html_())


if __name__ == "__main__":
    unittest.main()
