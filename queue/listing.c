/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/listing.c - the control socket: list, show, flush, drop.  Whatever
 * walks over all messages does so 100 entries at a time, between the mail.
 *
 *	{"cmd":"list"}			one line per message
 *	{"cmd":"show","id":ID}		one line, or exit 1
 *	{"cmd":"flush"}			all; or with "id", or "domains":[...]
 *	{"cmd":"drop"}			"id", "domain" or "sender"
 *
 * flush and drop end with {"count":N}. */
#include <stdlib.h>

#include "base/clock.h"
#include "base/hop.h"
#include "base/log.h"
#include "queue/queue_priv.h"

#define ENTRIES		100	/* in one go */

enum walk_kind { WALK_LIST, WALK_FLUSH, WALK_DROP };

struct walk {
	struct index_cursor	 cursor;
	enum walk_kind		 kind;
	json_t			*request;
	size_t			 count;
};

/* ---- a message as JSON ---- */

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

static json_t *
time_json(uint64_t wall)
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

static json_t *
message_json(const struct queue *q, const struct message *m)
{
	json_t *rcpts = json_array();
	uint64_t now = queue_now(q), next = UINT64_MAX;
	bool active = false;

	for (uint32_t i = 0; i < m->nrcpts; i++) {
		const struct rcpt *r = &m->rcpts[i];

		active = active || r->state == RCPT_ACTIVE;
		if (r->state == RCPT_DEFERRED && r->next < next)
			next = r->next;
		(void)json_array_append_new(rcpts, rcpt_json(r));
	}
	return json_pack("{s:s, s:o, s:I, s:o, s:s, s:o, s:o}", "id", m->id,
	    "sender", text(m->sender), "size", (json_int_t)m->size,
	    "arrived", time_json(m->arrived),
	    "state", active ? "active" : "deferred",
	    "next_attempt", active || next == UINT64_MAX ? json_null() :
	    time_json(clock_wall_ms() + (next > now ? next - now : 0)),
	    "recipients", rcpts);
}

/* ---- what a request picks ---- */

static struct span
string_of(const json_t *request, const char *key)
{
	const json_t *v = json_object_get(request, key);

	return v == NULL ? SPAN_NONE :
	    span_of(json_string_value(v), json_string_length(v));
}

static bool
domain_listed(const json_t *domains, struct span domain)
{
	const json_t *v;
	size_t i;

	json_array_foreach(domains, i, v)
		if (json_is_string(v) && span_ieq(domain,
		    span_of(json_string_value(v), json_string_length(v))))
			return true;
	return false;
}

static bool
flush_message(struct queue *q, struct message *m, const json_t *domains)
{
	uint64_t now = queue_now(q);
	bool any = false;

	for (uint32_t i = 0; i < m->nrcpts; i++) {
		struct rcpt *r = &m->rcpts[i];

		if (r->state != RCPT_DEFERRED || (domains != NULL &&
		    !domain_listed(domains, rcpt_domain(r))))
			continue;
		r->next = now;
		any = true;
	}
	if (any)
		store_schedule(q, m);
	return any;
}

static bool
drop_matches(const struct message *m, const json_t *request)
{
	struct span domain = string_of(request, "domain");

	if (json_object_get(request, "sender") != NULL)
		return span_ieq(m->sender, string_of(request, "sender"));
	for (uint32_t i = 0; i < m->nrcpts; i++)
		if (span_ieq(rcpt_domain(&m->rcpts[i]), domain))
			return true;
	return false;
}

static void
drop_message(struct queue *q, struct message *m)
{
	log_warn("dropped", KV_S("id", m->id), KV_ADDR("from", m->sender),
	    KV_N("recipients", m->nopen));
	store_drop(q, m);
}

/* ---- walking ---- */

static void
walk_end(struct queue *q, struct control_client *c)
{
	void **cursor = control_cursor(c);
	struct walk *w = *cursor;

	if (w == NULL)
		return;
	*cursor = NULL;
	index_cursor_end(&q->index, &w->cursor);
	json_decref(w->request);
	free(w);
}

static void
walk_message(struct queue *q, struct control_client *c, struct walk *w,
    struct message *m)
{
	if (m->pending)
		return;
	switch (w->kind) {
	case WALK_LIST:
		control_answer(c, message_json(q, m));
		break;
	case WALK_FLUSH:
		w->count += flush_message(q, m,
		    json_object_get(w->request, "domains"));
		break;
	case WALK_DROP:
		if (drop_matches(m, w->request)) {
			drop_message(q, m);
			w->count++;
		}
		break;
	}
}

static void
listing_more(void *ctx, struct control_client *c)
{
	struct queue *q = ctx;
	struct walk *w = *control_cursor(c);
	struct message *m;

	for (int i = 0; i < ENTRIES && !control_full(c); i++) {
		m = index_cursor_next(&w->cursor);
		if (m != NULL) {
			walk_message(q, c, w, m);
			continue;
		}
		if (w->kind != WALK_LIST)
			control_answer(c, json_pack("{s:I}", "count",
			    (json_int_t)w->count));
		walk_end(q, c);
		control_done(c);
		return;
	}
}

static void
walk_start(struct queue *q, struct control_client *c, const json_t *request,
    enum walk_kind kind)
{
	struct walk *w = calloc(1, sizeof(*w));

	if (w == NULL) {
		control_error(c, 1, "no memory");
		return;
	}
	w->kind = kind;
	w->request = json_deep_copy(request);
	index_cursor_start(&q->index, &w->cursor);
	*control_cursor(c) = w;
}

/* ---- requests ---- */

static struct message *
find(struct queue *q, struct control_client *c, const json_t *request)
{
	struct span id = string_of(request, "id");
	struct message *m = index_find(&q->index, id);

	if (m == NULL || m->pending) {
		control_error(c, 1, "no message with the id %.*s",
		    SPAN_FMT(span_head(id, 64)));
		return NULL;
	}
	return m;
}

static void
count_one(struct control_client *c)
{
	control_answer(c, json_pack("{s:i}", "count", 1));
	control_done(c);
}

static void
do_list(struct queue *q, struct control_client *c, const json_t *request)
{
	walk_start(q, c, request, WALK_LIST);
}

static void
do_show(struct queue *q, struct control_client *c, const json_t *request)
{
	struct message *m = find(q, c, request);

	if (m == NULL)
		return;
	control_answer(c, message_json(q, m));
	control_done(c);
}

static void
do_flush(struct queue *q, struct control_client *c, const json_t *request)
{
	struct message *m;

	site_unblock_all(q);
	if (json_object_get(request, "id") == NULL) {
		walk_start(q, c, request, WALK_FLUSH);
		return;
	}
	m = find(q, c, request);
	if (m == NULL)
		return;
	(void)flush_message(q, m, NULL);
	count_one(c);
}

static void
do_drop(struct queue *q, struct control_client *c, const json_t *request)
{
	struct message *m;

	if (json_object_get(request, "id") == NULL) {
		if (json_is_string(json_object_get(request, "domain")) ||
		    json_is_string(json_object_get(request, "sender")))
			walk_start(q, c, request, WALK_DROP);
		else
			control_error(c, 64, "drop what?");
		return;
	}
	m = find(q, c, request);
	if (m == NULL)
		return;
	drop_message(q, m);
	count_one(c);
}

static const struct {
	const char	*cmd;
	void		(*run)(struct queue *, struct control_client *,
			    const json_t *);
} commands[] = {
	{ "list", do_list },
	{ "show", do_show },
	{ "flush", do_flush },
	{ "drop", do_drop },
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

static void
listing_gone(void *ctx, struct control_client *c)
{
	walk_end(ctx, c);
}

const struct control_ops listing_ops = { listing_request, listing_more,
    listing_gone };
