/* SPDX-License-Identifier: GPL-3.0-or-later
 *
 * A disk with one bad region, for LD_PRELOAD: reads of the file whose name ends with BAD_FILE that
 * touch the bytes from BAD_FROM to BAD_TO fail with EIO. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int is_bad(int fd, size_t count, off_t at)
{
    const char *name = getenv("BAD_FILE"), *from = getenv("BAD_FROM"), *to = getenv("BAD_TO");
    char link[64], path[4096];
    if (!name || !from || !to)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    size_t suffix = strlen(name);
    if (length < (ssize_t)suffix)
        return 0;
    path[length] = 0;
    if (strcmp(path + length - suffix, name) != 0)
        return 0;
    return at < atoll(to) && (long long)(at + count) > atoll(from);
}

ssize_t pread64(int fd, void *buffer, size_t count, off64_t at)
{
    static ssize_t (*next)(int, void *, size_t, off64_t);
    if (!next)
        next = (ssize_t(*)(int, void *, size_t, off64_t))dlsym(RTLD_NEXT, "pread64");
    if (is_bad(fd, count, at)) {
        errno = EIO;
        return -1;
    }
    return next(fd, buffer, count, at);
}

ssize_t read(int fd, void *buffer, size_t count)
{
    static ssize_t (*next)(int, void *, size_t);
    if (!next)
        next = (ssize_t(*)(int, void *, size_t))dlsym(RTLD_NEXT, "read");
    off_t at = lseek(fd, 0, SEEK_CUR);
    if (at >= 0 && is_bad(fd, count, at)) {
        errno = EIO;
        return -1;
    }
    return next(fd, buffer, count);
}
