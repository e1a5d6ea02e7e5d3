/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/desk.c - see policy/desk.h. */
#include "policy/desk.h"

#include <stdlib.h>

#include "base/control.h"
#include "base/log.h"
#include "policy/desk_peers.h"
#include "policy/prober.h"

#define ENTRIES		100	/* in one go */
#define ALIVE_MS	20000	/* who follows gives up after a minute */

struct desk {
	struct loop		*loop;
	struct watch		*watch;
	struct route_world	*world;
	struct control		*control;
	struct loop_timer	*alive;
	struct control_client	*followers[CONTROL_CLIENTS_MAX];
	unsigned		 nfollowers;
	struct asking {			/* explain, under way */
		struct control_client	*client;	/* NULL: free */
		struct route		*route;
	} asking[CONTROL_CLIENTS_MAX];
};

/* ---- events ---- */

struct walk {			/* a client's cursor */
	uint64_t	since;
	int64_t		id;
	bool		follow;
};

static void
follow(struct desk *d, struct control_client *c)
{
	/* No more clients than places, each here once. */
	d->followers[d->nfollowers++] = c;
	if (!loop_timer_active(d->alive))
		loop_timer_set(d->alive, ALIVE_MS);
}

static void
walk_end(struct control_client *c)
{
	free(*control_cursor(c));
	*control_cursor(c) = NULL;
}

static void
walk_more(void *ctx, struct control_client *c)
{
	struct walk *w = *control_cursor(c);
	struct fault f = { .class = FAULT_NONE };
	struct desk *d = ctx;
	struct finding_row r;
	int rc = 1;

	for (int i = 0; i < ENTRIES && rc == 1 && !control_full(c); i++) {
		rc = findings_next(d->watch->findings, w->since, NULL, &w->id,
		    &r, &f);
		if (rc == 1)
			control_answer(c, finding_json(&r));
	}
	if (rc == 1)
		return;
	if (rc == -1)
		control_error(c, 1, "%s", f.text);
	else if (w->follow)
		follow(d, c);
	else
		control_done(c);
	walk_end(c);
}

static void
do_events(struct desk *d, struct control_client *c, const json_t *request)
{
	struct walk *w = calloc(1, sizeof(*w));
	json_int_t since = json_integer_value(json_object_get(request,
	    "since"));

	(void)d;
	if (w == NULL) {
		control_error(c, 1, "no memory");
		return;
	}
	w->since = since > 0 ? (uint64_t)since : 0;
	w->follow = json_is_true(json_object_get(request, "follow"));
	*control_cursor(c) = w;
}

void
desk_found(struct desk *d, const struct finding_row *r)
{
	for (unsigned i = 0; i < d->nfollowers; i++)
		control_answer(d->followers[i], finding_json(r));
}

static void
on_alive(void *arg)
{
	struct desk *d = arg;

	for (unsigned i = 0; i < d->nfollowers; i++)
		control_answer(d->followers[i], json_pack("{s:b}", "alive", 1));
	if (d->nfollowers > 0)
		loop_timer_set(d->alive, ALIVE_MS);
}

/* ---- the way to the DNS ---- */

static void
do_dns(struct desk *d, struct control_client *c, const json_t *request)
{
	(void)request;
	control_answer(c, prober_json(d->world->prober));
	control_done(c);
}

/* ---- explain ---- */

static void
on_explained(void *arg, const struct route_result *r)
{
	struct asking *a = arg;
	struct control_client *c = a->client;

	*a = (struct asking){ .client = NULL };
	if (r->trace == NULL) {
		control_error(c, 1, "no memory");
		return;
	}
	control_answer(c, json_incref(r->trace));
	control_done(c);
}

static void
do_explain(struct desk *d, struct control_client *c, const json_t *request)
{
	const json_t *domain = json_object_get(request, "domain");
	struct asking *a = d->asking;
	struct route *r;

	if (!json_is_string(domain)) {
		control_error(c, 64, "which domain?");
		return;
	}
	while (a->client != NULL)	/* no more clients than places */
		a++;
	a->client = c;
	r = route_explain(d->world, span_of(json_string_value(domain),
	    json_string_length(domain)), on_explained, a);
	if (r != NULL)
		a->route = r;
}

/* ---- requests ---- */

static const struct {
	const char	*cmd;
	void		(*run)(struct desk *, struct control_client *,
			    const json_t *);
} commands[] = {
	{ "events", do_events },
	{ "dns", do_dns },
	{ "explain", do_explain },
};

static const struct {
	const char	*cmd;
	void		(*run)(struct watch *, struct control_client *,
			    const json_t *);
} of_peers[] = {
	{ "peer", desk_peer },
	{ "forget", desk_forget },
	{ "except", desk_except },
	{ "except-end", desk_except_end },
	{ "exceptions", desk_exceptions },
};

static void
desk_request(void *ctx, struct control_client *c, const json_t *request)
{
	const char *cmd = json_string_value(json_object_get(request, "cmd"));
	struct desk *d = ctx;

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (strcmp(cmd, commands[i].cmd) == 0) {
			commands[i].run(d, c, request);
			return;
		}
	for (size_t i = 0; i < sizeof(of_peers) / sizeof(of_peers[0]); i++)
		if (strcmp(cmd, of_peers[i].cmd) == 0) {
			of_peers[i].run(d->watch, c, request);
			return;
		}
	control_error(c, 64, "unknown command");
}

static void
desk_gone(void *ctx, struct control_client *c)
{
	struct desk *d = ctx;

	walk_end(c);
	for (unsigned i = 0; i < CONTROL_CLIENTS_MAX; i++)
		if (d->asking[i].client == c) {
			route_cancel(&d->asking[i].route);
			d->asking[i].client = NULL;
		}
	for (unsigned i = 0; i < d->nfollowers; i++)
		if (d->followers[i] == c) {
			d->followers[i] = d->followers[--d->nfollowers];
			return;
		}
}

static const struct control_ops desk_ops = { desk_request, walk_more,
    desk_gone };

/* ---- life ---- */

struct desk *
desk_new(struct loop *loop, struct watch *watch, struct route_world *world)
{
	struct desk *d = calloc(1, sizeof(*d));

	if (d == NULL)
		return NULL;
	d->loop = loop;
	d->watch = watch;
	d->world = world;
	d->alive = loop_timer_new(loop, on_alive, d);
	if (d->alive == NULL)
		desk_free(&d);
	return d;
}

void
desk_free(struct desk **dp)
{
	struct desk *d = *dp;

	*dp = NULL;
	if (d == NULL)
		return;
	control_close(&d->control);
	loop_timer_close(&d->alive);
	free(d);
}

void
desk_listen(struct desk *d, int fd)
{
	control_close(&d->control);
	d->control = control_new(d->loop, fd, &desk_ops, d);
	if (d->control == NULL)
		log_error("control-failed", KV_Q("reason", "no memory or "
		    "descriptors for the control socket"));
}
