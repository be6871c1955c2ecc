# SPDX-License-Identifier: MIT
"""streamd/checkpoint_folder.py: what is named is whole, what is read was proved."""

import hashlib
import json
import os
import tempfile
import unittest
from typing import Any, List
from unittest import mock

import support  # noqa: F401 - puts the client on the path

from streamd import checkpoint_folder as disk


class CheckpointFolderTest(unittest.TestCase):
    def setUp(self) -> None:
        parent = tempfile.TemporaryDirectory()
        self.addCleanup(parent.cleanup)
        self.folder = os.path.join(parent.name, "run")
        os.close(disk.lock(self.folder))

    def save(self, step: int, data: Any = b"weights") -> disk.Checkpoint:
        return disk.write(self.folder, step, "call", lambda path: data)

    def only(self) -> str:
        (name,) = disk.names(self.folder)
        return name

    def refuses(self, words: str) -> None:
        with self.assertRaisesRegex(disk.Corrupt, words):
            disk.read(self.folder, self.only())

    def test_the_layout_is_the_documented_one(self) -> None:
        made = self.save(700)
        self.assertEqual(os.listdir(self.folder), ["000001-step700"])
        self.assertEqual(sorted(os.listdir(made.folder)), ["manifest.json", "payload"])
        with open(os.path.join(made.folder, "manifest.json"), encoding="ascii") as file:
            manifest = json.load(file)
        self.assertGreater(manifest.pop("savedAt"), 1.7e9)
        digest = hashlib.sha256(b"weights").hexdigest()
        files = [{"name": "payload", "bytes": 7, "sha256": digest}]
        expected = {"format": 1, "step": 700, "reason": "call", "files": files}
        self.assertEqual(manifest, expected)

    def test_what_is_read_is_what_was_saved(self) -> None:
        for data in (b"weights", bytearray(b"weights"), memoryview(b"weights")):
            made = self.save(5, data)
            found = disk.read(self.folder, os.path.basename(made.folder))
            self.assertEqual(found, made)
            self.assertEqual((found.step, found.bytes, found.read()), (5, 7, b"weights"))

    def test_save_may_write_a_file_or_many_or_one_of_another_name(self) -> None:
        def tree(path: str) -> None:
            os.makedirs(os.path.join(path, "deep"))
            for name in ("model", os.path.join("deep", "optimizer")):
                with open(os.path.join(path, name), "w", encoding="ascii") as file:
                    file.write(name)

        def like_numpy(path: str) -> None:
            with open(path + ".npy", "wb") as file:
                file.write(b"array")

        one = disk.write(self.folder, 1, "call", tree)
        two = disk.write(self.folder, 2, "call", like_numpy)
        self.assertTrue(os.path.isfile(os.path.join(one.path, "deep", "optimizer")))
        self.assertEqual(two.read(), b"array")
        self.assertEqual([disk.read(self.folder, n).step for n in disk.names(self.folder)], [1, 2])

    def test_every_damage_is_noticed(self) -> None:
        def cut(path: str) -> None:
            os.truncate(os.path.join(path, "payload"), 6)

        def flip(path: str) -> None:
            with open(os.path.join(path, "payload"), "r+b") as file:
                file.write(b"W")

        def lose(path: str) -> None:
            os.unlink(os.path.join(path, "payload"))

        def lose_the_manifest(path: str) -> None:
            os.unlink(os.path.join(path, "manifest.json"))

        def cut_the_manifest(path: str) -> None:
            os.truncate(os.path.join(path, "manifest.json"), 40)

        words = ("not what was saved", "not what was saved", "payload: No such", "manifest.json: No")
        damages = (cut, flip, lose, lose_the_manifest, cut_the_manifest)
        for damage, expected in zip(damages, (*words, "is damaged")):
            with self.subTest(damage=damage.__name__):
                damage(self.save(1).folder)
                self.refuses(expected)
                disk.remove(self.folder, self.only())

    def rewrite(self, **changes: Any) -> None:
        path = os.path.join(self.folder, self.only(), "manifest.json")
        with open(path, encoding="ascii") as file:
            manifest = json.load(file)
        with open(path, "w", encoding="ascii") as file:
            json.dump({**manifest, **changes}, file)

    def test_a_manifest_that_speaks_of_something_else_is_refused(self) -> None:
        made = self.save(1)
        with open(os.path.join(made.folder, "manifest.json"), encoding="ascii") as file:
            digest = json.load(file)["files"][0]["sha256"]
        elsewhere = [{"name": "../000001-step1/payload", "bytes": 7, "sha256": digest}]
        for changes, words in (
            ({"step": 2}, "of another step"),
            ({"step": 1, "format": 2}, "format is 2"),
            ({"format": 1, "files": []}, "no files of its own"),
            ({"files": elsewhere}, "no files of its own"),
            ({"files": 5}, "is damaged"),
        ):
            with self.subTest(changes=changes):
                self.rewrite(**changes)
                self.refuses(words)

    def test_a_save_that_fails_leaves_nothing(self) -> None:
        def half(path: str) -> None:
            with open(path, "wb") as file:
                file.write(b"half")
            raise KeyboardInterrupt

        with self.assertRaises(KeyboardInterrupt):
            disk.write(self.folder, 1, "call", half)
        for nothing in (None, 5, "text"):
            with self.assertRaisesRegex(ValueError, "neither returned bytes"):
                self.save(1, nothing)
        with self.assertRaisesRegex(ValueError, "a name that is ours"):
            clash = os.path.join(self.folder, "000001-step1.new", "manifest.json")
            disk.write(self.folder, 1, "call", lambda path: open(clash, "wb").close())
        for step in (-1, 10**18):
            with self.assertRaisesRegex(ValueError, "is none"):
                self.save(step)
        self.assertEqual(os.listdir(self.folder), [])

    def test_it_has_its_name_only_after_all_of_it_was_synced(self) -> None:
        calls: List[str] = []
        rename, fsync = os.rename, os.fsync

        def noted(fd: int) -> None:
            calls.append(os.path.basename(os.readlink(f"/proc/self/fd/{fd}")))
            fsync(fd)

        def named(old: str, new: str) -> None:
            calls.append("rename")
            rename(old, new)

        with mock.patch("os.fsync", noted), mock.patch("os.rename", named):
            self.save(1)
        working = "000001-step1.new"
        # The payload twice: as it is written, and when it is hashed, as what save() wrote would be.
        expected = ["payload", "payload", "manifest.json", working, "rename", "run"]
        self.assertEqual(calls, expected)

    def test_order_is_that_of_saving_and_numbers_are_not_used_twice(self) -> None:
        for step in (5000, 100, 100):
            self.save(step)
        expected = ["000001-step5000", "000002-step100", "000003-step100"]
        self.assertEqual(disk.names(self.folder), expected)
        for name in expected[:2]:
            disk.remove(self.folder, name)
        self.save(7)
        self.assertEqual(disk.names(self.folder), ["000003-step100", "000004-step7"])

    def test_what_a_kill_left_is_no_checkpoint(self) -> None:
        os.mkdir(os.path.join(self.folder, "000009-step900.new"))
        os.mkdir(os.path.join(self.folder, "notes.new"))
        self.assertEqual(disk.names(self.folder), [])
        self.assertEqual(disk.unfinished(self.folder), ["000009-step900.new"])
        disk.remove(self.folder, "000009-step900.new")
        self.assertEqual(os.listdir(self.folder), ["notes.new"])

    def test_a_folder_belongs_to_one_process(self) -> None:
        held = disk.lock(self.folder)
        with self.assertRaisesRegex(BlockingIOError, "another process"):
            disk.lock(self.folder)
        os.close(held)
        os.close(disk.lock(self.folder))


if __name__ == "__main__":
    unittest.main()
