/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
#include "session.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "world.h"

#define MAILS	4
#define RCPTS	2
#define SEGMENT	(256 * 1024)	/* preallocated each time */
#define QUIET	100	/* ms without anything new: no more will come */

/* What there is, and what its next hop says to each recipient. */
static const struct mail {
	const char	*rcpts;
	unsigned	 nrcpts;
	enum answer	 say[RCPTS];
	size_t		 size;
} mails[MAILS] = {
	{ "a@one.example", 1, { SAY_SENT }, 700 },
	{ "a@one.example", 1, { SAY_SENT }, 70000 },
	{ "a@one.example b@three.example", 2, { SAY_SENT, SAY_FAILED }, 3000 },
	{ "a@four.example", 1, { SAY_DEFERRED }, 1500 },
};

struct session {
	char	dir[64];
	char	why[400];		/* by the checking process */
	struct {
		bool	acked;		/* 250 was said */
		bool	tried[RCPTS];	/* the outcome is on its way, or was */
		bool	settled[RCPTS];	/* the queue has acknowledged it */
	}	mails[MAILS];
	bool	told;			/* the bounce was tried */
	unsigned answered;
	uint16_t odd;			/* an answer that is neither 250 nor 4xx */
};

static struct session *now;		/* in the child */
static bool again, good;
void (*session_begins)(void);

static char
byte_of(unsigned n, size_t i)
{
	return (char)('a' + (i * 7 + i / 26 + n * 5) % 26);
}

static void
fill(unsigned n, char *out)
{
	for (size_t i = 0; i < mails[n].size; i++)
		out[i] = byte_of(n, i);
}

struct session *
session_new(void)
{
	struct session *s = mmap(NULL, sizeof(*s), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (s == MAP_FAILED)
		return NULL;
	snprintf(s->dir, sizeof(s->dir), "%s/sealane-session-XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	return mkdtemp(s->dir) == NULL ? NULL : s;
}

void
session_reset(struct session *s)
{
	char dir[64];

	memcpy(dir, s->dir, sizeof(dir));
	world_remove(dir);
	(void)mkdir(dir, 0700);
	memset(s, 0, sizeof(*s));
	memcpy(s->dir, dir, sizeof(dir));
}

void
session_free(struct session *s)
{
	world_remove(s->dir);
	munmap(s, sizeof(*s));
}

/* A world in the session's directory. */
static struct world *
world_here(struct session *s)
{
	struct world *w = world_new();
	static struct spool_io io;

	log_set_level(LOG_ERROR + 1);
	io = spool_io;
	io.segment_size = SEGMENT;
	store_io = &io;
	world_remove(w->dir);
	memcpy(w->dir, s->dir, sizeof(w->dir));
	w->say = SAY_NOTHING;
	return w;
}

/* ---- the process that may be killed ---- */

static void
answered(struct world *w, uint64_t txn, uint16_t code)
{
	(void)w;
	now->answered++;
	if (code == 250)
		now->mails[txn - 1].acked = true;
	else if (code / 100 != 4)
		now->odd = code;
}

/* A role that loses a link to the queue ends, and so does this. */
static void
need_links(const struct world *w)
{
	ck_assert(w->smtpd != NULL && w->policy != NULL &&
	    w->relay[1] != NULL);
}

static bool
opened(struct world *w)
{
	return w->opened_fd != -1 || w->code != 0 || w->smtpd == NULL;
}

static void
send_mail(struct world *w, unsigned n)
{
	static char body[128 * 1024];
	bool large = mails[n].size > 65536;
	struct ipc_msg_commit c = { .txn = n + 1, .size = mails[n].size,
	    .in_file = large,
	    .body = span_of(body, large ? 0 : mails[n].size) };
	char id[ID_SIZE], from[64];

	fill(n, body);
	need_links(w);
	if (large) {
		w->code = 0;
		ipc_send_spool_open(w->smtpd, &(struct ipc_spool_open){ n + 1 },
		    -1);
		world_until(w, opened);
		/* smtpd's part of this is no concern of the queue. */
		if (w->opened_fd == -1 || write(w->opened_fd, body,
		    mails[n].size) != (ssize_t)mails[n].size) {
			now->answered++;
			return;
		}
		close(w->opened_fd);
	}
	world_id(n + 1, id);
	snprintf(from, sizeof(from), "s%u@client.example", n + 1);
	need_links(w);
	world_begin(w, n + 1, id, from, mails[n].rcpts);
	ipc_send_msg_commit(w->smtpd, &c, -1);
}

static void
settle(struct world *w, const struct seen_job *j)
{
	unsigned acks = w->acks;
	unsigned n = (unsigned)(j->id[ID_LEN - 1] - 'a') - 1;
	enum answer say = SAY_SENT;

	if (j->sender[0] == '\0') {
		now->told = true;
		n = MAILS;
	} else {
		say = mails[n].say[j->index[0]];
		for (uint32_t i = 0; i < j->nrcpts; i++)
			now->mails[n].tried[j->index[i]] = true;
	}
	w->reply = say == SAY_SENT ? "250 ok" : say == SAY_FAILED ?
	    "550 no" : "450 later";
	need_links(w);
	world_outcome(w, j, say);
	for (int i = 0; i < QUIET && w->acks == acks; i++)
		world_wait(w, 1);
	for (uint32_t i = 0; n < MAILS && i < j->nrcpts; i++)
		now->mails[n].settled[j->index[i]] = w->acks > acks;
}

START_TEST(life)
{
	struct world *w = world_here(now);
	size_t done = 0;
	int quiet = 0;

	w->answered = answered;
	w->conf.relay.retry.first = 60000;
	session_begins();
	world_start(w);
	need_links(w);
	world_register(w, 1);
	for (unsigned n = 0; n < MAILS; n++) {
		send_mail(w, n);
		need_links(w);
	}
	while (quiet < QUIET && (now->answered < MAILS || !now->told ||
	    done < w->njobs)) {
		unsigned before = now->answered;

		if (done < w->njobs) {
			settle(w, &w->jobs[done++]);
			quiet = 0;
			continue;
		}
		world_wait(w, 1);
		quiet = now->answered > before ? 0 : quiet + 1;
	}
	world_stop(w);
}
END_TEST

/* An assertion that fails ends this process, and is no failure yet. */
static int
run_test(struct session *s, const TTest *test)
{
	Suite *suite = suite_create("session");
	TCase *t = tcase_create("session");
	SRunner *r = srunner_create(suite);

	now = s;
	tcase_add_test(t, test);
	suite_add_tcase(suite, t);
	srunner_set_fork_status(r, CK_NOFORK);
	srunner_run_all(r, getenv("STEPS_VERBOSE") != NULL ? CK_NORMAL :
	    CK_SILENT);
	return srunner_ntests_failed(r);
}

static void
end_now(void)
{
	_exit(1);
}

void
session_run(void *arg)
{
	/* Whatever ends it: what it had is no leak. */
	(void)atexit(end_now);
	if (run_test(arg, life) != 0)
		_exit(1);
}

bool
session_whole(const struct session *s)
{
	for (unsigned n = 0; n < MAILS; n++)
		if (!s->mails[n].acked)
			return false;
	return s->told;
}

/* ---- the process that looks ---- */

static bool	complain(const char *, ...) __attribute__((format(printf, 1, 2)));

static bool
complain(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(now->why, sizeof(now->why), format, ap);
	va_end(ap);
	return false;
}

static bool
body_good(struct world *w, const struct message *m, unsigned n)
{
	static char want[128 * 1024], got[128 * 1024];
	struct fault f = { 0 };
	struct span body;
	int fd;

	fill(n, want);
	if (store_body(world_queue(w), m, &body, &fd, &f) == -1)
		return complain("message %u: %s", n + 1, f.text);
	if (fd != -1) {
		body = span_of(got, (size_t)pread(fd, got, sizeof(got), 0));
		close(fd);
	}
	return span_eq(body, span_of(want, mails[n].size)) ||
	    complain("message %u is altered", n + 1);
}

static bool
has_bounce(struct world *w, unsigned n)
{
	const struct message *m;
	char to[64];

	snprintf(to, sizeof(to), "s%u@client.example", n + 1);
	TAILQ_FOREACH(m, &world_queue(w)->index.arrival, arrival)
		if ((m->flags & RECORD_BOUNCE) != 0 &&
		    span_eq(rcpt_address(&m->rcpts[0]), span_str(to)))
			return true;
	return false;
}

static bool
rcpt_good(struct world *w, const struct message *m, unsigned n, unsigned i)
{
	bool open = m != NULL && rcpt_open(&m->rcpts[i]),
	    over = mails[n].say[i] != SAY_DEFERRED;

	if (!open && !(now->mails[n].tried[i] && over))
		return complain("recipient %u of message %u is lost", i, n + 1);
	if (open && again && over && now->mails[n].settled[i])
		return complain("recipient %u of message %u comes again", i,
		    n + 1);
	if (!open && mails[n].say[i] == SAY_FAILED && !now->told &&
	    !has_bounce(w, n) && (m == NULL || m->rcpts[i].due == DUE_NONE))
		return complain("the bounce of message %u is lost", n + 1);
	return true;
}

static bool
mail_good(struct world *w, unsigned n)
{
	const struct message *m;
	char id[ID_SIZE];

	world_id(n + 1, id);
	m = index_find(&world_queue(w)->index, span_str(id));
	if (m != NULL && !body_good(w, m, n))
		return false;
	for (unsigned i = 0; i < mails[n].nrcpts; i++)
		if (now->mails[n].acked && !rcpt_good(w, m, n, i))
			return false;
	return true;
}

static bool
taken(struct world *w)
{
	return w->committed == 1;
}

static bool
all_good(struct world *w)
{
	struct spool_stats stats;

	if (now->odd != 0)
		return complain("answered %u", now->odd);
	spool_stats(world_queue(w)->spool, &stats);
	if (stats.damaged > 0)
		return complain("it looks like damage");
	for (unsigned n = 0; n < MAILS; n++)
		if (!mail_good(w, n))
			return false;
	world_send(w, 1, "zzzzzzzzzzzzzzzz", "z@b.example", "z@one.example",
	    "z");
	world_until(w, taken);
	return true;
}

START_TEST(look)
{
	struct world *w = world_here(now);

	world_start(w);
	good = all_good(w);
	world_stop(w);
}
END_TEST

bool
session_check(struct session *s, bool once, char *why, size_t n)
{
	pid_t pid;
	int status;

	snprintf(s->why, sizeof(s->why), "the next start failed");
	pid = fork();
	if (pid == 0) {
		again = once;
		_exit(run_test(s, look) == 0 && good ? 0 : 1);
	}
	waitpid(pid, &status, 0);
	snprintf(why, n, "%s", s->why);
	return status == 0;
}
