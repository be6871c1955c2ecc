# SPDX-License-Identifier: MIT
"""Mode `server`: the daemon, and one live session after the other, until Ctrl+C."""

import argparse

from runner.api import Api
from runner.demo import train
from runner.processes import Daemon, new_session
from runner.screen import Screen, print_stats


def run(options: argparse.Namespace) -> int:
    """Never ends by itself; each training gets another seed and a session of its own."""
    screen = Screen()
    with Daemon(options.streamd, options.port) as daemon:
        api = Api(daemon.address)
        screen.say(f"Serving at {daemon.url}, trainers at {daemon.socket}; Ctrl+C ends it")
        try:
            while True:
                train(options, daemon, api, new_session("live"), screen)
                options.seed += 1
        except KeyboardInterrupt:
            screen.say("Interrupted")
        print_stats(screen, api.stats())
    return 0
