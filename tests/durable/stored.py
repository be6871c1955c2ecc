# SPDX-License-Identifier: MIT
"""What a store holds, read back without the daemon and held against what trainers know."""

import json
import os
import shutil
import sqlite3
import subprocess
import tempfile
from typing import Any, Dict, Iterable, List, NamedTuple

from harness import STREAMD
from sender import Ledger, Sender, loss, value

READ_STORE = os.path.join(os.path.dirname(STREAMD), "durable", "read_store")
FILES = ("streamd.db", "streamd.db-wal")

Record = Dict[str, Any]


class Stored(NamedTuple):
    records: Dict[str, List[Record]]  # by session
    unreadable: List[str]  # why reading ended early


def read_store(data: str, prefix: str = "") -> Stored:
    """All of it, or the sessions that are called so. The store is not changed, and may be in use."""
    with tempfile.TemporaryFile() as out:
        done = subprocess.run(
            [READ_STORE, data, prefix],
            stdout=out,
            stderr=subprocess.PIPE,
            timeout=120,
            check=False,
        )
        if done.returncode != 0:
            raise AssertionError("read_store: %s" % done.stderr.decode())
        out.seek(0)
        stored = Stored({}, [])
        session = ""
        for line in out:
            if line.startswith(b"="):
                session = line[1:-1].decode()
                stored.records[session] = []
            elif line.startswith(b"!"):
                stored.unreadable.append(line.decode().strip())
            else:
                stored.records[session].append(json.loads(line))
        return stored


def check_true(session: str, records: Iterable[Record], sent: int) -> None:
    """Each was sent as it stands here, and each at most once, in order."""
    before = 0
    for record in records:
        number = record["currentStep"]
        if not before < number <= sent:
            raise AssertionError("%s: %r after %d, of %d sent" % (session, record, before, sent))
        if record["v"] != value(session, number) or record["loss"] != loss(number):
            raise AssertionError("%s: altered: %r" % (session, record))
        before = number


def check_whole(session: str, records: List[Record], least: int, sent: int) -> None:
    """From the first on without a gap, and at least so many."""
    check_true(session, records, sent)
    if [record["currentStep"] for record in records] != list(range(1, len(records) + 1)):
        raise AssertionError("%s: a gap" % session)
    if [record["offset"] for record in records] != list(range(1, len(records) + 1)):
        raise AssertionError("%s: offsets do not count the records" % session)
    if len(records) < least:
        raise AssertionError("%s: %d kept, %d acked" % (session, len(records), least))


def ledgers_of(senders: Iterable[Sender]) -> List[Ledger]:
    return [ledger for sender in senders for ledger in sender.ledgers.values()]


def check_kept(data: str, senders: Iterable[Sender]) -> int:
    """Every acked point once, in order, and none invented; how many points they have."""
    senders = list(senders)
    stored = read_store(data, os.path.commonprefix([l.session for l in ledgers_of(senders)]))
    if stored.unreadable:
        raise AssertionError("unreadable: %r" % stored.unreadable)
    for ledger in ledgers_of(senders):
        records = stored.records.get(ledger.session, [])
        check_whole(ledger.session, records, ledger.acked, ledger.sent)
    return sum(len(records) for records in stored.records.values())


def check_trainers(senders: Iterable[Sender]) -> None:
    """None of them has been told anything wrong."""
    wrong = [what for sender in senders for what in sender.wrong]
    if wrong:
        raise AssertionError("; ".join(wrong[:5]))


def copy(data: str, to: str) -> None:
    """The files as they stand, one after the other."""
    os.makedirs(to, exist_ok=True)
    for name in FILES:
        try:
            shutil.copyfile(os.path.join(data, name), os.path.join(to, name))
        except FileNotFoundError:
            pass


def check_integrity(data: str) -> None:
    """SQLite's own opinion, of a copy: opening a store with a log would change it."""
    with tempfile.TemporaryDirectory() as scratch:
        copy(data, scratch)
        database = sqlite3.connect(os.path.join(scratch, FILES[0]))
        try:
            said = database.execute("PRAGMA integrity_check").fetchall()
        finally:
            database.close()
        if said != [("ok",)]:
            raise AssertionError("integrity_check: %r" % said[:5])
