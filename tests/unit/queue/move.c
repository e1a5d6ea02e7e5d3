/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/queue/move.c - from one queue to another: export, import. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/clock.h"
#include "queue/transfer.h"
#include "tests/unit/suite.h"
#include "world.h"

#define BODY	"Received: from x\r\nSubject: hello\r\n\r\nbody\r\n"
#define FROM	"sender@client.example"
#define HOUR	(3600u * 1000)
#define LARGE	70000	/* the stream fits the buffers of a socket */

static bool one_committed(struct world *w) { return w->committed >= 1; }
static bool three_committed(struct world *w) { return w->committed >= 3; }
static bool one_ack(struct world *w) { return w->acks >= 1; }
static bool three_acks(struct world *w) { return w->acks >= 3; }

static void
says(const char *got, const char *part)
{
	ck_assert_msg(strstr(got, part) != NULL, "no %s in %s", part, got);
}

/* What is deferred stays so. */
static struct world *
patient(void)
{
	struct world *w = world_new();

	w->conf.relay.retry.first = w->conf.relay.retry.max = HOUR;
	world_start(w);
	world_register(w, 1);
	w->say = SAY_DEFERRED;
	w->reply = "450 4.2.2 mailbox full";
	return w;
}

static struct message *
find(struct world *w, unsigned n)
{
	char id[ID_SIZE];

	world_id(n, id);
	return index_find(&world_queue(w)->index, span_str(id));
}

static void
send_small(struct world *w, unsigned n, const char *rcpts)
{
	char id[ID_SIZE];

	world_id(n, id);
	world_send(w, n, id, FROM, rcpts, BODY);
}

static bool opened(struct world *w) { return w->opened_fd != -1; }

static void
send_large(struct world *w, unsigned n, const char *rcpts)
{
	struct ipc_msg_commit c = { .txn = n, .size = LARGE, .in_file = 1,
	    .body = SPAN_NONE };
	char id[ID_SIZE], *mem = malloc(LARGE);

	world_id(n, id);
	w->opened_fd = -1;
	ck_assert_int_eq(ipc_send_spool_open(w->smtpd,
	    &(struct ipc_spool_open){ n }, -1), 0);
	world_until(w, opened);
	memset(mem, 'L', LARGE);
	ck_assert_int_eq(write(w->opened_fd, mem, LARGE), LARGE);
	close(w->opened_fd);
	free(mem);
	world_begin(w, n, id, FROM, rcpts);
	ck_assert_int_eq(ipc_send_msg_commit(w->smtpd, &c, -1), 0);
}

/* ---- streams ---- */

static void
decode(struct buf *out, const char *lines)
{
	static const char key[] = "\"stream\":\"";

	buf_init(out, 1024 * 1024);
	while ((lines = strstr(lines, key)) != NULL) {
		struct span text;

		lines += sizeof(key) - 1;
		text = span_of(lines, strcspn(lines, "\""));
		ck_assert_int_eq(base64_get(out, text), 0);
	}
}

static const char *
bring(struct world *w, struct span stream, bool eof)
{
	static char request[1024 * 1024];
	size_t n = 0;
	struct buf text;

	while (stream.n > 0) {
		struct span some = span_head(stream, 30000);

		stream = span_skip(stream, some.n);
		buf_init(&text, 65536);
		ck_assert_int_eq(base64_put(&text, some), 0);
		n += (size_t)snprintf(request + n, sizeof(request) - n,
		    "%s{\"cmd\":\"import\",\"data\":\"%s\"}",
		    n == 0 ? "" : "\n", buf_cstr(&text));
		buf_free(&text);
	}
	if (eof)
		snprintf(request + n, sizeof(request) - n,
		    "\n{\"cmd\":\"import\",\"eof\":true}");
	return world_ask(w, request);
}

/* Three messages, one of them in a file and one with two recipients, held. */
static void
export_three(struct buf *out)
{
	struct world *w = patient();
	const char *got;

	send_small(w, 1, "a@dest.example");
	send_small(w, 2, "b@dest.example c@dest.example");
	send_large(w, 3, "d@dest.example");
	world_until(w, three_committed);
	world_until(w, three_acks);
	says(world_ask(w, "{\"cmd\":\"hold\",\"older\":0}"), "\"count\":3");
	got = world_ask(w, "{\"cmd\":\"export\",\"older\":0}");
	says(got, "\"count\":3");
	says(got, "\"recipients\":4");
	says(got, "\"left\":0");
	decode(out, got);
	world_free(w);
}

static void
check_three(struct world *w)
{
	const struct message *m = find(w, 2);

	ck_assert_ptr_nonnull(m);
	ck_assert_uint_eq(m->nrcpts, 2);
	ck_assert_uint_eq(m->nheld, 2);
	ck_assert(m->stands);
	ck_assert_uint_eq(m->rcpts[1].attempts, 1);
	says(rcpt_reply(&m->rcpts[0]).p, "450 4.2.2 mailbox full");
	ck_assert_uint_eq(find(w, 3)->size, LARGE);
	ck_assert_ptr_nonnull(find(w, 1));
}

START_TEST(a_queue_moves)
{
	struct world *w;
	const char *got;
	struct buf s;

	export_three(&s);
	w = patient();
	got = bring(w, buf_get(&s), true);
	says(got, "{\"count\":3,\"recipients\":4,\"known\":0,\"refused\":0,"
	    "\"complete\":true}");
	check_three(w);
	/* Durable when it was said. */
	world_stop(w);
	world_start(w);
	check_three(w);
	/* Nothing goes before it is released; then all that came does. */
	world_register(w, 1);
	world_wait(w, 50);
	ck_assert_uint_eq(w->njobs, 0);
	w->say = SAY_SENT;
	says(world_ask(w, "{\"cmd\":\"release\",\"older\":0}"), "\"count\":3");
	world_wait(w, 300);
	ck_assert_uint_eq(w->njobs, 3);
	for (size_t i = 0; i < w->njobs; i++)
		ck_assert_uint_eq(w->jobs[i].got, w->jobs[i].size);
	world_free(w);
	buf_free(&s);
}
END_TEST

START_TEST(an_import_can_be_run_again)
{
	struct world *w;
	const char *got;
	struct buf s;
	size_t cut;

	export_three(&s);
	/* Inside the large one. */
	cut = s.len - LARGE / 2;
	w = patient();
	got = bring(w, span_head(buf_get(&s), cut), true);
	says(got, "\"count\":2,");
	says(got, "\"complete\":false");
	ck_assert_ptr_null(find(w, 3));
	got = bring(w, buf_get(&s), true);
	says(got, "\"count\":1,\"recipients\":1,\"known\":2,\"refused\":0,"
	    "\"complete\":true");
	got = bring(w, buf_get(&s), true);
	says(got, "\"count\":0,\"recipients\":0,\"known\":3,");
	check_three(w);
	world_free(w);
	buf_free(&s);
}
END_TEST

/* The client goes, or the process, after any number of bytes. */
START_TEST(an_import_may_end_anywhere)
{
	struct world *w;
	struct buf s;
	size_t cut;

	export_three(&s);
	cut = s.len * (size_t)_i / 6;
	w = patient();
	(void)bring(w, span_head(buf_get(&s), cut > 0 ? cut : 1), false);
	if (_i % 2 == 0) {
		world_stop(w);
		world_start(w);
	}
	says(bring(w, buf_get(&s), true), "\"complete\":true");
	check_three(w);
	world_free(w);
	buf_free(&s);
}
END_TEST

START_TEST(what_is_damaged_stays_out)
{
	struct world *w;
	const char *got;
	struct buf s;

	export_three(&s);
	/* The last byte of the large body. */
	s.mem[s.off + s.len - TRANSFER_HEADER - TRANSFER_SUM - 1] ^= 1;
	w = patient();
	got = bring(w, buf_get(&s), true);
	says(got, "\"number\":3");
	says(got, "its body is damaged");
	says(got, "\"count\":2,");
	says(got, "\"refused\":1,\"complete\":true");
	ck_assert_ptr_null(find(w, 3));
	world_free(w);

	w = patient();
	got = bring(w, SPAN_LIT("From: somebody\r\nSubject: no export"), true);
	says(got, "\"error\":\"behind message 0 the stream can't be read: it "
	    "is no export of a queue");
	world_free(w);
	buf_free(&s);
}
END_TEST

/* The id is taken: by the same message with other recipients. */
START_TEST(another_message_is_not_hidden)
{
	struct world *w;
	const char *got;
	struct buf s;

	export_three(&s);
	w = patient();
	send_small(w, 1, "other@dest.example");
	world_until(w, one_committed);
	got = bring(w, buf_get(&s), true);
	says(got, "have this id here");
	says(got, "\"count\":2,");
	says(got, "\"refused\":1,");
	ck_assert_uint_eq(find(w, 1)->nrcpts, 1);
	says(rcpt_address(&find(w, 1)->rcpts[0]).p, "other@");
	world_free(w);
	buf_free(&s);
}
END_TEST

START_TEST(only_what_is_held_goes)
{
	struct world *w = patient();
	const char *got;
	struct buf s;

	send_small(w, 1, "a@dest.example b@other.example");
	send_small(w, 2, "c@dest.example");
	world_until(w, one_ack);
	world_wait(w, 50);
	says(world_ask(w, "{\"cmd\":\"hold\",\"domains\":[\"other.example\"]}"),
	    "\"recipients\":1");
	got = world_ask(w, "{\"cmd\":\"export\",\"older\":0}");
	says(got, "\"count\":1,\"recipients\":1,\"left\":2,");
	decode(&s, got);
	says(world_ask(w, "{\"cmd\":\"export\"}"), "which messages?");
	says(world_ask(w, "{\"cmd\":\"export\",\"ids\":[\"nosuch\"]}"),
	    "\"missing\":[\"nosuch\"]");
	world_free(w);

	w = patient();
	says(bring(w, buf_get(&s), true), "\"count\":1,\"recipients\":1,");
	ck_assert_uint_eq(find(w, 1)->nrcpts, 1);
	says(rcpt_address(&find(w, 1)->rcpts[0]).p, "b@other.example");
	world_free(w);
	buf_free(&s);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("queue move");
	TCase *t = tcase_create("move");

	tcase_set_timeout(t, 25);
	tcase_add_test(t, a_queue_moves);
	tcase_add_test(t, an_import_can_be_run_again);
	tcase_add_loop_test(t, an_import_may_end_anywhere, 0, 6);
	tcase_add_test(t, what_is_damaged_stays_out);
	tcase_add_test(t, another_message_is_not_hidden);
	tcase_add_test(t, only_what_is_held_goes);
	suite_add_tcase(s, t);
	return suite_run(s);
}
