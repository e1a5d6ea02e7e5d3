/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/spool_damaged.c - segments in which damage was found and that nothing
 * lives in any more: what is bad in them, for the operator. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "queue/spool_priv.h"

/* Only names that we give: no path leads out of the directory. */
static bool
name_good(struct span name)
{
	static const char hex[] = "0123456789abcdef";

	if (name.n != 20 || memcmp(name.p, "seg-", 4) != 0)
		return false;
	for (size_t i = 4; i < name.n; i++)
		if (memchr(hex, name.p[i], 16) == NULL)
			return false;
	return true;
}

size_t
spool_damaged_names(struct spool *sp, char (*names)[SPOOL_NAME], size_t max)
{
	int fd = dup(sp->damaged);
	DIR *dir = fd == -1 ? NULL : fdopendir(fd);
	struct dirent *e;
	size_t n = 0;

	if (dir == NULL) {
		if (fd != -1)
			close(fd);
		return 0;
	}
	rewinddir(dir);
	while (n < max && (e = readdir(dir)) != NULL)
		if (name_good(span_str(e->d_name)))
			(void)span_copy(span_str(e->d_name), names[n++],
			    SPOOL_NAME);
	closedir(dir);
	return n;
}

int
spool_damaged_open(struct spool *sp, struct span name, uint64_t *size,
    uint64_t *since, struct fault *f)
{
	char file[SPOOL_NAME];
	struct stat st;
	off_t have;
	int fd;

	if (!name_good(name) || !span_copy(name, file, sizeof(file))) {
		fault_set(f, FAULT_PERM, 0, NULL, "no such damaged file");
		return -1;
	}
	fd = spool_plain_open(sp->damaged, file, O_RDONLY, &have);
	if (fd == -1)
		return fault_sys(f, "open a damaged file");
	*size = (uint64_t)have;
	*since = fstat(fd, &st) == -1 ? 0 : (uint64_t)st.st_ctime * 1000;
	return fd;
}

int
spool_damaged_forget(struct spool *sp, struct span name, struct fault *f)
{
	char file[SPOOL_NAME];

	if (!name_good(name) || !span_copy(name, file, sizeof(file)))
		return fault_set(f, FAULT_PERM, 0, NULL,
		    "no such damaged file");
	return sp->io->unlink(sp->damaged, file) == 0 ? 0 :
	    fault_sys(f, "remove a damaged file");
}

/* Reads all of it: at most SEGMENT_LARGEST bytes, and only for an operator. */
int
spool_damaged_scan(struct spool *sp, struct span name, void (*bad)(void *arg,
    const char *what, uint32_t offset, uint32_t length), void *arg,
    struct fault *f)
{
	struct segment_key key = { 0, sp->salt };
	struct segment_record rec;
	uint32_t at = SEGMENT_FIRST;
	enum segment_step step;
	uint64_t size, since;
	char *mem = NULL;
	int fd = spool_damaged_open(sp, name, &size, &since, f);

	if (fd == -1)
		return -1;
	if (size <= SEGMENT_LARGEST)
		mem = malloc((size_t)size + 1);
	if (mem == NULL || pread(fd, mem, (size_t)size, 0) != (ssize_t)size) {
		close(fd);
		free(mem);
		return fault_set(f, FAULT_TEMP, 451, "4.3.0",
		    "a damaged file can't be read");
	}
	close(fd);
	key.number = strtoull(name.p + 4, NULL, 16);
	while ((step = segment_next(&key, span_of(mem, (size_t)size), false,
	    &at, &rec)) != SEGMENT_END)
		if (step != SEGMENT_RECORD)
			bad(arg, step == SEGMENT_BAD ? "record header" :
			    rec.type == RECORD_MESSAGE ||
			    rec.type == RECORD_CARRY ? "message" : "state",
			    rec.place.offset, step == SEGMENT_BAD ?
			    rec.place.length :
			    segment_room(rec.place.length));
	free(mem);
	return 0;
}
