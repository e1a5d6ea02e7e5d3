/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/queue/power.c - a queue works for a while: mail large and small,
 * outcomes of all kinds, holds, drops, bounces, checkpoints, segments that
 * are left and removed.  Every call that changed its spool was recorded, and
 * then the power is cut behind many of them.
 *
 * Whatever got its 250 before that is there, unaltered, unless it was on its
 * way out; a failure has its bounce; and a power cut never looks like damage.
 *
 * Once more with a disk whose syncs fail now and then.
 *
 * POWER_SEED and POWER_CUTS in the environment repeat a run, or make it long. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "powercut.h"
#include "tests/unit/suite.h"
#include "world.h"

#define MAILS		400
#define STEPS		1200
#define SEGMENT		(32 * 1024)
#define CHECKPOINT	(64 * 1024)
#define CUTS		150
#define NEVER		SIZE_MAX

static uint64_t seed;
static unsigned cuts;

struct mail {
	size_t	 acked;		/* calls when the 250 came */
	size_t	 final;		/* calls when its last recipient went */
	size_t	 told;		/* calls when its bounce was delivered */
	bool	 failed;	/* somebody is owed a bounce */
	bool	 large;
};

static struct {
	struct mail	 mails[MAILS + 1];
	unsigned	 sent;
	bool		 sick;		/* the disk fails now and then */
	bool		 ending;	/* whatever is tried succeeds */
	bool		 done[WORLD_JOBS];
	size_t		 first_open;
} play;

static uint64_t
draw(uint64_t below)
{
	seed = seed * 6364136223846793005u + 1442695040888963407u;
	return (seed >> 33) % below;
}

/* ---- messages that can be told by their number ---- */

static size_t
body_of(unsigned n, char *out)
{
	uint64_t x = n;
	size_t len = play.mails[n].large ? 70000 + n * 7 : 100 + n * 37 % 3000;

	for (size_t i = 0; i < len; i++) {
		x = x * 6364136223846793005u + n;
		out[i] = (char)('a' + (x >> 33) % 26);
	}
	return len;
}

static unsigned
number_of(const char *id)
{
	char want[ID_SIZE];

	for (unsigned n = 1; n <= play.sent; n++) {
		world_id(n, want);
		if (strcmp(id, want) == 0)
			return n;
	}
	return 0;
}

static void
answered(struct world *w, uint64_t txn, uint16_t code)
{
	(void)w;
	ck_assert(code == 250 || (play.sick && code == 451));
	if (code == 250)
		play.mails[txn].acked = powercut_count();
}

static void
send_mail(struct world *w)
{
	static char body[128 * 1024];
	struct ipc_msg_commit c;
	unsigned n = ++play.sent;
	struct mail *m = &play.mails[n];
	char id[ID_SIZE], from[64];
	size_t len;

	*m = (struct mail){ NEVER, NEVER, NEVER, false, draw(8) == 0 };
	len = body_of(n, body);
	c = (struct ipc_msg_commit){ .txn = n, .size = len,
	    .in_file = m->large, .body = span_of(body, m->large ? 0 : len) };
	world_id(n, id);
	snprintf(from, sizeof(from), "s%u@client.example", n);
	if (m->large) {
		w->opened_fd = -1;
		ipc_send_spool_open(w->smtpd, &(struct ipc_spool_open){ n },
		    -1);
		while (w->opened_fd == -1)
			world_wait(w, 1);
		ck_assert_int_eq(write(w->opened_fd, body, len),
		    (ssize_t)len);
		close(w->opened_fd);
	}
	world_begin(w, n, id, from, "a@one.example b@three.example");
	ipc_send_msg_commit(w->smtpd, &c, -1);
}

/* ---- what happens to them ---- */

static struct message *
find(struct world *w, unsigned n)
{
	char id[ID_SIZE];

	world_id(n, id);
	return index_find(&world_queue(w)->index, span_str(id));
}

/* The relay's outcome, until the queue has noted it. */
static void
answer(struct world *w, const struct seen_job *j, enum answer say)
{
	unsigned acks = w->acks;

	w->reply = say == SAY_SENT ? "250 ok" : say == SAY_FAILED ?
	    "550 no" : "450 later";
	world_outcome(w, j, say);
	while (w->acks == acks)
		world_wait(w, 1);
}

static void
answer_job(struct world *w)
{
	size_t before = powercut_count(), at;
	struct seen_job *j;
	enum answer say;
	unsigned n;

	while (play.first_open < w->njobs && play.done[play.first_open])
		play.first_open++;
	if (play.first_open == w->njobs)
		return;
	at = play.first_open + draw(w->njobs - play.first_open);
	if (play.done[at])
		return;
	play.done[at] = true;
	j = &w->jobs[at];
	say = play.ending || draw(2) == 0 ? SAY_SENT : draw(2) == 0 ? SAY_FAILED :
	    SAY_DEFERRED;
	if (j->sender[0] == '\0') {		/* a bounce */
		char of[ID_SIZE];

		(void)span_copy(span_of(strstr(j->body,
		    "X-Sealane-Message-Id: ") + 22, ID_LEN), of, sizeof(of));
		n = number_of(of);
		if (say != SAY_DEFERRED && play.mails[n].told == NEVER)
			play.mails[n].told = before;
		answer(w, j, say);
		return;
	}
	n = number_of(j->id);
	if (find(w, n) != NULL && say == SAY_FAILED)
		play.mails[n].failed = true;
	answer(w, j, say);
	if (find(w, n) == NULL && play.mails[n].final == NEVER)
		play.mails[n].final = before;
}

static void
operator(struct world *w)
{
	static const char *const cmds[] = { "hold", "release", "flush",
	    "drop", "bounce" };
	unsigned n = 1 + (unsigned)draw(play.sent);
	size_t what = draw(12) == 0 ? 3 + draw(2) : draw(3),
	    before = powercut_count();
	char id[ID_SIZE], request[100];

	if (find(w, n) == NULL || find(w, n)->pending)
		return;
	world_id(n, id);
	snprintf(request, sizeof(request), "{\"cmd\":\"%s\",\"ids\":[\"%s\"]}",
	    cmds[what], id);
	if (what == 4 && strstr(world_ask(w, request), "\"recipients\":0") ==
	    NULL)
		play.mails[n].failed = true;
	else if (what != 4)
		(void)world_ask(w, request);
	if (find(w, n) != NULL)
		return;
	play.mails[n].final = before;
	/* Dropped without a word, what was still due included. */
	if (what == 3)
		play.mails[n].failed = false;
}

/* All goes well, so that old segments have to go. */
static void
end_all(struct world *w)
{
	play.ending = true;
	(void)world_ask(w, "{\"cmd\":\"release\",\"states\":[\"held\"]}");
	for (int i = 0; i < 5000 && !powercut_saw_unlink("seg-"); i++) {
		for (int n = 0; n < 20; n++)
			answer_job(w);
		world_wait(w, 5);
	}
}

static void
act(struct world *w)
{
	w->say = SAY_NOTHING;
	w->answered = answered;
	world_start(w);
	world_register(w, 1);
	for (unsigned step = 0; step < STEPS; step++) {
		if (draw(3) == 0 && play.sent < MAILS)
			send_mail(w);
		answer_job(w);
		answer_job(w);
		if (draw(10) == 0 && play.sent > 0)
			operator(w);
		if (play.sick && draw(100) == 0)
			powercut_fail_sync();
		world_wait(w, draw(4));
	}
	end_all(w);
}

/* ---- what is there after a cut ---- */

static void
check_body(struct world *w, const struct message *m, unsigned n)
{
	static char want[128 * 1024], got[128 * 1024];
	size_t len = body_of(n, want);
	struct fault f = { 0 };
	struct span body;
	int fd;

	ck_assert_uint_eq(m->size, len);
	ck_assert_msg(store_body(world_queue(w), m, &body, &fd, &f) == 0,
	    "message %u: %s", n, f.text);
	if (fd != -1) {
		body = span_of(got, (size_t)pread(fd, got, sizeof(got), 0));
		close(fd);
	}
	ck_assert_msg(span_eq(body, span_of(want, len)),
	    "message %u is altered", n);
}

static bool
has_bounce(struct world *w, unsigned n)
{
	const struct message *m;
	char to[64];

	snprintf(to, sizeof(to), "s%u@client.example", n);
	TAILQ_FOREACH(m, &world_queue(w)->index.arrival, arrival)
		if ((m->flags & RECORD_BOUNCE) != 0 &&
		    span_eq(rcpt_address(&m->rcpts[0]), span_str(to)))
			return true;
	return false;
}

static void
check(struct world *w, size_t cut)
{
	struct spool_stats stats;

	spool_stats(world_queue(w)->spool, &stats);
	ck_assert_msg(stats.damaged == 0, "cut %zu looks like damage", cut);
	for (unsigned n = 1; n <= play.sent; n++) {
		const struct mail *mail = &play.mails[n];
		const struct message *m = find(w, n);

		if (m != NULL)
			check_body(w, m, n);
		if (m != NULL || mail->acked > cut)
			continue;
		ck_assert_msg(mail->final <= cut, "cut %zu: message %u, "
		    "acknowledged after %zu calls, is lost", cut, n,
		    mail->acked);
		ck_assert_msg(!mail->failed || mail->told <= cut ||
		    has_bounce(w, n), "cut %zu: the bounce of message %u, "
		    "which ended after %zu calls, is lost", cut, n,
		    mail->final);
	}
}

static bool
all_committed(struct world *w)
{
	return w->committed == 1;
}

static void
try_cut(size_t cut, enum cut how, uint64_t number)
{
	static struct spool_io io;
	struct world *w = world_new();
	char dir[100], id[ID_SIZE];

	io = spool_io;
	io.segment_size = SEGMENT;
	store_io = &io;
	log_set_level(LOG_ERROR + 1);
	snprintf(dir, sizeof(dir), "%s/spool", w->dir);
	powercut_make(dir, cut, how, number);
	world_start(w);
	check(w, cut);
	/* And it stays so, when what was found is durable. */
	world_id(MAILS + 1, id);
	world_send(w, 1, id, "z@client.example", "z@one.example", "z");
	world_until(w, all_committed);
	world_stop(w);
	world_start(w);
	check(w, cut);
	world_free(w);
}

static void
run(void)
{
	struct world *w = world_new();
	char dir[100];
	size_t calls;

	log_set_level(LOG_ERROR + 1);
	snprintf(dir, sizeof(dir), "%s/spool", w->dir);
	store_io = powercut_record(dir, SEGMENT, CHECKPOINT);
	act(w);
	calls = powercut_count();
	/* It has seen what this is about. */
	ck_assert(play.sick || powercut_saw_rename("checkpoint"));
	ck_assert(powercut_saw_unlink("seg-"));
	for (unsigned i = 0; i < cuts; i++)
		try_cut(draw(calls + 1), (enum cut)(i % 3), draw(1u << 30));
	try_cut(calls, CUT_DROP, 0);
	world_free(w);
	powercut_free();
}

START_TEST(power_cuts)
{
	const char *s = getenv("POWER_SEED"), *c = getenv("POWER_CUTS");

	seed = s != NULL ? strtoull(s, NULL, 10) : clock_wall_ms() + (unsigned)_i;
	cuts = c != NULL ? (unsigned)atoi(c) : CUTS;
	printf("POWER_SEED=%llu\n", (unsigned long long)seed);
	fflush(stdout);
	play.sick = _i == 1;
	run();
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("queue power");
	TCase *t = tcase_create("power");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, power_cuts, 0, 2);
	suite_add_tcase(s, t);
	return suite_run(s);
}
