# SPDX-License-Identifier: MIT
"""Mode `demo`: one training from start to end, live. Mode `server` follows its own the same way."""

import argparse
from typing import Any, Dict

from runner.api import Api
from runner.processes import Child, Daemon, Failed, new_session, start_trainer, wait_while
from runner.screen import Screen, print_stats, progress_line

POLL_S = 0.2


def run(options: argparse.Namespace) -> int:
    """Train, show, print the statistics. Ctrl+C ends it early and is no failure."""
    screen = Screen()
    with Daemon(options.streamd, options.port) as daemon:
        api = Api(daemon.address)
        session = new_session("demo")
        try:
            train(options, daemon, api, session, screen)
            if options.keep:
                screen.say(f"Serving on at {daemon.url} until Ctrl+C")
                daemon.process.wait()
        except KeyboardInterrupt:
            screen.say("Interrupted")
        if not daemon.running:
            raise Failed(f"the daemon died:\n{daemon.last_words()}")
        print_stats(screen, api.stats())
    return 0


def train(
    options: argparse.Namespace, daemon: Daemon, api: Api, session: str, screen: Screen
) -> None:
    """One trainer from start to end, with its progress on the screen."""
    trainer = start_trainer(options.trainer, daemon.socket, session, options.models, options.seed)
    try:
        screen.say(f"Live at {daemon.url}/?run={session}")
        follow(api, session, trainer, screen)
    finally:
        trainer.end()


def follow(api: Api, session: str, trainer: Child, screen: Screen) -> None:
    """Show the session until its trainer has ended; Failed when that was not at its end."""
    announced = False
    while True:
        ended = not trainer.running
        status = api.data("status", session)
        if status and not announced:
            announce(status, screen)
            announced = True
        if status:
            screen.update(progress_line(status), last=ended)
        if ended:
            break
        wait_while(trainer, POLL_S)
    if trainer.process.returncode != 0:
        words = trainer.last_words()
        raise Failed(f"the trainer ended with {trainer.process.returncode}:\n{words}")
    if not status:
        raise Failed("the daemon never heard of the trainer")
    done = f"{status['models_completed']} of {status['total_models']} models"
    screen.say(f"Training {status['status']}: {done}")


def announce(status: Dict[str, Any], screen: Screen) -> None:
    """What the trainer told at its start."""
    screen.say(f"Session {status['session_id']}")
    for name, value in status["config"].items():
        screen.say(f"  {name:<16} {value}")
