# SPDX-License-Identifier: MIT
"""Every case has a test or a reason, and docs/reliability.md says which."""

import os
import unittest

import lws_deviations
from catalogue import ELSEWHERE, FOLDER, NOT_TESTED, NUMBERS, rows, tested


class Catalogue(unittest.TestCase):
    def test_every_case_has_a_test_or_a_reason(self) -> None:
        """No case is both, none is neither."""
        self.assertEqual(sorted([*{*tested(), *ELSEWHERE}, *NOT_TESTED]), list(NUMBERS))

    def test_the_page_says_what_the_tests_say(self) -> None:
        """The tables of docs/reliability.md are those that catalogue.py and lws_deviations.py print."""
        with open(os.path.join(FOLDER, "..", "..", "docs", "reliability.md"), encoding="utf-8") as file:
            page = file.read()
        for table in (rows(), lws_deviations.rows()):
            self.assertIn("\n" + "\n".join(table) + "\n", page)


if __name__ == "__main__":
    unittest.main()
