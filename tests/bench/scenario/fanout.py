# SPDX-License-Identifier: MIT
"""Fan-out: one session to many subscribers, ten sessions to each, and a quiet session's first."""

from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from scenario.bench import Bench, Reading
from scenario.servers import (
    BARE,
    FLASK,
    FLASK_DEFLATE,
    NCHAN,
    NCHAN_DEFLATE,
    NODE,
    NODE_DEFLATE,
    NODE_WS,
    NODE_WS_DEFLATE,
    STREAMD_DEFAULT,
    STREAMD_SOCKETIO,
    STREAMD_SOCKETIO_DEFLATE,
    STREAMD_WS,
    STREAMD_WS_DEFLATE,
    UNBOUND_RATE,
    UPDATES_ONLY,
    Running,
    Server,
)

KEYS = (
    "cpu_s_per_million",
    "messages_per_cpu_s",
    "delivered_percent",
    "server_wait_percent",
    "latency_p50_us",
    "latency_p99_us",
    "wire_bytes_per_message",
    "frame_bytes_per_update",
    "writes_per_subscriber_tick",
    "receives_per_subscriber_tick",
    "compressed_percent",
    "rss_bytes_per_connection",
    "rss_busy_bytes_per_connection",
    "bad_frames",
    "repeated",
    "lost_connections",
)

FAULTS = ("bad_frames", "repeated", "lost_connections")
QUIET_KEYS = KEYS[2:6] + ("latency_max_us",)

COMPARED = (BARE, STREAMD_WS, STREAMD_WS_DEFLATE, STREAMD_SOCKETIO, STREAMD_SOCKETIO_DEFLATE)
PEERS = (
    NODE_WS,
    NODE_WS_DEFLATE,
    NCHAN,
    NCHAN_DEFLATE,
    NODE,
    NODE_DEFLATE,
    FLASK,
    FLASK_DEFLATE,
)
PEERS_MOST = 5000  # subscribers
# News of the interpreter is a write of its own between two ticks; what is counted here is that the
# updates of ten rooms are one.
COMPARED_ROOMS = (BARE,) + tuple(
    server._replace(options=UPDATES_ONLY)
    for server in (STREAMD_WS, STREAMD_WS_DEFLATE, STREAMD_SOCKETIO)
)
INFLATED_CONNECTIONS = 50  # enough to check, few enough not to slow the one load thread
FLASK_MOST = 1000  # eventlet serves 1024 connections, and one core is nearly full at 10 Hz to 1000
DISTURBED_PERCENT = 5.0  # of the wall time, spent ready to run while others had the core
SATURATED_US = 1000000
COST_LIMIT = 5.5 / 4.5  # the acceptance line, as a ratio to the floor it was stated beside
SAME_BYTES = 1.01
TICKS_PER_S = 10  # of the load generator, unless told otherwise
FULL_CORE = 0.9  # beyond this share of its core the floor itself does not keep up at every tick

Rounds = Dict[Server, List[Reading]]


def per_send(server: Server, rooms: int) -> Tuple[str, ...]:
    """The floor must be told how many lines make one tick."""
    return (str(rooms),) if server == BARE else ()


def one_round(bench: Bench, server: Server, subscribers: int, rooms: int) -> Reading:
    """A fresh server, everybody subscribed, the planned ticks."""
    arguments = ["--dialect", server.dialect] + ["--deflate"] * server.deflate
    arguments += ["--subscribers", str(subscribers), "--rooms", str(rooms)]
    arguments += ["--inflate-every", str(max(1, subscribers // INFLATED_CONNECTIONS))]
    arguments += ["--ticks", str(bench.plan.ticks), "--warm-ticks", str(bench.plan.warm_ticks)]
    with Running(bench, server._replace(options=server.options + per_send(server, rooms))) as running:
        return bench.load("fanout", running, *arguments)


def undisturbed(readings: Sequence[Reading]) -> List[Reading]:
    """The rounds in which the server hardly had to wait for its core."""
    return [each for each in readings if each["server_wait_percent"] <= DISTURBED_PERCENT]


def is_saturated(readings: Sequence[Reading]) -> bool:
    """Whether it fell seconds behind: again, or with more, only the backlog would be measured."""
    return any(each["latency_p50_us"] > SATURATED_US for each in readings)


def alternate(
    bench: Bench,
    servers: Sequence[Server],
    subscribers: int,
    rooms: int,
    peers: Sequence[Server] = (),
) -> Rounds:
    """All servers in turn, round after round, each round beginning with another one.

    The peers are in the first rounds. While one of ours has had no undisturbed round yet and the
    plan has time, up to as many again are added. A peer that fails is not asked again.
    """
    readings: Rounds = {server: [] for server in (*servers, *peers)}
    for turn in range(2 * bench.plan.rounds):
        enough = all(undisturbed(readings[server]) for server in servers) or bench.is_late()
        if turn >= bench.plan.rounds and enough:
            break
        asked = [
            server
            for server in readings
            if server in servers
            or (turn < bench.plan.peer_rounds and not is_saturated(readings[server]))
        ]
        first = turn % len(asked)
        for server in asked[first:] + asked[:first]:
            try:
                readings[server].append(one_round(bench, server, subscribers, rooms))
            except RuntimeError as error:
                if server in servers:
                    raise
                absent(bench, server, subscribers, str(error))
                del readings[server]
    return readings


def cheapest(readings: Sequence[Reading]) -> Reading:
    """The round that stands for a server: other work on the machine only ever adds to the cost."""
    return min(undisturbed(readings) or readings, key=lambda each: each["cpu_s_per_million"])


def cost_ratio(readings: Sequence[Reading], others: Sequence[Reading]) -> float:
    """How many times the CPU a message costs."""
    return cheapest(readings)["cpu_s_per_million"] / cheapest(others)["cpu_s_per_million"]


def report(bench: Bench, rounds: Rounds, subscribers: int, rooms: int) -> None:
    """The cheapest rounds, and their ratios to the floor and to streamd in the same dialect."""
    for server, readings in rounds.items():
        prefix = "fanout.%s.n%d.rooms%d" % (server.label(), subscribers, rooms)
        bench.figures_of(prefix, cheapest(readings), KEYS)
        bench.figure(prefix + ".cost_to_bare", cost_ratio(readings, rounds[BARE]))
        ours = rounds.get(server._replace(name="streamd", options=UNBOUND_RATE))
        if ours and server.dialect == "socketio":
            bench.figure(prefix + ".cost_to_streamd", cost_ratio(readings, ours))


def absent(bench: Bench, server: Server, subscribers: int, why: str) -> None:
    """A server that the table has no figures of at this size, and why."""
    bench.skip("%s at %d" % (server.label(), subscribers), why)
    bench.absent["fanout.%s.n%d.rooms1" % (server.label(), subscribers)] = why


def why_not(bench: Bench, peer: Server, subscribers: int) -> Optional[str]:
    """Why this peer is not measured at this size, or None."""
    if peer.name == FLASK.name and subscribers > FLASK_MOST:
        return "serves 1024 connections at most"
    medians = [
        {"latency_p50_us": value}
        for name, value in bench.figures.items()
        if name.startswith("fanout.%s." % peer.label()) and name.endswith("latency_p50_us")
    ]
    return "seconds behind with fewer" if is_saturated(medians) else None


def peers_for(bench: Bench, subscribers: int, missing: Mapping[str, str]) -> List[Server]:
    """The peers that can be measured at this size; the table says why the others are not."""
    able = []
    for peer in PEERS if subscribers <= PEERS_MOST else ():
        why = missing.get(peer.name) or why_not(bench, peer, subscribers)
        if why:
            absent(bench, peer, subscribers, why)
        else:
            able.append(peer)
    return able


def floor_share(readings: Sequence[Reading], subscribers: int, rooms: int) -> float:
    """How much of one core the floor needs for this many messages a second, on this machine."""
    per_message_s = cheapest(readings)["cpu_s_per_million"] / 1e6
    return per_message_s * subscribers * rooms * TICKS_PER_S


def gate_delivery(bench: Bench, name: str, readings: Sequence[Reading], feasible: bool) -> None:
    """Everything arrives, whole and once; a starved server may merge updates, as it promises.

    It is starved by others in a disturbed round, and by the kernel where sending alone fills a core.
    """
    quiet = undisturbed(readings)
    least = min(reading["delivered_percent"] for reading in quiet or readings)
    decides = bool(quiet) and feasible
    bench.gate("delivered %% %s" % name, least, 100, at_least=True, decides=decides)
    faults = sum(reading[key] for reading in readings for key in FAULTS)
    bench.gate("bad, repeated or lost %s" % name, faults, 0)


def gate_streamd(bench: Bench, rounds: Rounds, subscribers: int, rooms: int) -> None:
    """The acceptance lines on delivery, compression, writes and cost."""
    feasible = floor_share(rounds[BARE], subscribers, rooms) < FULL_CORE
    for server in (each for each in rounds if each.name == "streamd"):
        readings = rounds[server]
        best = cheapest(readings)
        name = "%s n%d rooms%d" % (server.label(), subscribers, rooms)
        gate_delivery(bench, name, readings, feasible)
        if server.deflate:
            share = best["compressed_percent"]
            bench.gate("compressed %% %s" % name, share, 90, at_least=True)
        if rooms > 1:
            bench.gate("writes a tick %s" % name, best["writes_per_subscriber_tick"], 1.05)
        elif server.dialect == "ws":
            limit = COST_LIMIT * (1.1 if server.deflate else 1.0)
            cost = cost_ratio(readings, rounds[BARE])
            sure = undisturbed(readings) and undisturbed(rounds[BARE])
            decides = bench.plan.name == "full" and bool(sure)
            bench.gate("cost/bare %s" % name, cost, limit, decides=decides)


# What is compared with the peers; of each, less is better.
MATCHES = (
    ("CPU a message", "cpu_s_per_million"),
    ("bytes a message", "frame_bytes_per_update"),
    ("RSS a connection", "rss_bytes_per_connection"),
    ("p99", "latency_p99_us"),
)


def best_of(readings: Sequence[Reading], key: str) -> float:
    """The least that was read of a figure in a round that nobody disturbed, if there is one."""
    return min(each[key] for each in undisturbed(readings) or readings)


def gate_first(bench: Bench, rounds: Rounds, subscribers: int) -> None:
    """streamd beside the best of the peers that speak the same dialect, figure by figure.

    A message takes the same bytes from everybody who does not compress, but for the digits of a
    time, so `first` leaves room for those.
    """
    for server in (each for each in rounds if each.name == "streamd"):
        rivals = [
            rounds[peer]
            for peer in PEERS
            if peer in rounds and (peer.dialect, peer.deflate) == (server.dialect, server.deflate)
        ]
        sure = bool(undisturbed(rounds[server])) and all(undisturbed(each) for each in rivals)
        for what, key in MATCHES if rivals else ():
            ratio = best_of(rounds[server], key) / min(best_of(each, key) for each in rivals)
            name = "%s to best peer %s n%d" % (what, server.label(), subscribers)
            limit = SAME_BYTES if key == "frame_bytes_per_update" else 1.0
            bench.gate(name, ratio, limit, decides=sure and bench.plan.name == "full")


def measure_size(bench: Bench, subscribers: int, missing: Mapping[str, str]) -> None:
    """One room, this many subscribers."""
    peers = peers_for(bench, subscribers, missing)
    rounds = alternate(bench, COMPARED, subscribers, 1, peers)
    report(bench, rounds, subscribers, 1)
    gate_streamd(bench, rounds, subscribers, 1)
    gate_first(bench, rounds, subscribers)


def measure_rooms(bench: Bench, subscribers: int) -> None:
    """Ten rooms to each subscriber, all ten updated in one tick."""
    rounds = alternate(bench, COMPARED_ROOMS, subscribers, 10)
    report(bench, rounds, subscribers, 10)
    gate_streamd(bench, rounds, subscribers, 10)


def measure_throttled(bench: Bench, subscribers: int) -> None:
    """Ten sessions pushed at 100 Hz under the default throttle: what is sent is ten a second."""
    seconds = 3
    with Running(bench, STREAMD_DEFAULT) as running:
        arguments = ["--subscribers", str(subscribers), "--rooms", "10", "--rate", "100"]
        arguments += ["--ticks", str(100 * seconds), "--warm-ticks", "50"]
        reading = bench.load("fanout", running, *arguments)
    sessions = subscribers * 10 * seconds
    prefix = "throttled.streamd.ws.plain.n%d.rooms10." % subscribers
    updates = bench.figure(prefix + "updates_per_session_s", reading["messages"] / sessions)
    writes = reading["writes_per_subscriber_tick"] * subscribers * 100 * seconds
    bench.figure(prefix + "messages_per_write", reading["messages"] / writes)
    bench.figure(prefix + "cpu_s_per_million", reading["cpu_s_per_million"])
    bench.gate("throttled updates a session and second", updates, 11)


def quiet_round(bench: Bench, subscribers: int) -> Reading:
    """Twenty sessions pushed in turn, each quiet for twice the throttle's interval."""
    with Running(bench, STREAMD_DEFAULT) as running:
        arguments = ["--subscribers", str(subscribers), "--rooms", "20", "--stagger"]
        arguments += ["--rate", "100", "--ticks", str(bench.plan.probes), "--warm-ticks", "20"]
        return bench.load("fanout", running, *arguments)


def measure_quiet(bench: Bench, subscribers: int) -> None:
    """The first update of a session that was quiet: nothing waits for the throttle."""
    readings: List[Reading] = []
    while len(readings) < bench.plan.rounds and not undisturbed(readings):
        readings.append(quiet_round(bench, subscribers))
    best = min(readings, key=lambda reading: reading["server_wait_percent"])
    bench.figures_of("quiet.streamd.ws.plain.n%d" % subscribers, best, QUIET_KEYS)
    name = "quiet session p99 ms n%d" % subscribers
    bench.gate(name, best["latency_p99_us"] / 1000, 20, decides=False)


def measure(bench: Bench, missing: Mapping[str, str]) -> None:
    """Everything about fan-out."""
    for subscribers in bench.plan.sizes:
        measure_size(bench, subscribers, missing)
    for subscribers in bench.plan.rooms_sizes:
        measure_rooms(bench, subscribers)
    measure_throttled(bench, bench.plan.sizes[0])
    measure_quiet(bench, 1)
    measure_quiet(bench, bench.plan.sizes[0])
