/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/import.c - messages from a stream (queue/transfer.h), as export.c makes
 * it.
 *
 *	{"cmd":"import","data":"base64"}	the next bytes of it
 *	{"cmd":"import","eof":true}		there are no more
 *
 * all over one connection.  Each answer may have lines {"number":N, "id":ID,
 * "refused":why} before its end; the last one has {"count":messages,
 * "recipients":N, "known":messages, "refused":messages, "complete":bool} and
 * comes when all that counts is durable.
 *
 * A message keeps its id.  One that is here already, with the same sender, time,
 * size and recipients, is known and not taken again, so an import that was
 * interrupted is simply run again; and nothing leaves before it is released,
 * because all that comes is held.  docs/decisions/0012-export.md. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/log.h"
#include "queue/queue_priv.h"
#include "queue/transfer.h"

#define DATA_MAX	(48u * 1024)	/* of a request */
#define WAITING_MOST	500	/* commits on their way before an answer waits */

/* A message that the spool works on. */
struct arrival {
	LIST_ENTRY(arrival)	 link;
	struct import		*import;
	struct message		*message;
	uint64_t		 number;	/* in the stream */
	struct buf		 head;		/* its record, for one in a file */
	uint32_t		 sum;
};

struct import {
	LIST_ENTRY(import)	 link;
	struct queue		*queue;
	struct control_client	*client;	/* NULL: it is gone */
	struct transfer		 in;
	struct buf		 data;		/* scratch: a request's bytes */
	LIST_HEAD(, arrival)	 arrivals;
	unsigned		 waiting;	/* of those */
	bool			 owed;		/* an answer */
	bool			 eof, complete;
	const char		*lost;		/* the stream can't be read on */
	char			 why[400];	/* this machine can't take it */
	json_t			*refused;	/* lines for the next answer */
	uint64_t		 messages, recipients, known, nrefused;
	/* the message whose body comes just now */
	bool			 taking;
	int			 fd;		/* -1: */
	struct buf		 body;
};

/* ---- the life of one ---- */

static struct import *
find(struct queue *q, const struct control_client *c)
{
	struct import *im;

	LIST_FOREACH(im, &q->imports, link)
		if (im->client == c)
			return im;
	return NULL;
}

static struct import *
begin(struct queue *q, struct control_client *c)
{
	struct import *im = calloc(1, sizeof(*im));

	if (im == NULL)
		return NULL;
	im->queue = q;
	im->client = c;
	im->fd = -1;
	im->refused = json_array();
	LIST_INIT(&im->arrivals);
	transfer_init(&im->in);
	buf_init(&im->data, DATA_MAX);
	buf_init(&im->body, TRANSFER_INLINE_MAX);
	LIST_INSERT_HEAD(&q->imports, im, link);
	return im;
}

/* What came of a message whose end did not come. */
static void
drop_body(struct import *im)
{
	if (im->fd != -1)
		close(im->fd);
	im->fd = -1;
	im->taking = false;
	buf_reset(&im->body);
}

static void
arrival_free(struct arrival *a)
{
	LIST_REMOVE(a, link);
	a->import->waiting--;
	buf_free(&a->head);
	free(a);
}

static void
finish(struct import *im)
{
	LIST_REMOVE(im, link);
	while (!LIST_EMPTY(&im->arrivals))
		arrival_free(LIST_FIRST(&im->arrivals));
	drop_body(im);
	transfer_free(&im->in);
	buf_free(&im->data);
	buf_free(&im->body);
	json_decref(im->refused);
	free(im);
}

/* ---- answers ---- */

static void
say_refused(struct import *im)
{
	json_t *line;
	size_t i;

	json_array_foreach(im->refused, i, line)
		control_answer(im->client, json_incref(line));
	json_array_clear(im->refused);
}

static void
answer_end(struct import *im)
{
	struct control_client *c = im->client;

	control_answer(c, json_pack("{s:I, s:I, s:I, s:I, s:b}",
	    "count", (json_int_t)im->messages,
	    "recipients", (json_int_t)im->recipients,
	    "known", (json_int_t)im->known,
	    "refused", (json_int_t)im->nrefused, "complete",
	    (int)im->complete));
	if (im->lost != NULL)
		control_error(c, 1, "behind message %llu the stream can't be "
		    "read: %s", (unsigned long long)im->in.number, im->lost);
	else if (im->why[0] != '\0')
		control_error(c, 1, "%s", im->why);
	else
		control_done(c);
	finish(im);
}

/* After whatever happened: is an answer due?  The import may be gone then. */
static void
go_on(struct import *im)
{
	bool ends = im->eof || im->lost != NULL || im->why[0] != '\0';

	if (im->client == NULL) {
		if (im->waiting == 0)
			finish(im);
		return;
	}
	if (!im->owed || im->waiting > (ends ? 0 : WAITING_MOST))
		return;
	im->owed = false;
	say_refused(im);
	if (ends)
		answer_end(im);
	else
		control_done(im->client);
}

static void
refuse(struct import *im, uint64_t number, struct span id, const char *why)
{
	char known[ID_SIZE];

	(void)span_copy(id, known, sizeof(known));
	log_warn("import-refused", KV_N("number", number), KV_S("id", known),
	    KV_Q("reason", why));
	im->nrefused++;
	(void)json_array_append_new(im->refused, json_pack("{s:I, s:s, s:s}",
	    "number", (json_int_t)number, "id", known, "refused", why));
}

/* ---- into the spool ---- */

static void
came(void *arg, const struct fault *f)
{
	struct arrival *a = arg;
	struct import *im = a->import;
	struct queue *q = im->queue;
	struct message *m = a->message;

	if (f != NULL) {
		store_forget_file(q, m);
		refuse(im, a->number, span_str(m->id), f->text);
		index_remove(&q->index, m);
	} else {
		m->pending = false;
		im->messages++;
		im->recipients += m->nrcpts;
		log_info("imported", KV_S("id", m->id),
		    KV_ADDR("from", message_sender(m)),
		    KV_N("recipients", m->nrcpts), KV_N("size", m->size));
		store_schedule(q, m);
	}
	arrival_free(a);
	go_on(im);
}

static int
enter_log(struct arrival *a, struct span head, struct span body,
    struct fault *f)
{
	struct queue *q = a->import->queue;
	struct place place;

	if (spool_commit(q->spool, head, body, &place, came, a, f) == -1)
		return -1;
	index_place(&q->index, a->message, place);
	return 0;
}

static void
file_kept(void *arg, uint32_t sum, const struct fault *f)
{
	struct arrival *a = arg;
	struct fault mine = { 0 };

	if (f == NULL && sum != a->sum)
		fault_set(&mine, FAULT_TEMP, 451, "4.3.0",
		    "its body changed on the way to the disk");
	else if (f == NULL && enter_log(a, buf_get(&a->head), SPAN_NONE,
	    &mine) == 0)
		return;
	came(a, f != NULL ? f : &mine);
}

static struct arrival *
arrival_new(struct import *im, struct fault *f)
{
	struct queue *q = im->queue;
	struct arrival *a = calloc(1, sizeof(*a));

	fault_set(f, FAULT_TEMP, 451, "4.3.0", "no memory");
	if (a == NULL)
		return NULL;
	a->message = message_new(&im->in.message, queue_now(q),
	    clock_wall_ms());
	if (a->message == NULL) {
		free(a);
		return NULL;
	}
	if (index_add(&q->index, a->message) == -1) {
		message_unref(a->message);
		free(a);
		return NULL;
	}
	a->message->pending = true;
	a->import = im;
	a->number = im->in.number;
	a->sum = im->in.message.sum;
	buf_init(&a->head, TRANSFER_HEAD_MAX);
	LIST_INSERT_HEAD(&im->arrivals, a, link);
	im->waiting++;
	return a;
}

/* The whole message is there. */
static void
take_in(struct import *im)
{
	struct span head = buf_get(&im->in.head);
	struct fault f = { 0 };
	struct arrival *a = arrival_new(im, &f);
	int fd = im->fd, rc = -1;

	if (a == NULL) {
		refuse(im, im->in.number, im->in.message.id, f.text);
		drop_body(im);
		return;
	}
	im->fd = -1;
	if (fd == -1) {
		rc = enter_log(a, head, buf_get(&im->body), &f);
	} else if (buf_span(&a->head, head) == -1) {
		close(fd);
		fault_set(&f, FAULT_TEMP, 451, "4.3.0", "no memory");
	} else {
		rc = spool_file_keep(im->queue->spool, fd,
		    span_str(a->message->id), a->message->size, file_kept, a,
		    &f);
	}
	drop_body(im);
	if (rc == 0)
		return;
	refuse(im, a->number, span_str(a->message->id), f.text);
	index_remove(&im->queue->index, a->message);
	arrival_free(a);
}

/* ---- one that begins ---- */

static bool
has_address(const struct message *m, struct span address)
{
	for (uint32_t i = 0; i < m->nrcpts; i++)
		if (span_eq(rcpt_address(&m->rcpts[i]), address))
			return true;
	return false;
}

/* All that comes is in what is here. */
static bool
same(const struct message *m, const struct record_message *rec)
{
	struct span list = rec->rcpts;
	struct record_rcpt r;
	struct record_change c;

	if (m->arrived != rec->arrived || m->size != rec->size ||
	    !span_eq(message_sender(m), rec->sender))
		return false;
	while (record_rcpt(&list, &r, &c) == 1)
		if (!has_address(m, r.address))
			return false;
	return true;
}

static void
message(struct import *im)
{
	struct queue *q = im->queue;
	const struct record_message *rec = &im->in.message;
	const struct message *here = index_find(&q->index, rec->id);
	struct fault f = { 0 };

	if (here != NULL) {
		/* What is under way may yet fail. */
		if (here->pending)
			refuse(im, im->in.number, rec->id, "it is being "
			    "taken in at this moment: import again");
		else if (same(here, rec))
			im->known++;
		else
			refuse(im, im->in.number, rec->id, "another message, "
			    "or other recipients of it, have this id here");
		return;
	}
	if (spool_full(q->spool)) {
		(void)span_copy(SPAN_LIT("the disk is below its reserve"),
		    im->why, sizeof(im->why));
		return;
	}
	if ((rec->flags & RECORD_IN_FILE) != 0) {
		im->fd = spool_file_new(q->spool, &f);
		if (im->fd == -1) {
			(void)span_copy(span_str(f.text), im->why,
			    sizeof(im->why));
			return;
		}
	}
	im->taking = true;
}

static void
piece(struct import *im, struct span bytes)
{
	ssize_t n;

	if (!im->taking)
		return;
	if (im->fd == -1) {
		if (buf_span(&im->body, bytes) == -1)
			(void)span_copy(SPAN_LIT("no memory"), im->why,
			    sizeof(im->why));
		return;
	}
	while (bytes.n > 0) {
		n = write(im->fd, bytes.p, bytes.n);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0) {
			(void)span_copy(span_str(n == 0 ? "a short write" :
			    strerror(errno)), im->why, sizeof(im->why));
			return;
		}
		bytes = span_skip(bytes, (size_t)n);
	}
}

/* ---- the stream ---- */

static void
feed(struct import *im, struct span data)
{
	struct span bytes = SPAN_NONE;
	enum transfer_step step;

	do {
		step = transfer_next(&im->in, &data, &bytes);
		switch (step) {
		case TRANSFER_MESSAGE:
			message(im);
			break;
		case TRANSFER_BODY:
			piece(im, bytes);
			break;
		case TRANSFER_WHOLE:
			if (im->taking)
				take_in(im);
			break;
		case TRANSFER_SPOILT:
			drop_body(im);
			refuse(im, im->in.number, im->in.message.id,
			    im->in.why);
			break;
		case TRANSFER_END:
			im->complete = true;
			break;
		case TRANSFER_LOST:
			im->lost = im->in.why;
			im->complete = false;
			break;
		case TRANSFER_WANTS:
			break;
		}
	} while (step != TRANSFER_WANTS && step != TRANSFER_LOST &&
	    im->why[0] == '\0');
}

void
import_request(struct queue *q, struct control_client *c,
    const json_t *request)
{
	const json_t *data = json_object_get(request, "data");
	struct import *im = find(q, c);

	if (im == NULL)
		im = begin(q, c);
	if (im == NULL) {
		control_error(c, 1, "no memory");
		return;
	}
	im->owed = true;
	if (json_is_true(json_object_get(request, "eof"))) {
		im->eof = true;
	} else {
		buf_reset(&im->data);
		if (!json_is_string(data) || base64_get(&im->data,
		    span_of(json_string_value(data),
		    json_string_length(data))) == -1)
			(void)span_copy(SPAN_LIT("the data of a request are "
			    "none"), im->why, sizeof(im->why));
		else
			feed(im, buf_get(&im->data));
	}
	go_on(im);
}

void
import_gone(struct queue *q, struct control_client *c)
{
	struct import *im = find(q, c);

	if (im == NULL)
		return;
	im->client = NULL;
	drop_body(im);
	go_on(im);
}

void
import_free_all(struct queue *q)
{
	while (!LIST_EMPTY(&q->imports))
		finish(LIST_FIRST(&q->imports));
}
