/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/listing.c - the control socket: requests, and walks over many
 * messages, which go on ENTRIES at a time, between the mail.
 *
 *	{"cmd":"list"}			a line per message
 *	{"cmd":"show","id":ID}		one line, or exit 1
 *	{"cmd":"body","id":ID}		{"body":"base64"}, as many as it takes
 *	{"cmd":"damaged"}		a line per bad place in a damaged file
 *	{"cmd":"damaged-show","name":FILE, "offset":N, "length":N}
 *	{"cmd":"damaged-forget","name":FILE}
 *	{"cmd":"export"}		queue/export.c
 *	{"cmd":"import"}		queue/import.c
 *	{"cmd":"flush"}			hold, release, drop, bounce
 *
 * list and flush take all messages, the others those that they are told: by
 * "ids":[...] or by what queue/select.h has, and both is "and".  What changes
 * something ends with {"count":messages, "recipients":N, "busy":N,
 * "missing":[ids]}; while it takes long it says {"progress":messages}. */
#include <stdlib.h>

#include "base/clock.h"
#include "queue/queue_priv.h"
#include "queue/verify.h"

#define ENTRIES		100	/* in one go */
#define BOUNCES		10	/* a bounce reads and writes a message */
#define PROGRESS_MS	5000

/* ---- walks ---- */

void
listing_walk(struct control_client *c, struct walk *w)
{
	*control_cursor(c) = w;
}

static void
walk_end(struct queue *q, struct control_client *c)
{
	void **cursor = control_cursor(c);
	struct walk *w = *cursor;

	*cursor = NULL;
	if (w != NULL)
		w->end(q, w);
}

static void
listing_more(void *ctx, struct control_client *c)
{
	struct walk *w = *control_cursor(c);

	if (w->turn(ctx, c, w))
		walk_end(ctx, c);
}

static void
listing_gone(void *ctx, struct control_client *c)
{
	walk_end(ctx, c);
	import_gone(ctx, c);
}

/* ---- over what is picked ---- */

struct pick_walk {
	struct walk		 walk;
	struct pick		 pick;
	bool			 list;		/* else: */
	enum operation		 op;
	struct operated		 done;
	uint64_t		 said;		/* something, steady ms */
};

static bool
picked(const struct select *s, const struct message *m)
{
	if (!select_message(s, m, clock_wall_ms()))
		return false;
	for (uint32_t i = 0; i < m->nrcpts; i++)
		if (select_rcpt(s, &m->rcpts[i]))
			return true;
	return false;
}

static void
pick_answer(struct queue *q, struct control_client *c, struct pick_walk *w)
{
	if (!w->list || json_array_size(w->pick.missing) > 0)
		control_answer(c, json_pack("{s:I, s:I, s:I, s:O}", "count",
		    (json_int_t)w->done.messages, "recipients",
		    (json_int_t)w->done.recipients, "busy",
		    (json_int_t)w->done.busy, "missing",
		    w->pick.missing));
	control_done(c);
	queue_wake(q);
}

static bool
pick_turn(struct queue *q, struct control_client *c, struct walk *walk)
{
	struct pick_walk *w = (struct pick_walk *)(void *)walk;
	int most = !w->list && w->op == OPERATE_BOUNCE ? BOUNCES : ENTRIES;
	struct message *m;

	for (int i = 0; i < most && !control_full(c); i++) {
		if (!pick_next(q, &w->pick, &m)) {
			pick_answer(q, c, w);
			return true;
		}
		if (m == NULL)
			continue;
		if (!w->list) {
			operate(q, m, w->op, &w->pick.select, &w->done);
		} else if (picked(&w->pick.select, m)) {
			control_answer(c, show_message(q, m));
			w->said = queue_now(q);
		}
	}
	/* Whoever asked does not wait for ever without a word. */
	if (queue_now(q) - w->said > PROGRESS_MS) {
		control_answer(c, json_pack("{s:I}", "progress",
		    (json_int_t)w->done.messages));
		w->said = queue_now(q);
	}
	return false;
}

static void
pick_walk_end(struct queue *q, struct walk *walk)
{
	struct pick_walk *w = (struct pick_walk *)(void *)walk;

	pick_end(q, &w->pick);
	free(w);
}

static void
pick(struct queue *q, struct control_client *c, const json_t *request,
    bool list, enum operation op)
{
	struct pick_walk *w = calloc(1, sizeof(*w));

	if (w == NULL) {
		control_error(c, 1, "no memory");
		return;
	}
	w->walk = (struct walk){ pick_turn, pick_walk_end };
	w->list = list;
	w->op = op;
	w->said = queue_now(q);
	if (pick_begin(q, &w->pick, request) == -1)
		control_error(c, 64, "a selection that is none");
	else if (!list && op != OPERATE_FLUSH && w->pick.ids == NULL &&
	    !w->pick.select.any)
		control_error(c, 64, "which messages?");
	else {
		listing_walk(c, &w->walk);
		return;
	}
	pick_walk_end(q, &w->walk);
}

/* ---- requests ---- */

static struct message *
find(struct queue *q, struct control_client *c, const json_t *request)
{
	const json_t *v = json_object_get(request, "id");
	struct span id = json_is_string(v) ? span_of(json_string_value(v),
	    json_string_length(v)) : SPAN_NONE;
	struct message *m = index_find(&q->index, id);

	if (m == NULL || m->pending) {
		control_error(c, 1, "no message with the id %.*s",
		    SPAN_FMT(span_head(id, 64)));
		return NULL;
	}
	return m;
}

static void
do_show(struct queue *q, struct control_client *c, const json_t *request)
{
	struct message *m = find(q, c, request);

	if (m == NULL)
		return;
	control_answer(c, show_message(q, m));
	control_done(c);
}

static void
do_body(struct queue *q, struct control_client *c, const json_t *request)
{
	struct message *m = find(q, c, request);

	if (m != NULL)
		show_body(q, c, m);
}

static void
do_list(struct queue *q, struct control_client *c, const json_t *request)
{
	pick(q, c, request, true, OPERATE_FLUSH);
}

static void
do_flush(struct queue *q, struct control_client *c, const json_t *request)
{
	site_unblock_all(q);
	verify_forget_misses(q);
	pick(q, c, request, false, OPERATE_FLUSH);
}

static void
do_hold(struct queue *q, struct control_client *c, const json_t *request)
{
	pick(q, c, request, false, OPERATE_HOLD);
}

static void
do_release(struct queue *q, struct control_client *c, const json_t *request)
{
	pick(q, c, request, false, OPERATE_RELEASE);
}

static void
do_drop(struct queue *q, struct control_client *c, const json_t *request)
{
	pick(q, c, request, false, OPERATE_DROP);
}

static void
do_bounce(struct queue *q, struct control_client *c, const json_t *request)
{
	pick(q, c, request, false, OPERATE_BOUNCE);
}

static const struct {
	const char	*cmd;
	void		(*run)(struct queue *, struct control_client *,
			    const json_t *);
} commands[] = {
	{ "list", do_list },
	{ "show", do_show },
	{ "body", do_body },
	{ "flush", do_flush },
	{ "hold", do_hold },
	{ "release", do_release },
	{ "drop", do_drop },
	{ "bounce", do_bounce },
	{ "export", export_begin },
	{ "import", import_request },
	{ "damaged", damaged_list },
	{ "damaged-show", damaged_show },
	{ "damaged-forget", damaged_forget },
};

static void
listing_request(void *ctx, struct control_client *c, const json_t *request)
{
	const char *cmd = json_string_value(json_object_get(request, "cmd"));

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(cmd, commands[i].cmd) == 0) {
			commands[i].run(ctx, c, request);
			return;
		}
	control_error(c, 64, "unknown command");
}

const struct control_ops listing_ops = { listing_request, listing_more,
    listing_gone };
