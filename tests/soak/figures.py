# SPDX-License-Identifier: MIT
"""What is sampled of the daemon, and whether that is flat.

Flat is judged on the second half of the soak, long after the restart: its last half (a quarter of
the soak) beside the one before it, by their medians, so that no single moment decides. In ten
minutes the two are 150 s apart on average, in which 512 KiB are 12 MB an hour; a smaller slope is
printed with its standard error, and not judged: so short a soak cannot tell it from none.
"""

import statistics
from typing import List, NamedTuple, Tuple

RSS_MORE_BYTES = 512 * 1024
FDS_MORE = 4  # requests come and go on connections of their own
LONG_ENOUGH_S = 300.0  # below, memory is shown and not judged


class Sample(NamedTuple):
    at_s: float
    rss: int
    fds: int


def quarters(samples: List[Sample], seconds: float) -> Tuple[List[Sample], List[Sample]]:
    """The third and the last of the soak's four."""
    third = [s for s in samples if seconds / 2 <= s.at_s < seconds * 3 / 4]
    last = [s for s in samples if s.at_s >= seconds * 3 / 4]
    return third, last


def slope(points: List[Tuple[float, float]]) -> Tuple[float, float]:
    """Least squares: by how much y rises with x, and the standard error of that."""
    count = len(points)
    if count < 3:
        return 0.0, 0.0
    mid_x = sum(x for x, _ in points) / count
    mid_y = sum(y for _, y in points) / count
    spread = sum((x - mid_x) ** 2 for x, _ in points)
    rise = sum((x - mid_x) * (y - mid_y) for x, y in points) / spread
    rest = sum((y - mid_y - rise * (x - mid_x)) ** 2 for x, y in points)
    return rise, (rest / (count - 2) / spread) ** 0.5


class Flatness:
    def __init__(self, samples: List[Sample], seconds: float) -> None:
        third, last = quarters(samples, seconds)
        self.judged = seconds >= LONG_ENOUGH_S
        self.rss = [statistics.median(s.rss for s in part) for part in (third, last)]
        self.fds = [statistics.median(s.fds for s in part) for part in (third, last)]
        self.per_s, self.error = slope([(s.at_s, s.rss) for s in third + last])

    def violations(self) -> List[str]:
        found = []
        if self.judged and self.rss[1] > self.rss[0] + RSS_MORE_BYTES:
            found.append("memory grows: %.0f B, then %.0f B" % tuple(self.rss))
        if self.fds[1] > self.fds[0] + FDS_MORE:
            found.append("descriptors grow: %.0f, then %.0f" % tuple(self.fds))
        return found

    def rows(self) -> List[Tuple[str, str]]:
        hourly = 3600 / 1e6
        judged = "" if self.judged else " (too short to judge)"
        return [
            ("resident, third and last quarter", "%.2f and %.2f MB%s"
             % (self.rss[0] / 1e6, self.rss[1] / 1e6, judged)),
            ("its slope over both", "%+.2f MB/h, standard error %.2f"
             % (self.per_s * hourly, self.error * hourly)),
            ("descriptors, third and last quarter", "%.0f and %.0f" % tuple(self.fds)),
        ]  # fmt: skip
