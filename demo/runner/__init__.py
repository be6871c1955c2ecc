# SPDX-License-Identifier: MIT
"""The modes of demo/run.py, one module each, and what they share."""
