/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/queue/flips.c - bits of a spool are flipped, sectors zeroed, files
 * cut off: log, checkpoint, large bodies.  What the damage did not touch is
 * there, unaltered; what it touched is missing or fails its sum, and is said;
 * new mail is taken.
 *
 * FLIPS_SEED and FLIPS in the environment repeat a run, or make it long. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/crc32c.h"
#include "base/log.h"
#include "tests/unit/suite.h"
#include "world.h"

#define MAILS		40
#define SEGMENT		(32 * 1024)
#define CHECKPOINT	(16 * 1024)
#define FILES		64
#ifdef SEALANE_SANITIZED
#define FLIPS		200
#else
#define FLIPS		1000
#endif

static uint64_t seed;

static uint64_t
draw(uint64_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (seed >> 33) % below;
}

/* ---- the spool as it was ---- */

static struct file {
	char	 name[64];	/* from the spool's directory on */
	char	*bytes;
	size_t	 n;
} files[FILES];
static size_t nfiles;

/* What was done to one of them. */
static struct {
	struct file	*file;
	size_t		 from, to;	/* what is there no more as it was */
} hit;

static struct {
	struct place	place;
	bool		large, dropped;
} mails[MAILS + 1];

static size_t
body_of(unsigned n, char *out)
{
	size_t len = n % 10 == 0 ? 66000 + n : 100 + n * 137 % 3000;
	uint64_t x = n;

	for (size_t i = 0; i < len; i++) {
		x = x * 6364136223846793005u + n;
		out[i] = (char)('a' + (x >> 33) % 26);
	}
	return len;
}

static void
keep_file(const char *dir, const char *name)
{
	struct file *f = &files[nfiles++];
	char path[256];
	struct stat st;
	int fd;

	ck_assert_uint_le(nfiles, FILES);
	snprintf(f->name, sizeof(f->name), "%s", name);
	snprintf(path, sizeof(path), "%s/spool/%s", dir, name);
	fd = open(path, O_RDONLY);
	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(fstat(fd, &st), 0);
	f->n = (size_t)st.st_size;
	f->bytes = malloc(f->n + 1);
	ck_assert_int_eq(read(fd, f->bytes, f->n), (ssize_t)f->n);
	close(fd);
}

static void
keep_folder(const char *dir, const char *folder)
{
	char path[256], name[300];
	struct dirent *e;
	DIR *d;

	snprintf(path, sizeof(path), "%s/spool/%s", dir, folder);
	d = opendir(path);
	ck_assert_ptr_nonnull(d);
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.') {
			snprintf(name, sizeof(name), "%s/%s", folder,
			    e->d_name);
			keep_file(dir, name);
		}
	closedir(d);
}

static void
put_file(const char *dir, const struct file *f, size_t n)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/spool/%s", dir, f->name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(write(fd, f->bytes, n), (ssize_t)n);
	close(fd);
}

static void
put_folders(const char *dir)
{
	static const char *const folders[] = { "", "/log", "/large",
	    "/damaged" };
	char path[256];

	for (int i = 0; i < 4; i++) {
		snprintf(path, sizeof(path), "%s/spool%s", dir, folders[i]);
		ck_assert_int_eq(mkdir(path, 0700), 0);
	}
}

/* ---- damage ---- */

static void
damage(const char *dir)
{
	struct file *f = &files[draw(nfiles)];
	size_t at = draw(f->n), n = f->n, len = 1;
	char was[512];

	switch (draw(4)) {
	case 0:
		n = at;			/* cut off */
		len = f->n - at;
		break;
	case 1:				/* a sector */
		at &= ~(size_t)511;
		len = f->n - at < 512 ? f->n - at : 512;
		break;
	}
	hit.file = f;
	hit.from = at;
	hit.to = at + len;
	if (n < f->n) {
		put_file(dir, f, n);
		return;
	}
	memcpy(was, f->bytes + at, len);
	if (len == 1)
		f->bytes[at] = (char)(f->bytes[at] ^ 1 << draw(8));
	else
		memset(f->bytes + at, 0, len);
	put_file(dir, f, n);
	memcpy(f->bytes + at, was, len);
}

static bool
touched(unsigned n)
{
	char name[64], id[ID_SIZE];
	size_t from = mails[n].place.offset,
	    to = from + segment_room(mails[n].place.length);

	world_id(n, id);
	snprintf(name, sizeof(name), "large/%s", id);
	if (mails[n].large && strcmp(hit.file->name, name) == 0)
		return true;
	snprintf(name, sizeof(name), "log/seg-%016llx",
	    (unsigned long long)mails[n].place.segment);
	return strcmp(hit.file->name, name) == 0 &&
	    hit.from < to && hit.to > from;
}

/* The newest segment cut off looks like one that was not written further. */
static bool
newest_cut(void)
{
	size_t newest = 0;

	for (size_t i = 0; i < nfiles; i++)
		if (strcmp(files[i].name, files[newest].name) > 0 &&
		    strncmp(files[i].name, "log/", 4) == 0)
			newest = i;
	return hit.file == &files[newest] && hit.to == hit.file->n;
}

/* ---- what is there then ---- */

/* -1: it can't be read, or is known to be other bytes; else it is right. */
static int
read_body(struct world *w, const struct message *m, unsigned n)
{
	static char want[128 * 1024], got[128 * 1024];
	size_t len = body_of(n, want);
	struct fault f = { 0 };
	struct span body;
	int fd;

	if (store_body(world_queue(w), m, &body, &fd, &f) == -1)
		return -1;
	if (fd != -1) {
		body = span_of(got, (size_t)pread(fd, got, sizeof(got), 0));
		close(fd);
		if (crc32c(0, body.p, body.n) != m->sum)
			return -1;	/* the relay does not send it */
	}
	ck_assert_msg(span_eq(body, span_of(want, len)),
	    "message %u is altered", n);
	return 0;
}

static bool
taken(struct world *w)
{
	return w->committed == 1;
}

static void
check(struct world *w)
{
	struct spool_stats stats;
	unsigned missing = 0;
	char id[ID_SIZE];

	for (unsigned n = 1; n <= MAILS; n++) {
		struct message *m;
		bool good;

		world_id(n, id);
		m = index_find(&world_queue(w)->index, span_str(id));
		if (mails[n].dropped)
			continue;	/* its END may be what was hit */
		good = m != NULL && read_body(w, m, n) == 0;
		ck_assert_msg(good || touched(n), "message %u is lost by "
		    "damage to %s from %zu to %zu", n, hit.file->name,
		    hit.from, hit.to);
		missing += m == NULL;
	}
	spool_stats(world_queue(w)->spool, &stats);
	ck_assert_msg(missing == 0 || newest_cut() || stats.damaged + stats.torn > 0,
	    "%u messages went without a word, by damage to %s from %zu to %zu",
	    missing, hit.file->name, hit.from, hit.to);
	world_id(MAILS + 1, id);
	world_send(w, 1, id, "z@client.example", "z@one.example", "z");
	world_until(w, taken);
}

/* ---- the run ---- */

static bool
all_taken(struct world *w)
{
	return w->committed == MAILS;
}

static bool
file_opened(struct world *w)
{
	return w->opened_fd != -1;
}

static void
send_mail(struct world *w, unsigned n)
{
	static char body[128 * 1024];
	size_t len = body_of(n, body);
	struct ipc_msg_commit c = { .txn = n, .size = len,
	    .in_file = len > 65536 };
	char id[ID_SIZE];

	mails[n].large = c.in_file != 0;
	c.body = span_of(body, c.in_file != 0 ? 0 : len);
	if (c.in_file != 0) {
		w->opened_fd = -1;
		ipc_send_spool_open(w->smtpd, &(struct ipc_spool_open){ n },
		    -1);
		world_until(w, file_opened);
		ck_assert_int_eq(write(w->opened_fd, body, len),
		    (ssize_t)len);
		close(w->opened_fd);
	}
	world_id(n, id);
	world_begin(w, n, id, "a@client.example", "a@one.example");
	ipc_send_msg_commit(w->smtpd, &c, -1);
}

static bool
checkpointed(struct world *w)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/spool/checkpoint", w->dir);
	return access(path, F_OK) == 0;
}

/* A spool with messages, states, ends and a checkpoint; orderly closed. */
static void
prepare(void)
{
	struct world *w = world_new();
	char id[ID_SIZE], request[100];

	world_start(w);
	for (unsigned n = 1; n <= MAILS; n++) {
		send_mail(w, n);
		if (n == MAILS / 2)
			world_until(w, checkpointed);
	}
	world_until(w, all_taken);
	for (unsigned n = 1; n <= MAILS; n++) {
		world_id(n, id);
		mails[n].dropped = n % 7 == 0;
		mails[n].place = index_find(&world_queue(w)->index,
		    span_str(id))->place;
		if (n % 7 > 1)
			continue;
		snprintf(request, sizeof(request), "{\"cmd\":\"%s\","
		    "\"ids\":[\"%s\"]}", n % 7 == 0 ? "drop" : "hold", id);
		(void)world_ask(w, request);
	}
	world_stop(w);
	keep_folder(w->dir, "log");
	keep_folder(w->dir, "large");
	keep_file(w->dir, "checkpoint");
	world_free(w);
}

static void
one(void)
{
	struct world *w = world_new();

	log_set_level(LOG_ERROR + 1);
	put_folders(w->dir);
	for (size_t i = 0; i < nfiles; i++)
		put_file(w->dir, &files[i], files[i].n);
	damage(w->dir);
	world_start(w);
	check(w);
	world_free(w);
}

START_TEST(damages)
{
	const char *s = getenv("FLIPS_SEED"), *f = getenv("FLIPS");
	unsigned times = f != NULL ? (unsigned)atoi(f) : FLIPS;
	static struct spool_io io;

	seed = s != NULL ? strtoull(s, NULL, 10) : clock_wall_ms();
	printf("FLIPS_SEED=%llu\n", (unsigned long long)seed);
	fflush(stdout);
	io = spool_io;
	io.segment_size = SEGMENT;
	io.checkpoint_every = CHECKPOINT;
	store_io = &io;
	prepare();
	for (unsigned i = 0; i < times; i++)
		one();
	printf("%u damages to %zu files\n", times, nfiles);
	for (size_t i = 0; i < nfiles; i++)
		free(files[i].bytes);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("queue flips");
	TCase *t = tcase_create("flips");

	tcase_set_timeout(t, getenv("FLIPS") != NULL ? 0 : 120);
	tcase_add_test(t, damages);
	suite_add_tcase(s, t);
	return suite_run(s);
}
