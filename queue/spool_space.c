/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/spool_space.c - room on the disk: the reserve below which no new mail
 * is taken, and the spare segment.
 *
 * Why a spare: what a delivery ends can be freed only when the delivery is
 * written down.  If new mail, or another program, filled the disk to the last
 * block between two looks at it, nothing could be written, so nothing freed, and
 * the disk would stay full for ever.  The spare is a preallocated file that is
 * given up for the one segment that gets things going again. */
#include <errno.h>
#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/log.h"
#include "queue/spool_priv.h"

#define RESERVE_LEAST	(2 * (uint64_t)SEGMENT_SIZE)
#define RESERVE_MOST	(1024ull * 1024 * 1024)
#define RESERVE_SHARE	20		/* one in so many: 5 % */
#define SPARE		"spare"
/* More than a segment, so that its directory entry has room too. */
#define SPARE_MORE	(64 * 1024)

void
spool_spare_make(struct spool *sp)
{
	int fd;

	if (sp->spare)
		return;
	(void)sp->io->unlink(sp->root, SPARE);	/* of any size, or planted */
	fd = sp->io->open(sp->root, SPARE, O_WRONLY | O_CREAT | O_EXCL |
	    O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd == -1)
		return;
	/* Where nothing can be preallocated there is no spare either. */
	sp->spare = fallocate(fd, 0, 0, (off_t)sp->io->segment_size +
	    SPARE_MORE) == 0;
	close(fd);
	if (!sp->spare)
		(void)sp->io->unlink(sp->root, SPARE);
}

bool
spool_spare_give(struct spool *sp)
{
	if (!sp->spare)
		return false;
	sp->spare = false;
	if (sp->io->unlink(sp->root, SPARE) == -1)
		return false;
	log_warn("spool-spare-used", KV_Q("reason", "the disk is full; what "
	    "was delivered is written to the room kept for that"));
	return true;
}

/* Asked for every message: fstatvfs(2) costs less than a microsecond, and a
 * second of large messages is enough to fill what a cached answer calls free. */
bool
spool_full(struct spool *sp)
{
	uint64_t free_bytes, reserve;
	struct statvfs v;
	bool low;

	if (sp->io->fstatvfs(sp->root, &v) == -1)
		return sp->space_low;
	free_bytes = (uint64_t)v.f_bavail * v.f_frsize;
	reserve = (uint64_t)v.f_blocks * v.f_frsize / RESERVE_SHARE;
	if (reserve > RESERVE_MOST)
		reserve = RESERVE_MOST;
	/* The current segment's successor must fit, too. */
	if (reserve < RESERVE_LEAST)
		reserve = RESERVE_LEAST;
	low = free_bytes < reserve;
	if (low != sp->space_low) {
		sp->space_low = low;
		log_event(low ? LOG_ERROR : LOG_INFO,
		    low ? "disk-low" : "disk-ok", (const struct kv[]){
		    KV_N("free", free_bytes), KV_N("reserve", reserve) }, 2);
	}
	if (!low)
		spool_spare_make(sp);
	return low;
}
