# SPDX-License-Identifier: MIT
"""What `make bench` measures, one module a question; run.py asks them in order."""
