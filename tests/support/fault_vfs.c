/* SPDX-License-Identifier: MIT */
#include "tests/support/fault_vfs.h"

#include <sqlite3.h>

/* What SQLite allocates for a file: ours, then its own. */
struct fault_file {
    sqlite3_file base;
    sqlite3_file *real; /* borrows: just behind this */
};

static const struct fault_kind *failing; /* NULL: nothing is to fail */
static size_t until_failure;
static bool failed;

void fault_fail(const struct fault_kind *kind, size_t nth)
{
    failing = kind;
    until_failure = nth;
    failed = false;
}

bool fault_failed(void)
{
    failing = NULL;
    return failed;
}

bool fault_happened(void)
{
    return failed;
}

bool fault_now(unsigned op)
{
    if (!failing || !(failing->ops & op) || (failed && !failing->from_now))
        return false;
    if (until_failure > 1) {
        until_failure--;
        return false;
    }
    failed = true;
    return true;
}

/* What the call is to answer instead of being done; SQLITE_OK: do it. */
static int fault(enum fault_op op, int code)
{
    if (!fault_now((unsigned)op))
        return SQLITE_OK;
    return failing->code ? failing->code : code;
}

static sqlite3_file *real(sqlite3_file *file)
{
    return ((struct fault_file *)(void *)file)->real;
}

static int file_close(sqlite3_file *file)
{
    return real(file)->pMethods ? real(file)->pMethods->xClose(real(file)) : SQLITE_OK;
}

static int file_read(sqlite3_file *file, void *out, int n, sqlite3_int64 at)
{
    int code = fault(FAULT_READ, SQLITE_IOERR_READ);
    return code ? code : real(file)->pMethods->xRead(real(file), out, n, at);
}

static int file_write(sqlite3_file *file, const void *bytes, int n, sqlite3_int64 at)
{
    int code = fault(FAULT_WRITE, SQLITE_IOERR_WRITE);
    if (code && failing && failing->partly)
        (void)real(file)->pMethods->xWrite(real(file), bytes, n / 2, at);
    return code ? code : real(file)->pMethods->xWrite(real(file), bytes, n, at);
}

static int file_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    int code = fault(FAULT_TRUNCATE, SQLITE_IOERR_TRUNCATE);
    return code ? code : real(file)->pMethods->xTruncate(real(file), size);
}

/* The bytes are where they are: it is the disk's word that is missing. */
static int file_sync(sqlite3_file *file, int flags)
{
    int code = fault(FAULT_SYNC, SQLITE_IOERR_FSYNC);
    return code ? code : real(file)->pMethods->xSync(real(file), flags);
}

static int file_size(sqlite3_file *file, sqlite3_int64 *out)
{
    return real(file)->pMethods->xFileSize(real(file), out);
}

static int file_lock(sqlite3_file *file, int level)
{
    return real(file)->pMethods->xLock(real(file), level);
}

static int file_unlock(sqlite3_file *file, int level)
{
    return real(file)->pMethods->xUnlock(real(file), level);
}

static int file_check(sqlite3_file *file, int *out)
{
    return real(file)->pMethods->xCheckReservedLock(real(file), out);
}

static int file_control(sqlite3_file *file, int op, void *arg)
{
    return real(file)->pMethods->xFileControl(real(file), op, arg);
}

static int file_sector(sqlite3_file *file)
{
    return real(file)->pMethods->xSectorSize(real(file));
}

static int file_traits(sqlite3_file *file)
{
    return real(file)->pMethods->xDeviceCharacteristics(real(file));
}

static int file_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **out)
{
    return real(file)->pMethods->xShmMap(real(file), page, size, extend, out);
}

static int file_shm_lock(sqlite3_file *file, int at, int n, int flags)
{
    return real(file)->pMethods->xShmLock(real(file), at, n, flags);
}

static void file_shm_barrier(sqlite3_file *file)
{
    real(file)->pMethods->xShmBarrier(real(file));
}

static int file_shm_unmap(sqlite3_file *file, int remove)
{
    return real(file)->pMethods->xShmUnmap(real(file), remove);
}

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out)
{
    static const sqlite3_io_methods methods = {
        2,           file_close,   file_read,     file_write,       file_truncate,  file_sync,
        file_size,   file_lock,    file_unlock,   file_check,       file_control,   file_sector,
        file_traits, file_shm_map, file_shm_lock, file_shm_barrier, file_shm_unmap, NULL,
        NULL,
    };
    sqlite3_vfs *under = vfs->pAppData;
    struct fault_file *f = (struct fault_file *)(void *)file;
    int code = fault(FAULT_OPEN, SQLITE_CANTOPEN);
    f->base.pMethods = NULL;
    f->real = (sqlite3_file *)(void *)(f + 1);
    if (code == SQLITE_OK)
        code = under->xOpen(under, name, f->real, flags, out);
    if (code == SQLITE_OK)
        f->base.pMethods = &methods;
    return code;
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
    sqlite3_vfs *under = vfs->pAppData;
    int code = fault(FAULT_DELETE, SQLITE_IOERR_DELETE);
    return code ? code : under->xDelete(under, name, sync);
}

void fault_vfs_register(void)
{
    static sqlite3_vfs vfs;
    sqlite3_vfs *under = sqlite3_vfs_find(NULL);
    vfs = *under;
    vfs.szOsFile = under->szOsFile + (int)sizeof(struct fault_file);
    vfs.zName = "fault";
    vfs.pAppData = under;
    vfs.xOpen = vfs_open;
    vfs.xDelete = vfs_delete;
    (void)sqlite3_vfs_register(&vfs, 0);
}
