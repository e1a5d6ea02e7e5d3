/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* tests/unit/queue/move.c - from one queue to another: export, import. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/clock.h"
#include "queue/bytes.h"
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

static const char *
drop_part(const char *rcpt)
{
	static char request[200];

	snprintf(request, sizeof(request), "{\"cmd\":\"drop\",\"ids\":"
	    "[\"%s\"],\"states\":[\"held\"],\"recipients\":[\"%s\"]}",
	    world_name(1), rcpt);
	return request;
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

/* It says what went, so that more that is held by then can stay. */
START_TEST(an_export_names_what_went)
{
	struct world *w = patient();
	const char *got;

	send_small(w, 1, "a@dest.example b@other.example c@third.example");
	send_small(w, 2, "d@dest.example");
	world_until(w, one_ack);
	world_wait(w, 50);
	says(world_ask(w, "{\"cmd\":\"hold\",\"domains\":[\"dest.example\","
	    "\"other.example\"]}"), "\"recipients\":3");
	got = world_ask(w, "{\"cmd\":\"export\",\"states\":[\"held\"]}");
	ck_assert_ptr_nonnull(strstr(got, world_name(2)));
	says(got, "\"recipients\":[\"a@dest.example\",\"b@other.example\"]");
	says(world_ask(w, "{\"cmd\":\"hold\",\"older\":0}"),
	    "\"recipients\":1");
	says(world_ask(w, drop_part("a@dest.example")), "\"recipients\":1");
	says(world_ask(w, drop_part("B@other.example")), "\"recipients\":0");
	says(world_ask(w, drop_part("b@other.example")), "\"recipients\":1");
	ck_assert_uint_eq(find(w, 1)->nheld, 1);
	ck_assert(rcpt_open(&find(w, 1)->rcpts[2]));
	world_free(w);
}
END_TEST

static bool two_asks(struct world *w) { return w->asks >= 2; }
static bool one_job(struct world *w) { return w->njobs >= 1; }

/* One of its recipients is being sent to: the message waits for the next
 * export, with the other one. */
START_TEST(what_is_sent_to_does_not_go)
{
	struct world *w = patient();
	const char *got;
	size_t busy;

	w->policy_mute = true;
	w->say = SAY_NOTHING;
	send_small(w, 1, "a@dest.example b@busy.example");
	world_until(w, two_asks);
	says(world_ask(w, "{\"cmd\":\"hold\",\"domains\":[\"dest.example\"]}"),
	    "\"recipients\":1");
	busy = strcmp(w->asked[0].domain, "busy.example") == 0 ? 0 : 1;
	world_route(w, w->asked[busy].txn, SPAN_LIT("busy.example"));
	world_until(w, one_job);
	says(world_ask(w, "{\"cmd\":\"hold\",\"older\":0}"), "\"busy\":1");
	got = world_ask(w, "{\"cmd\":\"export\",\"older\":0}");
	says(got, "\"count\":0,\"recipients\":0,\"left\":0,\"busy\":1,");
	ck_assert_ptr_null(strstr(got, world_name(1)));
	world_free(w);
}
END_TEST

/* ---- a disk that is slow, or fails ---- */

static int log_sync_ms, log_sync_fails;

static int
log_sync(int fd)
{
	char name[40], path[256];
	ssize_t n;

	snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
	n = readlink(name, path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = '\0';
	if (strstr(path, "/log/") == NULL)
		return fdatasync(fd);
	usleep((useconds_t)log_sync_ms * 1000);
	if (log_sync_fails-- > 0) {
		errno = EIO;
		return -1;
	}
	return fdatasync(fd);
}

static struct world *
on_that_disk(void)
{
	static struct spool_io io;
	struct world *w;

	io = spool_io;
	io.fdatasync = log_sync;
	store_io = &io;
	w = patient();
	send_small(w, 4, "x@dest.example");	/* the salt is there */
	world_until(w, one_committed);
	return w;
}

/* The first message of a stream, twice. */
static void
twice(struct span one, struct buf *out)
{
	char header[TRANSFER_HEADER];
	struct span head, rest;
	size_t body;

	one = span_skip(one, strlen(TRANSFER_BEGIN));
	head = span_of(one.p + TRANSFER_HEADER, (size_t)le_get(one.p + 4, 4));
	body = (size_t)le_get(one.p + 8, 8);
	rest = span_of(head.p, head.n + body + TRANSFER_SUM);
	buf_init(out, 65536);
	(void)buf_str(out, TRANSFER_BEGIN);
	for (unsigned n = 1; n <= 2; n++) {
		transfer_put_message(n, head, body, header);
		(void)buf_add(out, header, sizeof(header));
		(void)buf_span(out, rest);
	}
	transfer_put_end(3, header);
	(void)buf_add(out, header, sizeof(header));
}

/* What is not durable yet may still fail: it is not known. */
START_TEST(what_comes_in_is_not_known)
{
	struct world *w;
	const char *got;
	struct buf s, both;

	export_three(&s);
	twice(buf_get(&s), &both);
	w = on_that_disk();
	log_sync_ms = 300;
	got = bring(w, buf_get(&both), true);
	says(got, "it is being taken in at this moment: import again");
	says(got, "{\"count\":1,\"recipients\":1,\"known\":0,\"refused\":1,");
	log_sync_ms = 0;
	says(bring(w, buf_get(&both), true), "\"known\":2,\"refused\":0,");
	world_free(w);
	buf_free(&both);
	buf_free(&s);
}
END_TEST

/* Its record may come back in a power cut: the file goes when an END says, for
 * good, that it must not. */
START_TEST(the_file_of_a_refused_one_stays)
{
	char path[200];
	struct world *w;
	const char *got;
	struct buf s;

	export_three(&s);
	w = on_that_disk();
	log_sync_ms = 300;			/* so long the END takes */
	log_sync_fails = 1;
	got = bring(w, buf_get(&s), true);
	says(got, "\"number\":3");
	says(got, "\"refused\":3,");
	ck_assert_int_lt(log_sync_fails, 1);
	ck_assert_ptr_null(find(w, 3));
	snprintf(path, sizeof(path), "%s/spool/large/%s", w->dir,
	    world_name(3));
	ck_assert_int_eq(access(path, F_OK), 0);
	for (int i = 0; i < 500 && access(path, F_OK) == 0; i++)
		world_wait(w, 10);
	ck_assert_int_eq(access(path, F_OK), -1);
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
	tcase_add_test(t, an_export_names_what_went);
	tcase_add_test(t, what_is_sent_to_does_not_go);
	tcase_add_test(t, what_comes_in_is_not_known);
	tcase_add_test(t, the_file_of_a_refused_one_stays);
	suite_add_tcase(s, t);
	return suite_run(s);
}
