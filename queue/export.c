/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/export.c - messages as a stream (queue/transfer.h), for a file or for
 * another machine.
 *
 * Only what is held goes out: nothing else stands still, and what may be sent
 * here while it is exported would be sent twice.  A message goes with those of
 * its recipients that are picked.  Who drops what was exported has to name it:
 * others may be held by then, and the selection would mean them too.
 *
 * Answers: {"stream":"base64", "ids":[of the messages that end in it, with all
 * of their recipients], "parts":[{"ids":[of one], "recipients":[those of them
 * that go]}]}, as many as it takes, then {"count":messages, "recipients":N, "left":recipients
 * that are not held, "busy":recipients that are being sent to,
 * "unreadable":[ids], "missing":[ids]}. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/crc32c.h"
#include "base/log.h"
#include "queue/bytes.h"
#include "queue/queue_priv.h"
#include "queue/transfer.h"

#define ENTRIES		100	/* messages looked at in one turn */
#define NAMES_MAX	10000	/* a message with more in a part has no part
				   in the answer, and is not dropped */
#define PIECE		49152	/* bytes of the stream in one answer, or one
				   head more; 64 KiB as base64 */

struct export_walk {
	struct walk	 walk;
	struct pick	 pick;
	bool		 begun;
	struct buf	 out, text;
	json_t		*ids, *parts;	/* of this answer */
	uint64_t	 messages, recipients, left, busy;
	json_t		*unreadable;
	/* the message whose body is on its way */
	char		 id[ID_SIZE];
	int		 fd;		/* -1: none, or all of it is in `out` */
	uint64_t	 at, size;
	uint32_t	 sum;
	bool		 spoilt;
	json_t		*names;		/* NULL: all of it goes */
};

static void
put_sum(struct export_walk *w, uint32_t sum)
{
	char bytes[TRANSFER_SUM];

	le_put(bytes, sum, TRANSFER_SUM);
	(void)buf_add(&w->out, bytes, sizeof(bytes));
}

static void
unreadable(struct export_walk *w, const char *id, const char *reason)
{
	log_error("body-unreadable", KV_S("id", id), KV_Q("reason", reason));
	(void)json_array_append_new(w->unreadable, json_string(id));
}

/* ---- a message ---- */

static void
add_names(struct export_walk *w, const struct message *m)
{
	w->names = json_array();
	for (uint32_t i = 0; i < m->nrcpts; i++) {
		const struct rcpt *r = &m->rcpts[i];
		struct span address = rcpt_address(r);

		if (r->state == RCPT_HELD && select_rcpt(&w->pick.select, r))
			(void)json_array_append_new(w->names,
			    json_stringn(address.p, address.n));
	}
}

static void
went(struct export_walk *w)
{
	if (w->names == NULL)
		(void)json_array_append_new(w->ids, json_string(w->id));
	else if (json_array_size(w->names) <= NAMES_MAX)
		(void)json_array_append_new(w->parts, json_pack(
		    "{s:[s], s:O}", "ids", w->id, "recipients", w->names));
}

/* Its recipients that go, into `list`; how many. */
static uint32_t
choose(struct queue *q, struct export_walk *w, const struct message *m,
    struct buf *list)
{
	uint32_t n = 0, busy = 0, open = 0;

	for (uint32_t i = 0; i < m->nrcpts; i++)
		busy += select_rcpt(&w->pick.select, &m->rcpts[i]) &&
		    m->rcpts[i].phase == PHASE_JOB;
	w->busy += busy;
	/* The attempt may be over when the drop comes, which would take what
	 * did not go out. */
	if (busy > 0)
		return 0;
	for (uint32_t i = 0; i < m->nrcpts; i++) {
		const struct rcpt *r = &m->rcpts[i];

		open += rcpt_open(r);
		if (!select_rcpt(&w->pick.select, r))
			continue;
		if (r->state != RCPT_HELD)
			w->left++;
		else
			carry_rcpt(q, m, i, n++, list);
	}
	json_decref(w->names);
	w->names = NULL;
	if (n > 0 && n < open)
		add_names(w, m);
	return n;
}

/* Header, head, and a body that is not in a file. */
static int
put_message(struct queue *q, struct export_walk *w, const struct message *m,
    uint32_t n, struct span list)
{
	char header[TRANSFER_HEADER];
	struct fault f = { 0 };
	struct span body;

	if (store_body(q, m, &body, &w->fd, &f) == -1) {
		unreadable(w, m->id, f.text);
		return 0;
	}
	buf_reset(&q->record);
	if (carry_head(q, m, body, n, list, &q->record) == -1)
		return -1;
	transfer_put_message(w->messages + 1, buf_get(&q->record), m->size,
	    header);
	(void)buf_add(&w->out, header, sizeof(header));
	(void)buf_span(&w->out, buf_get(&q->record));
	memcpy(w->id, m->id, sizeof(w->id));
	w->at = 0;
	w->size = m->size;
	w->sum = 0;
	w->spoilt = false;
	w->messages++;
	w->recipients += n;
	if (w->fd == -1) {
		(void)buf_span(&w->out, body);
		put_sum(w, crc32c(0, body.p, body.n));
		went(w);
	}
	return w->out.failed ? -1 : 0;
}

static int
message(struct queue *q, struct export_walk *w, const struct message *m)
{
	struct buf list;
	uint32_t n;
	int rc = 0;

	if (!select_message(&w->pick.select, m, clock_wall_ms()))
		return 0;
	buf_init(&list, TRANSFER_HEAD_MAX - 4096);
	n = choose(q, w, m, &list);
	if (list.failed)
		rc = -1;
	else if (n > 0)
		rc = put_message(q, w, m, n, buf_get(&list));
	buf_free(&list);
	return rc;
}

/* The next piece of a body in a file.  What can't be read is zeros, under a sum
 * that is wrong: the header has announced so many bytes, and who takes it in
 * must not take this one. */
static int
body(struct export_walk *w)
{
	size_t want = w->size - w->at < PIECE ? (size_t)(w->size - w->at) :
	    PIECE;
	char *p = buf_room(&w->out, PIECE);
	ssize_t n;

	if (p == NULL)
		return -1;
	do
		n = w->spoilt ? -1 : pread(w->fd, p, want, (off_t)w->at);
	while (n == -1 && !w->spoilt && errno == EINTR);
	if (n <= 0 && want > 0) {
		if (!w->spoilt)
			unreadable(w, w->id, n == 0 ? "it is too short" :
			    strerror(errno));
		w->spoilt = true;
		memset(p, 0, want);
		n = (ssize_t)want;
	}
	buf_grown(&w->out, (size_t)n);
	w->sum = crc32c(w->sum, p, (size_t)n);
	w->at += (uint64_t)n;
	if (w->at < w->size)
		return 0;
	put_sum(w, w->spoilt ? ~w->sum : w->sum);
	if (!w->spoilt)
		went(w);
	close(w->fd);
	w->fd = -1;
	return w->out.failed ? -1 : 0;
}

/* ---- the walk ---- */

/* Fills w->out.  1: that was all; 0, -1: no memory. */
static int
fill(struct queue *q, struct export_walk *w)
{
	struct message *m;
	int rc = 0;

	if (!w->begun)
		rc = buf_str(&w->out, TRANSFER_BEGIN);
	w->begun = true;
	for (int i = 0; i < ENTRIES && rc == 0 && w->out.len < PIECE; i++) {
		if (w->fd != -1) {
			rc = body(w);
		} else if (!pick_next(q, &w->pick, &m)) {
			char end[TRANSFER_HEADER];

			transfer_put_end(w->messages + 1, end);
			return buf_add(&w->out, end, sizeof(end)) == -1 ? -1 :
			    1;
		} else if (m != NULL) {
			rc = message(q, w, m);
		}
	}
	return rc;
}

static void
finish(struct control_client *c, const struct export_walk *w)
{
	control_answer(c, json_pack("{s:I, s:I, s:I, s:I, s:O, s:O}",
	    "count", (json_int_t)w->messages,
	    "recipients", (json_int_t)w->recipients,
	    "left", (json_int_t)w->left, "busy", (json_int_t)w->busy,
	    "unreadable", w->unreadable, "missing", w->pick.missing));
	control_done(c);
}

static bool
turn(struct queue *q, struct control_client *c, struct walk *walk)
{
	struct export_walk *w = (struct export_walk *)(void *)walk;
	int rc;

	buf_reset(&w->out);
	buf_reset(&w->text);
	rc = fill(q, w);
	if (rc == -1 || base64_put(&w->text, buf_get(&w->out)) == -1) {
		control_error(c, 1, "no memory");
		return true;
	}
	/* An empty one, too: whoever asked hears that it goes on. */
	control_answer(c, json_pack("{s:o, s:O, s:O}", "stream",
	    json_stringn(buf_get(&w->text).p, buf_get(&w->text).n),
	    "ids", w->ids, "parts", w->parts));
	json_array_clear(w->ids);
	json_array_clear(w->parts);
	if (rc == 1)
		finish(c, w);
	return rc == 1;
}

static void
end(struct queue *q, struct walk *walk)
{
	struct export_walk *w = (struct export_walk *)(void *)walk;

	pick_end(q, &w->pick);
	if (w->fd != -1)
		close(w->fd);
	buf_free(&w->out);
	buf_free(&w->text);
	json_decref(w->ids);
	json_decref(w->parts);
	json_decref(w->names);
	json_decref(w->unreadable);
	free(w);
}

void
export_begin(struct queue *q, struct control_client *c, const json_t *request)
{
	struct export_walk *w = calloc(1, sizeof(*w));

	if (w == NULL) {
		control_error(c, 1, "no memory");
		return;
	}
	w->walk = (struct walk){ turn, end };
	w->fd = -1;
	w->ids = json_array();
	w->parts = json_array();
	w->unreadable = json_array();
	buf_init(&w->out, TRANSFER_HEAD_MAX + 4 * PIECE);
	buf_init(&w->text, 2 * (TRANSFER_HEAD_MAX + 4 * PIECE));
	if (pick_begin(q, &w->pick, request) == -1)
		control_error(c, 64, "a selection that is none");
	else if (w->pick.ids == NULL && !w->pick.select.any)
		control_error(c, 64, "which messages?");
	else {
		listing_walk(c, &w->walk);
		return;
	}
	end(q, &w->walk);
}
