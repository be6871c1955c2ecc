/* SPDX-License-Identifier: MIT */
/*
 * getrusage knows only the highest value ever; what an operator watches is the present one, and
 * /proc is where Linux keeps it. Read by open and read: stdio would allocate a buffer for 30 bytes.
 */
#include "streamd/http/process.h"

#include "base/span.h"

#include <fcntl.h>
#include <unistd.h>

uint64_t process_rss_bytes(void)
{
    char text[128];
    uint64_t pages = 0;
    int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t n = read(fd, text, sizeof(text));
    (void)close(fd);
    if (n <= 0)
        return 0;
    struct span rest = {text, (size_t)n};
    (void)span_cut(&rest, ' '); /* the size of the address space comes first */
    if (!span_u64(span_cut(&rest, ' '), &pages))
        return 0;
    return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}
