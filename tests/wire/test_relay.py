# SPDX-License-Identifier: MIT
"""
A trainer that is not beside its hub (docs/relay.md): the same words, the same numbers, and nothing
lost or repeated, whoever of the three is killed.

STREAMD_OUTAGE_S=600 makes the outage under load as long as that.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import unittest
from typing import Any, Dict, Iterator

import requests
from test_operations import EPOCH as FIELDS
from wire_daemon import DEADLINE_S, Program, eventually
from wire_relay import RelayTest, Stubborn, record, spooled, steps

OUTAGE_S = float(os.environ.get("STREAMD_OUTAGE_S", "0.5"))
PER_S = float(os.environ.get("STREAMD_OUTAGE_RATE", "2000"))
EPOCH = {"epoch": 0, **FIELDS}


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return made.getsockname()[1]


def status_of(program: Program, name: str) -> Dict[str, Any]:
    """Its session_status."""
    return program.json(f"/api/training/status/{name}")["data"]


def metrics(program: Program, name: str) -> Dict[str, Any]:
    """The whole body of GET metrics."""
    return program.json(f"/api/v1/operations/{name}/metrics")


# A trainer that says where it is in its run, and is killed when it has been there for long enough.
DOOMED = """
import json, os, select, signal, socket, sys
link = socket.socket(socket.AF_UNIX)
link.connect(sys.argv[1])
for name in sys.argv[2:]:
    line = {"type": "progress", "seq": 1, "metrics": {"step": 1, "loss": 1}}
    start = {"type": "start", "sessionId": name}
    link.sendall((json.dumps(start) + "\\n" + json.dumps(line) + "\\n").encode())
select.select([], [], [], 5.2)
os.kill(os.getpid(), signal.SIGKILL)
"""


class Through(RelayTest):
    """While the hub is there."""

    def test_numbers_and_acks_are_end_to_end(self) -> None:
        hub, relay = self.both()
        trainer = self.far(relay)
        self.assertEqual(trainer.begin("run", config={"epochs": 3}, name="far"), 0)
        trainer.send(*(record(seq) for seq in range(10, 30)))
        trainer.hear("ack", seq=29)
        eventually("the lines", lambda: steps(hub, "run") == list(range(10, 30)))
        status = status_of(hub, "run")
        self.assertEqual((status["name"], status["config"]), ("far", {"epochs": 3}))
        again = self.far(relay)
        self.assertEqual(again.begin("run", resume=True), 29)
        again.send(*(record(seq) for seq in range(25, 32)), {"type": "complete", "seq": 32})
        again.hear("ack", seq=32)
        eventually("the end", lambda: status_of(hub, "run")["status"] == "completed")
        self.assertEqual(steps(hub, "run"), list(range(10, 32)))

    def test_a_trainer_that_numbers_nothing_and_names_nothing_is_understood(self) -> None:
        hub, relay = self.both()
        trainer = self.far(relay)
        trainer.send({"type": "start"})
        name = trainer.hear("started")["sessionId"]
        for step in range(1, 4):
            trainer.send({"type": "progress", "metrics": {"step": step}})
        trainer.send({"type": "progress", "sessionId": "other", "metrics": {"step": 7}})
        eventually("the lines", lambda: steps(hub, name) == [1, 2, 3])
        eventually("the other run", lambda: steps(hub, "other") == [7])

    def test_what_is_wrong_is_said_at_once_and_does_nothing(self) -> None:
        _, relay = self.both()
        trainer = self.far(relay)
        trainer.send({"type": "progress", "metrics": {}})
        self.assertEqual(trainer.hear("error")["code"], "unknown_session")
        trainer.begin("run")
        trainer.send({"type": "nonsense"}, record(0), {"type": "complete", "seq": 1}, record(2))
        codes = [trainer.hear("error")["code"] for _ in range(3)]
        self.assertEqual(codes, ["type", "seq", "session_finished"])
        trainer.send({"type": "ping"})
        trainer.hear("pong")

    def test_control_reaches_the_trainer_and_only_its_own(self) -> None:
        hub, relay = self.both()
        trainer = self.far(relay)
        other = self.far(relay)
        trainer.begin("run")
        other.begin("other")
        trainer.send(record(1))
        trainer.hear("ack")
        eventually("the trainer", lambda: hub.json("/health")["trainers"] == 2)
        told = hub.json("/api/training/control/run", {"command": "stop", "reason": "flat"})
        self.assertTrue(told["success"], told)
        line = trainer.hear("control")
        trainer.send({"type": "answer", "id": line["id"], "outcome": "accepted"})
        orders = lambda: hub.json("/api/training/control/run")["data"]["orders"]
        eventually("the answer", lambda: orders()[0]["state"] == "accepted")
        self.assertEqual((line["command"], line["reason"]), ("stop", "flat"))
        other.send({"type": "ping"})
        self.assertEqual(other.hear("pong"), {"type": "pong"})

    def test_a_run_that_ended_goes_on_or_begins_anew(self) -> None:
        hub, relay = self.both()
        trainer = self.far(relay)
        trainer.begin("run")
        trainer.send(record(1), {"type": "complete", "seq": 2})
        trainer.hear("ack", seq=2)
        self.assertEqual(trainer.begin("run", resume=True), 2)
        trainer.send(record(3), {"type": "complete", "seq": 4})
        trainer.hear("ack", seq=4)
        self.assertEqual(trainer.begin("run"), 0)
        trainer.send(record(1))
        trainer.hear("ack", seq=1)
        eventually("the new run", lambda: status_of(hub, "run")["status"] == "running")
        # Again, in one write with lines of the old one that are on their way.
        anew = {"type": "start", "sessionId": "run"}
        trainer.send(record(2), record(3), anew, record(1), record(2))
        self.assertEqual(trainer.hear("started")["lastSeq"], 0)
        trainer.hear("ack", seq=2)
        eventually("the last line", lambda: steps(hub, "run")[-2:] == [1, 2])
        self.assertEqual(steps(hub, "run")[-5:], [1, 2, 3, 1, 2])

    def test_a_trainer_that_leaves_takes_its_connection_along(self) -> None:
        hub, relay = self.both()
        trainer = self.far(relay)
        trainer.begin("run")
        eventually("the trainer", lambda: hub.json("/health")["trainers"] == 1)
        trainer.close()
        eventually("no trainer", lambda: hub.json("/health")["trainers"] == 0)

    def test_it_has_no_runs_of_its_own_and_sends_on_who_asks_for_them(self) -> None:
        hub, relay = self.both()
        path = "/api/training/history/a%20b%2F%C3%A9?limit=2&points=3%25"
        answer = requests.get(relay.url + path, allow_redirects=False, timeout=DEADLINE_S)
        sent_to = hub.url + path.replace("%2F", "/")
        self.assertEqual((answer.status_code, answer.headers["Location"]), (307, sent_to))
        self.assertEqual(requests.get(relay.url + "/x" * 1500, timeout=DEADLINE_S).status_code, 404)
        upgrade = {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
        }
        answer = requests.get(relay.url + "/ws", headers=upgrade, timeout=DEADLINE_S)
        self.assertEqual((answer.status_code, answer.json()["error"][:8]), (404, "Not here"))
        self.assertEqual(relay.json("/health")["status"], "healthy")
        self.assertIn("/sessions/{id}/metrics", relay.json("/openapi.json")["paths"])


class Posts(RelayTest):
    """The host service's POST."""

    def test_the_hub_shows_the_same_by_either_road(self) -> None:
        hub, relay = self.both()
        bodies = [{**EPOCH, "epoch": i, "val_loss": 1 / (i + 1)} for i in range(12)]
        for body in bodies:
            direct = hub.json("/api/v1/operations/run/metrics", body)
            if "detail" in direct:
                hub.json("/api/v1/operations", {"operation_id": "run"})
                hub.json("/api/v1/operations/run/metrics", body)
            posted = {"operation_id": "far", "metrics": body}
            self.assertEqual(relay.json("/sessions/far/metrics", posted), {"success": True})
        # Here as there: who posts need not know whether a relay or the hub is beside it.
        for body in bodies:
            posted = {"operation_id": "near", "metrics": body}
            self.assertEqual(hub.json("/sessions/x/metrics", posted), {"success": True})
        last = bodies[-1]["epoch"]
        eventually("the last epoch", lambda: f'"epoch": {last}' in json.dumps(metrics(hub, "far")))
        expected = metrics(hub, "run")
        for name in ("far", "near"):
            got = metrics(hub, name)
            got["data"]["operation_id"] = "run"
            self.assertEqual(got, expected)

    def test_a_bad_payload_is_refused_with_the_hubs_words(self) -> None:
        hub, relay = self.both()
        hub.json("/api/v1/operations", {"operation_id": "run"})
        for body in ({"epoch": 0}, {"epoch": -1, "train_loss": 1}, {"epoch": 0, "train_loss": "x"}):
            direct = hub.json("/api/v1/operations/run/metrics", body)
            self.assertIn("detail", direct)
            posted = {"operation_id": "run", "metrics": body}
            self.assertEqual(relay.json("/sessions/run/metrics", posted), direct)
        for posted in ({}, {"metrics": []}, {"operation_id": "a/b", "metrics": EPOCH}):
            answer = relay.json("/sessions/run/metrics", posted)
            self.assertEqual(answer["error"]["code"], "VALIDATION_ERROR")
        self.assertEqual(metrics(hub, "run")["data"]["metrics"], {})

    def test_nobody_waits_for_a_hub_that_is_away_and_nothing_is_lost_or_doubled(self) -> None:
        port = free_port()
        data, spool = self.new_folder(), self.new_folder()
        relay = self.relay(f"http://127.0.0.1:{port}", spool=spool)
        begun = time.monotonic()
        for i in range(3):
            posted = {"operation_id": "run", "metrics": {**EPOCH, "epoch": i}}
            self.assertEqual(relay.json("/sessions/run/metrics", posted), {"success": True})
        self.assertLess(time.monotonic() - begun, 2)
        eventually("the error", lambda: "error relay: hub away" in relay.log())
        self.assertEqual(len(spooled(spool)), 1)
        relay.kill()
        relay = self.relay(f"http://127.0.0.1:{port}", spool=spool)
        posted = {"operation_id": "run", "metrics": {**EPOCH, "epoch": 3}}
        relay.json("/sessions/run/metrics", posted)
        hub = self.daemon(data=data, listen=f"127.0.0.1:{port}")
        eventually("nothing left", lambda: spooled(spool) == [])
        epochs = metrics(hub, "run")["data"]["metrics"]["epochs"]
        self.assertEqual([epoch["epoch"] for epoch in epochs], [0, 1, 2, 3])


class Jobs(RelayTest):
    """Operations that are no training, begun and told of at a relay whose hub is away."""

    KEYS = [{"rows": 1, "nested": {"a": [None, "ü"]}}, {"epoch": 0, "train_loss": 1, "rows": 2}]

    def test_what_is_begun_and_told_in_an_outage_is_the_hubs_in_the_same_words(self) -> None:
        port = free_port()
        data, spool = self.new_folder(), self.new_folder()
        config = {"operation_type": "backtesting", "symbol": "EURUSD", "free": [1, {"x": 1.50}]}
        relay = self.relay(f"http://127.0.0.1:{port}", spool=spool)
        begun = relay.json("/api/v1/operations", {"operation_id": "far", **config})["data"]
        self.assertEqual(list(begun.values()), ["far", "backtesting", "pending"])
        made = relay.json("/api/v1/operations", {"operation_type": "data_load"})["data"]
        self.assertRegex(made["operation_id"], r"^op_data_load_\d{8}_\d{6}_[0-9a-f]{8}$")
        self.assertIn("detail", relay.json("/api/v1/operations", {"operation_id": "far"}))
        relay.kill()
        relay = self.relay(f"http://127.0.0.1:{port}", spool=spool)
        answer = relay.json("/api/v1/operations/no%20good/metrics", self.KEYS[0])
        self.assertEqual(answer, {"detail": "Operation not found: no good"})
        answer = relay.json("/api/v1/operations/far/metrics", self.KEYS[0])
        self.assertEqual(answer["message"], "Metrics added successfully")
        posted = {"operation_id": "far", "metrics": self.KEYS[1]}
        self.assertEqual(relay.json("/sessions/far/metrics", posted), {"success": True})
        relay.kill()
        relay = self.relay(f"http://127.0.0.1:{port}", spool=spool)
        hub = self.daemon(data=data, listen=f"127.0.0.1:{port}")
        eventually("nothing left", lambda: spooled(spool) == [])
        hub.json("/api/v1/operations", {"operation_id": "near", **config})
        for keys in self.KEYS:
            hub.json("/api/v1/operations/near/metrics", keys)
        far, near = ({**self.whole(hub, name), "created_at": ""} for name in ("far", "near"))
        self.assertEqual(far["metadata"]["parameters"].pop("operation_id"), "far")
        self.assertEqual(near["metadata"]["parameters"].pop("operation_id"), "near")
        for body in (far, near):
            body["operation_id"] = body["started_at"] = ""
        self.assertEqual(far, near)
        self.assertEqual(metrics(hub, "far")["data"]["metrics"], {**self.KEYS[0], **self.KEYS[1]})
        empty = self.whole(hub, made["operation_id"])
        self.assertEqual((empty["status"], empty["metrics"]), ("pending", {}))

    def test_the_hub_knows_what_kind_of_job_it_is_when_the_relay_does_not(self) -> None:
        port = free_port()
        data, spool = self.new_folder(), self.new_folder()
        hub = self.daemon(data=data, listen=f"127.0.0.1:{port}")
        hub.json("/api/v1/operations", {"operation_id": "load", "operation_type": "data_load"})
        hub.json("/api/v1/operations", {"operation_id": "run"})
        hub.stop()
        relay = self.relay(f"http://127.0.0.1:{port}", spool=spool)
        for name in ("load", "run"):
            for keys in (self.KEYS[1], {"rows": 3}):
                relay.json(f"/sessions/{name}/metrics", {"operation_id": name, "metrics": keys})
        relay.json("/sessions/none/metrics", {"operation_id": "none", "metrics": self.KEYS[0]})
        hub = self.daemon(data=data, listen=f"127.0.0.1:{port}")
        eventually("the epoch", lambda: metrics(hub, "run")["data"]["metrics"] != {})
        keys = {**self.KEYS[1], "rows": 3}
        eventually("all keys", lambda: metrics(hub, "load")["data"]["metrics"] == keys)
        # What is no epoch of a training, and no operation, is nothing; the log says so.
        self.assertEqual(len(metrics(hub, "run")["data"]["metrics"]["epochs"]), 1)
        for name, code in (("run", "metrics"), ("none", "unknown_session")):
            line = f'refused run={name} code="{code}"'
            eventually(line, lambda l=line: l in relay.log())
        self.assertEqual(metrics(hub, "none"), {"detail": "Operation not found: none"})
        relay.kill()  # it would give the refused ones up in five seconds

    def ends(self, relay: Program, **more: Any) -> Iterator[requests.Response]:
        """What is answered to a PATCH that the job is completed, and to a DELETE."""
        job = f"{relay.url}/api/v1/operations/job"
        for method, path in (("PATCH", job + "/status"), ("DELETE", job)):
            body = {"status": "completed"}
            yield requests.request(method, path, json=body, **{"timeout": DEADLINE_S, **more})

    def test_an_end_does_not_overtake_what_was_said_before(self) -> None:
        hub, relay = self.both()
        far = self.far(relay)  # who keeps the connection to the hub open
        far.begin("job", config={"operation_type": "data_load"})
        relay.json("/api/v1/operations/job/metrics", {"rows": 1})
        eventually("the first", lambda: "rows" in metrics(hub, "job")["data"]["metrics"])
        hub.hold(True)
        self.addCleanup(hub.hold, False)
        relay.json("/api/v1/operations/job/metrics", {"rows": 2})
        for _ in range(2):  # sent on, it would be answered at once, by a 307
            with self.assertRaises(requests.Timeout):
                next(self.ends(relay, timeout=0.2, allow_redirects=False))
        hub.hold(False)
        patched, deleted = self.ends(relay)
        self.assertEqual((patched.status_code, deleted.status_code), (200, 400), patched.text)
        whole = self.whole(hub, "job")
        self.assertEqual((whole["status"], whole["metrics"]), ("completed", {"rows": 2}))

    def test_an_end_waits_for_no_hub_that_is_away(self) -> None:
        relay = self.relay(f"http://127.0.0.1:{free_port()}")
        relay.json("/api/v1/operations", {"operation_id": "job", "operation_type": "data_load"})
        eventually("the error", lambda: "error relay: hub away" in relay.log())
        for answer in self.ends(relay):
            self.assertEqual(answer.status_code, 503)
            self.assertIn("still on its way to the hub", answer.text)
        relay.kill()

    def test_who_posts_is_no_trainer(self) -> None:
        hub, relay = self.both()
        far = self.far(hub)
        far.begin("run")
        far.send(record(1), {"type": "complete", "seq": 2})
        far.hear("ack", seq=2)
        far.close()
        body = {"operation_id": "run", "metrics": EPOCH}
        direct = hub.json("/sessions/run/metrics", body)
        self.assertIn("detail", direct)
        relay.json("/sessions/run/metrics", body)
        eventually("the refusal", lambda: 'code="session_finished"' in relay.log())
        self.assertEqual(self.whole(hub, "run")["status"], "completed")
        self.assertEqual(metrics(hub, "run")["data"]["metrics"], {})
        relay.kill()

    @staticmethod
    def whole(hub: Program, name: str) -> Dict[str, Any]:
        """Everything that a GET of the operation has."""
        return hub.json(f"/api/v1/operations/{name}?include_metrics=true")["data"]


class Outages(RelayTest):
    """Hub or relay are killed, or were never there."""

    def test_whatever_is_said_while_the_hub_is_away_is_there_once(self) -> None:
        port = free_port()
        data, spool = self.new_folder(), self.new_folder()
        hub = self.daemon(data=data, listen=f"127.0.0.1:{port}")
        near = self.far(hub)
        for name in ("anew", "bare", "resumed"):
            near.begin(name)
            near.send(*(record(seq) for seq in range(1, 6)))
            near.hear("ack", sessionId=name, seq=5)
        hub.stop()
        relay = self.relay(f"http://127.0.0.1:{port}", spool=spool)
        trainer = self.far(relay)

        # It begins, ends, and goes on: what was acknowledged outlives the relay.
        self.assertEqual(trainer.begin("whole", config={"epochs": 2}), 0)
        trainer.send(*(record(seq) for seq in range(1, 101)), {"type": "complete", "seq": 101})
        trainer.hear("ack", sessionId="whole", seq=101)
        # It begins anew, which is to happen once.
        self.assertEqual(trainer.begin("anew"), 0)
        trainer.send(*(record(seq) for seq in range(1, 11)))
        trainer.hear("ack", sessionId="anew", seq=10)
        # It has no numbers: the relay's go on from the hub's, which it does not know yet.
        for step in range(6, 9):
            line = {"type": "progress", "sessionId": "bare", "metrics": {"step": step, "loss": 1}}
            trainer.send(line)
        eventually("the files", lambda: len(spooled(spool)) == 3)
        relay.kill()
        relay = self.relay(f"http://127.0.0.1:{port}", spool=spool)
        again = self.far(relay)
        self.assertEqual(again.begin("whole", resume=True), 101)
        again.send(record(102), {"type": "complete", "seq": 103})
        again.hear("ack", seq=103)
        # Where it stands is not guessed: there is no `started` yet.
        waiting = self.far(relay)
        waiting.send({"type": "start", "sessionId": "resumed", "resume": True}, {"type": "ping"})
        self.assertEqual(waiting.next()["type"], "pong")

        hub = self.daemon(data=data, listen=f"127.0.0.1:{port}")
        self.assertEqual(waiting.hear("started")["lastSeq"], 5)
        eventually("nothing left", lambda: spooled(spool) == [])
        self.assertEqual(steps(hub, "whole"), [*range(1, 101), 102])
        whole = status_of(hub, "whole")
        self.assertEqual((whole["status"], whole["config"]), ("completed", {"epochs": 2}))
        self.assertEqual(steps(hub, "anew")[-10:], list(range(1, 11)))
        self.assertEqual(self.far(hub).begin("anew", resume=True), 10)
        self.assertEqual(steps(hub, "bare"), list(range(1, 9)))

    def test_a_full_spool_holds_its_trainer_up_and_loses_nothing(self) -> None:
        port = free_port()
        relay = self.relay(f"http://127.0.0.1:{port}", "--spool-bytes", "1048576")
        trainer = Stubborn(relay.socket_path, "run", 20000)
        trainer.start()
        eventually("the error", lambda: "spool full" in relay.log())
        trainer.ending.set()
        hub = self.daemon(listen=f"127.0.0.1:{port}")
        trainer.join(60)
        self.assertIsNone(trainer.failure)
        self.assertFalse(trainer.is_alive())
        eventually("the end", lambda: status_of(hub, "run")["status"] == "completed")
        self.assertEqual(steps(hub, "run"), list(range(1, trainer.said + 1)))

    def test_an_outage_under_load_with_everybody_killed_loses_and_repeats_nothing(self) -> None:
        port = free_port()
        data, spool = self.new_folder(), self.new_folder()
        path = os.path.join(self.new_folder(), "trainer.sock")

        def hub_there() -> Program:
            return self.daemon(data=data, listen=f"127.0.0.1:{port}")

        def relay_there() -> Program:
            return self.relay(f"http://127.0.0.1:{port}", spool=spool, socket_path=path)

        hub, relay = hub_there(), relay_there()
        trainer = Stubborn(path, "run", PER_S)
        trainer.start()

        def moves_on(what: str) -> None:
            before = trainer.acked
            eventually(what, lambda: trainer.acked > before)

        moves_on("acks of the hub")
        hub.kill()
        moves_on("acks of the relay")
        relay.kill()
        relay = relay_there()
        moves_on("acks of the next relay")
        time.sleep(OUTAGE_S)
        relay.kill()
        hub = hub_there()
        relay = relay_there()
        moves_on("acks of all")
        back = time.monotonic()
        eventually("nothing left", lambda: spooled(spool) == [], DEADLINE_S + OUTAGE_S)
        caught_up_s = time.monotonic() - back
        for _ in range(2):
            hub.kill()
            hub = hub_there()
            moves_on("acks after the hub")
            relay.kill()
            relay = relay_there()
            moves_on("acks after the relay")
        trainer.ending.set()
        trainer.join(60 + OUTAGE_S)
        self.assertIsNone(trainer.failure)
        self.assertFalse(trainer.is_alive())
        eventually("nothing left", lambda: spooled(spool) == [])
        self.assertEqual(steps(hub, "run"), list(range(1, trainer.said + 1)))
        self.assertEqual(status_of(hub, "run")["status"], "completed")
        # Its own writes never waited for the network.
        self.assertLess(trainer.longest_wait_s, 1.0)
        if OUTAGE_S > 60:
            print(f"lines={trainer.said} cuts={trainer.cuts} caught up in {caught_up_s:.1f} s")
            print(f"the trainer's longest write took {trainer.longest_wait_s * 1000:.0f} ms")


class Unsaid(RelayTest):
    """
    Trainers that are killed without a last word. They need five seconds to be taken for trainers and
    as many to be missed, so they begin with the module, and its last class finds out.
    """

    hub: Program
    beside: Program
    doomed: Dict[str, subprocess.Popen] = {}

    def test_a_trainer_that_was_killed_has_failed_as_beside_the_hub(self) -> None:
        reasons = {}
        for name, trainer in self.doomed.items():
            self.assertEqual(trainer.wait(DEADLINE_S), -signal.SIGKILL)
            eventually(name, lambda n=name: status_of(self.hub, n)["status"] == "failed")
            said = self.hub.json(f"/api/v1/operations/{name}")["data"]["error_message"]
            reasons[name] = said.replace(f"process {trainer.pid}", "process PID")
            self.assertIn("process PID", reasons[name])
        self.assertEqual(reasons["far"], reasons["near"])
        self.assertEqual(status_of(self.hub, "living")["status"], "starting")
        # Whoever comes back takes it up, and counts on.
        again = self.far(self.beside)
        self.assertEqual(again.begin("far", resume=True), 1)
        again.send(record(2), {"type": "complete", "seq": 3})
        again.hear("ack", seq=3)
        self.assertEqual(status_of(self.hub, "far")["status"], "completed")
        self.assertEqual(steps(self.hub, "far"), [1, 2])


def setUpModule() -> None:  # pylint: disable=invalid-name
    """Hub, relay and doomed trainers."""
    case = Unsaid()
    unittest.addModuleCleanup(case.doCleanups)
    Unsaid.hub, Unsaid.beside = case.both()
    for name, program in (("near", Unsaid.hub), ("far", Unsaid.beside)):
        command = [sys.executable, "-c", DOOMED, program.socket_path, name]
        Unsaid.doomed[name] = subprocess.Popen(command)
        unittest.addModuleCleanup(Unsaid.doomed[name].wait)
    case.far(Unsaid.beside).begin("living")


if __name__ == "__main__":
    unittest.main()
