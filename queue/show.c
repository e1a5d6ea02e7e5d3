/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/show.c - a message and its body for the control socket. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/hop.h"
#include "queue/queue_priv.h"

#define PIECE	49152	/* bytes of a body in one answer; 64 KiB as base64 */

/* Text from outside; what is no UTF-8 shows as '?'. */
static json_t *
text(struct span s)
{
	json_t *j = json_stringn(s.p, s.n);
	char *clean;

	if (j != NULL || (clean = malloc(s.n + 1)) == NULL)
		return j;
	for (size_t i = 0; i < s.n; i++)
		clean[i] = (unsigned char)s.p[i] < 0x80 ? s.p[i] : '?';
	j = json_stringn(clean, s.n);
	free(clean);
	return j;
}

static json_t *
text_or_null(struct span s)
{
	return s.n == 0 ? json_null() : text(s);
}

json_t *
show_time(uint64_t wall)
{
	char when[CLOCK_RFC3339_SIZE];

	clock_rfc3339(wall, 0, when);
	return json_string(when);
}

static json_t *
rcpt_json(const struct rcpt *r)
{
	return json_pack("{s:o, s:s, s:o, s:o, s:i, s:o, s:o}",
	    "address", text(rcpt_address(r)),
	    "state", rcpt_state_name((enum rcpt_state)r->state),
	    "domain", text(rcpt_domain(r)),
	    "site", text_or_null(rcpt_site(r)),
	    "attempts", (int)r->attempts,
	    "reply", text_or_null(rcpt_reply(r)),
	    "asked", r->asked == LEVEL_NONE ? json_null() :
	    json_string(level_name((enum level)r->asked)));
}

json_t *
show_message(const struct queue *q, const struct message *m)
{
	json_t *rcpts = json_array();
	uint64_t now = queue_now(q), next = UINT64_MAX;
	enum rcpt_state state = RCPT_HELD;

	/* One that is active makes the message active, one that is deferred
	 * makes it deferred; held is what has neither. */
	for (uint32_t i = 0; i < m->nrcpts; i++) {
		const struct rcpt *r = &m->rcpts[i];

		if (r->state == RCPT_ACTIVE ||
		    (r->state == RCPT_DEFERRED && state == RCPT_HELD))
			state = (enum rcpt_state)r->state;
		if (r->state == RCPT_DEFERRED && r->next < next)
			next = r->next;
		(void)json_array_append_new(rcpts, rcpt_json(r));
	}
	return json_pack("{s:s, s:o, s:I, s:o, s:s, s:o, s:o}", "id", m->id,
	    "sender", text(message_sender(m)), "size", (json_int_t)m->size,
	    "arrived", show_time(m->arrived),
	    "state", rcpt_state_name(state),
	    "next_attempt", state != RCPT_DEFERRED ? json_null() :
	    show_time(clock_wall_ms() + (next > now ? next - now : 0)),
	    "recipients", rcpts);
}

/* ---- the body ---- */

struct body_walk {
	struct walk	 walk;
	int		 fd;		/* -1: all of it is in `mem` */
	uint64_t	 at, size;
	struct buf	 mem;		/* inline, or the piece read last */
	struct buf	 text;
};

/* The next piece, at most PIECE; -1: it can't be read. */
static int
next_piece(struct body_walk *w, struct span *piece)
{
	size_t want = w->size - w->at < PIECE ? (size_t)(w->size - w->at) :
	    PIECE;
	ssize_t n;
	char *p;

	if (w->fd == -1) {
		*piece = span_head(span_skip(buf_get(&w->mem), (size_t)w->at),
		    want);
		return 0;
	}
	buf_reset(&w->mem);
	p = buf_room(&w->mem, PIECE);
	if (p == NULL)
		return -1;
	do
		n = pread(w->fd, p, want, (off_t)w->at);
	while (n == -1 && errno == EINTR);
	if (n <= 0)
		return -1;
	buf_grown(&w->mem, (size_t)n);
	*piece = buf_get(&w->mem);
	return 0;
}

static bool
body_turn(struct queue *q, struct control_client *c, struct walk *walk)
{
	struct body_walk *w = (struct body_walk *)(void *)walk;
	struct span piece;

	(void)q;
	if (w->at == w->size) {
		control_done(c);
		return true;
	}
	buf_reset(&w->text);
	if (next_piece(w, &piece) == -1 || base64_put(&w->text, piece) == -1) {
		control_error(c, 1, "the body can't be read");
		return true;
	}
	w->at += piece.n;
	control_answer(c, json_pack("{s:o}", "body",
	    json_stringn(buf_get(&w->text).p, buf_get(&w->text).n)));
	return false;
}

static void
body_end(struct queue *q, struct walk *walk)
{
	struct body_walk *w = (struct body_walk *)(void *)walk;

	(void)q;
	if (w->fd != -1)
		close(w->fd);
	buf_free(&w->mem);
	buf_free(&w->text);
	free(w);
}

static void
body_init(struct body_walk *w, int fd, uint64_t from, uint64_t to)
{
	w->walk = (struct walk){ body_turn, body_end };
	w->fd = fd;
	w->at = from;
	w->size = to;
	buf_init(&w->mem, SEGMENT_PAYLOAD_MAX);
	buf_init(&w->text, 2 * PIECE);
}

void
show_file(struct control_client *c, int fd, uint64_t from, uint64_t to)
{
	struct body_walk *w = calloc(1, sizeof(*w));

	if (w == NULL) {
		close(fd);
		control_error(c, 1, "no memory");
		return;
	}
	body_init(w, fd, from, to);
	listing_walk(c, &w->walk);
}

void
show_body(struct queue *q, struct control_client *c, struct message *m)
{
	struct body_walk *w = calloc(1, sizeof(*w));
	struct fault f = { 0 };
	struct span body;

	if (w == NULL) {
		control_error(c, 1, "no memory");
		return;
	}
	body_init(w, -1, 0, m->size);
	/* Inline it is copied: the scratch buffer is everybody's. */
	if (store_body(q, m, &body, &w->fd, &f) == -1 ||
	    buf_span(&w->mem, body) == -1) {
		control_error(c, 1, "%s: %s", m->id, f.text);
		body_end(q, &w->walk);
		return;
	}
	listing_walk(c, &w->walk);
}
