/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/queue/bodies.c - large messages in files, bodies that are damaged,
 * and many at once, in the queue role between fakes. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "tests/unit/suite.h"
#include "world.h"

#define BODY	"Received: from x\r\nSubject: hello\r\n\r\nbody\r\n"
#define FROM	"sender@client.example"

static bool file_opened(struct world *w) { return w->code != 0; }

/* ---- large messages ---- */

static void
send_large(struct world *w, uint64_t txn, const char *name, size_t size,
    uint64_t said)
{
	struct ipc_msg_commit c = { .txn = txn, .size = said, .in_file = 1 };
	char *bytes = calloc(1, size);

	w->code = 0;
	ipc_send_spool_open(w->smtpd, &(struct ipc_spool_open){ txn }, -1);
	world_until(w, file_opened);
	ck_assert_uint_eq(w->code, 250);
	ck_assert_int_ne(w->opened_fd, -1);
	memset(bytes, 'x', size);
	ck_assert_int_eq(write(w->opened_fd, bytes, size), (ssize_t)size);
	ck_assert_int_eq(read(w->opened_fd, bytes, 1), -1);	/* write-only */
	close(w->opened_fd);
	free(bytes);
	world_begin(w, txn, name, FROM, "r@dest.example");
	ipc_send_msg_commit(w->smtpd, &c, -1);
}

static bool
no_files(struct world *w)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/spool/large/%s", w->dir, world_name(1));
	return access(path, F_OK) != 0;
}

START_TEST(a_large_message_is_a_file)
{
	struct world *w = world_started();

	w->say = SAY_NOTHING;
	send_large(w, 1, world_name(1), 300000, 300000);
	world_until(w, world_one_committed);
	ck_assert(!no_files(w));
	world_until(w, world_one_job);
	ck_assert_uint_eq(w->jobs[0].got, 300000);
	ck_assert_uint_eq(w->jobs[0].size, 300000);
	ck_assert_ptr_null(w->jobs[0].body);
	/* It is there after a restart, and gone when it is delivered. */
	world_stop(w);
	world_start(w);
	w->say = SAY_SENT;
	world_register(w, 1);
	world_until(w, world_empty);
	ck_assert_uint_eq(w->jobs[1].got, 300000);
	world_until(w, no_files);
	world_free(w);
}
END_TEST

START_TEST(a_large_message_of_another_size_is_refused)
{
	struct world *w = world_started();

	send_large(w, 1, world_name(1), 300000, 300001);
	world_until(w, world_one_refused);
	ck_assert_uint_eq(w->code, 451);
	ck_assert(world_empty(w));
	ck_assert(no_files(w));
	world_free(w);
}
END_TEST

/* ---- damage ---- */

static void
flip(struct world *w, const char *in_body)
{
	char path[128], *mem = calloc(1, 65536), *at;
	int fd;

	snprintf(path, sizeof(path), "%s/spool/log/seg-%016x", w->dir, 1);
	fd = open(path, O_RDWR);
	ck_assert_int_gt(read(fd, mem, 65536), 0);
	at = memmem(mem, 65536, in_body, strlen(in_body));
	ck_assert_ptr_nonnull(at);
	ck_assert_int_eq(pwrite(fd, "#", 1, at - mem), 1);
	close(fd);
	free(mem);
}

static bool
quarantined(struct world *w)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/spool/damaged/seg-%016x", w->dir, 1);
	return access(path, F_OK) == 0;
}

/* What, where, how much, since when; its bytes; and away with it. */
static void
check_damaged(struct world *w)
{
	const char *got = world_ask(w, "{\"cmd\":\"damaged\"}");

	ck_assert_uint_eq(world_lines(got), 2);
	ck_assert_ptr_nonnull(strstr(got, "\"name\":\"seg-0000000000000001\""));
	ck_assert_ptr_nonnull(strstr(got, "\"what\":\"message\""));
	ck_assert_ptr_nonnull(strstr(got, "\"since\":\"20"));
	got = world_ask(w, "{\"cmd\":\"damaged-show\",\"name\":"
	    "\"seg-0000000000000001\",\"offset\":0,\"length\":16}");
	ck_assert_ptr_nonnull(strstr(got, "c2VhbGFuZSBzcG9vbC"));
	got = world_ask(w, "{\"cmd\":\"damaged-show\",\"name\":"
	    "\"../log/seg-0000000000000001\"}");
	ck_assert_ptr_nonnull(strstr(got, "\"exit\":1"));
	got = world_ask(w, "{\"cmd\":\"damaged-forget\",\"name\":"
	    "\"seg-0000000000000001\"}");
	ck_assert_ptr_nonnull(strstr(got, "\"count\":1"));
	ck_assert(!quarantined(w));
	ck_assert_uint_eq(world_lines(world_ask(w, "{\"cmd\":\"damaged\"}")),
	    1);
}

/* One message is destroyed; the others in its segment are carried to a new
 * one with all that is known of them, the old one is kept for the operator. */
START_TEST(survivors_leave_a_damaged_segment)
{
	struct world *w = world_new();
	struct message *m;

	w->conf.relay.retry.first = w->conf.relay.retry.max = 3600 * 1000;
	world_start(w);
	world_register(w, 1);
	w->say = SAY_DEFERRED;
	w->reply = "450 later";
	world_send(w, 1, world_name(1), FROM, "a@dest.example b@sink.example",
	    "Subject: one\r\n\r\n");
	world_send(w, 2, world_name(2), FROM, "r@dest.example",
	    "Subject: two\r\n\r\n");
	while (w->acks < 2)
		world_wait(w, 5);
	world_stop(w);
	log_set_level(LOG_ERROR + 1);
	flip(w, "Subject: two");
	world_start(w);
	world_until(w, quarantined);
	check_damaged(w);
	world_stop(w);
	world_start(w);
	m = TAILQ_FIRST(&world_queue(w)->index.arrival);
	ck_assert_ptr_nonnull(m);
	ck_assert_ptr_null(TAILQ_NEXT(m, arrival));
	ck_assert_str_eq(m->id, world_name(1));
	ck_assert_uint_gt(m->place.segment, 1);
	ck_assert_uint_eq(m->rcpts[0].attempts, 1);
	ck_assert(span_eq(rcpt_reply(&m->rcpts[0]), SPAN_LIT("450 later")));
	ck_assert_int_eq(m->rcpts[1].state, RCPT_DELIVERED);
	w->say = SAY_SENT;
	m->rcpts[0].next = 0;
	store_schedule(world_queue(w), m);
	world_register(w, 1);
	world_until(w, world_empty);
	ck_assert_str_eq(w->jobs[w->njobs - 1].body, "Subject: one\r\n\r\n");
	world_free(w);
}
END_TEST

/* The disk changes a body while the queue runs: it is not sent. */
START_TEST(an_altered_body_is_never_sent)
{
	struct world *w = world_new();

	world_start(w);
	log_set_level(LOG_ERROR + 1);
	world_send(w, 1, world_name(1), FROM, "r@dest.example",
	    "Subject: one\r\n\r\n");
	world_until(w, world_one_committed);
	flip(w, "Subject: one");
	world_register(w, 1);
	world_wait(w, 300);
	ck_assert_uint_eq(w->njobs, 0);
	ck_assert(!world_empty(w));
	world_free(w);
}
END_TEST

/* ---- many ---- */

#define MANY	3000

static bool
all_committed(struct world *w)
{
	return w->committed == MANY;
}

START_TEST(many_pass_none_lost_none_doubled)
{
	struct world *w = world_started();
	static unsigned seen[MANY + 1];
	char rcpt[64];

	for (unsigned i = 1; i <= MANY; i++) {
		snprintf(rcpt, sizeof(rcpt), "%u@d%u.example", i, i % 7);
		world_send(w, i, world_name(i), FROM, rcpt, BODY);
	}
	world_until(w, all_committed);
	world_until(w, world_empty);
	ck_assert_uint_eq(w->njobs, MANY);
	for (size_t i = 0; i < w->njobs; i++)
		seen[atoi(w->jobs[i].first)]++;
	for (unsigned i = 1; i <= MANY; i++)
		ck_assert_msg(seen[i] == 1, "%u came %u times", i, seen[i]);
	world_free(w);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("queue bodies");
	TCase *t = tcase_create("bodies");

	tcase_set_timeout(t, 25);
	tcase_add_test(t, a_large_message_is_a_file);
	tcase_add_test(t, a_large_message_of_another_size_is_refused);
	tcase_add_test(t, survivors_leave_a_damaged_segment);
	tcase_add_test(t, an_altered_body_is_never_sent);
	tcase_add_test(t, many_pass_none_lost_none_doubled);
	suite_add_tcase(s, t);
	return suite_run(s);
}
