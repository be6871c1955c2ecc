# SPDX-License-Identifier: MIT
"""scripts/embed-page: files become a table that C reads, byte for byte."""

import os
import shutil
import subprocess
import tempfile
import unittest

from wire_daemon import ROOT

PRINTS = """
#include "streamd/http/page.h"
#include <stdio.h>
int main(void)
{
    for (const struct page_file *f = page_files; f->path; f++) {
        printf("%s %d ", f->path, (int)(f->end - f->bytes));
        fwrite(f->bytes, 1, (size_t)(f->end - f->bytes), stdout);
        putchar('\\n');
    }
    return 0;
}
"""


class EmbedPage(unittest.TestCase):
    """A folder, and a program that has it inside."""

    def test_every_file_is_in_the_program_that_is_linked_with_it(self) -> None:
        folder = tempfile.mkdtemp(prefix="streamd-embed-")
        self.addCleanup(shutil.rmtree, folder)
        os.makedirs(os.path.join(folder, "page", "assets"))
        files = {"/a.svg": b"<svg/>\n", "/assets/b-1.js": bytes(range(256)), "/c.txt": b""}
        for name, content in files.items():
            with open(folder + "/page" + name, "wb") as out:
                out.write(content)
        with open(folder + "/page/.hidden", "wb") as out:
            out.write(b"not for anybody")
        with open(folder + "/page.S", "wb") as out:
            embed = [os.path.join(ROOT, "scripts", "embed-page"), folder + "/page"]
            subprocess.run(embed, stdout=out, check=True)
        with open(folder + "/main.c", "w", encoding="utf-8") as source:
            source.write(PRINTS)
        compiler = os.environ.get("CC", "cc")
        build = [compiler, "-fPIE", "-pie", "-I" + ROOT, "main.c", "page.S", "-o", "prints"]
        subprocess.run(build, cwd=folder, check=True)
        said = subprocess.run([folder + "/prints"], stdout=subprocess.PIPE, check=True).stdout
        expected = b"".join(b"%s %d %s\n" % (n.encode(), len(c), c) for n, c in files.items())
        self.assertEqual(said, expected)


if __name__ == "__main__":
    unittest.main()
