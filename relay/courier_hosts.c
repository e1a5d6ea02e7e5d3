/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/courier_hosts.c - connections of a job: the ladder's next one, until
 * all were tried.  What becomes of one: courier_ends.c. */
#include "relay/courier_priv.h"

#include <stdio.h>

#include "relay/record.h"

static bool	on_address(struct session *, struct dial_target *);
static void	on_missed(struct session *, unsigned, const struct fault *);
static void	on_reached(struct session *, unsigned);

static const struct session_ops session_ops = {
	.address = on_address, .missed = on_missed, .reached = on_reached,
	.resume = courier_on_resume, .ready = courier_on_ready,
	.verdict = courier_on_verdict, .done = courier_on_done,
	.ended = courier_on_ended,
};

const struct outcome_rule courier_unreached = {
	OUTCOME_DEFERRED, true, false, true, "4.4.1",
};

/* ---- troubles ---- */

void
courier_note(struct job *j, const struct hop *h,
    const struct outcome_rule *rule, const char *dsn, const char *text,
    bool is_tls)
{
	/* Failed only if every host said so. */
	if (j->last_text[0] == '\0' || rule->status == OUTCOME_DEFERRED)
		j->last_status = rule->status;
	j->trouble = rule->trouble;
	if (j->last_is_tls && !is_tls)
		return;
	j->last = *h;
	j->last_is_tls = is_tls;
	(void)span_copy(span_str(dsn), j->last_dsn, sizeof(j->last_dsn));
	(void)span_copy(span_str(text), j->last_text, sizeof(j->last_text));
}

void
courier_peer_text(const struct hop *h, char *out, size_t size)
{
	(void)snprintf(out, size, "%s[%s]", h->mx, h->addr);
}

/* ---- connecting ---- */

static void
fill_hop(struct hop *h, const struct job *j)
{
	const struct route_host *host = &j->route.hosts[j->step.host];

	hop_init(h);
	(void)span_copy(span_str(host->name), h->mx, sizeof(h->mx));
	h->local = host->path != NULL;
	if (h->local)
		(void)span_copy(SPAN_LIT("unix"), h->addr, sizeof(h->addr));
	else
		(void)addr_ip_text(&host->addrs[j->step.addr], h->addr);
	h->asked = host->asked;
	h->why = host->why;
	id_make(clock_wall_ms(), h->session);
}

/* RFC 6066 sec 3: no literals. */
static const char *
sni_of(const char *name)
{
	struct addr a;

	return name[0] == '[' || addr_parse_ip(span_str(name), &a) ? "" : name;
}

/* The same for all recipients: it is part of the identity. */
static const struct conf_sending *
sending_of(const struct courier *c, const struct job *j)
{
	return conf_sending_for(c->setup.conf, job_domain(j->rcpts[0].address));
}

static const struct addr *
show_address(struct session *s, unsigned at)
{
	const struct job *j = s->job;
	const struct addr *a = &j->route.hosts[j->step.host].addrs[at];

	(void)addr_ip_text(a, s->hop.addr);
	return a;
}

static bool
on_address(struct session *s, struct dial_target *t)
{
	const struct conf_sending *sending = sending_of(s->courier, s->job);
	struct job *j = s->job;

	if (s->dialled && !ladder_beside(&j->ladder, &j->step))
		return false;
	s->dialled = true;
	t->id = j->step.addr;
	t->to = show_address(s, t->id);
	t->source = t->to->family == 6 ? &sending->source6 : &sending->source4;
	return true;
}

static void
on_missed(struct session *s, unsigned at, const struct fault *f)
{
	(void)f;
	ladder_missed(&s->job->ladder, at);
	(void)show_address(s, at);
}

static void
on_reached(struct session *s, unsigned at)
{
	ladder_reached(&s->job->ladder, at, &s->job->step);
	(void)show_address(s, at);
}

static struct session *
make_session(struct courier *c, struct job *j)
{
	const struct route_host *host = &j->route.hosts[j->step.host];
	struct session_setup setup = {
		.loop = c->setup.loop, .ops = &session_ops,
		.client = c->setup.client, .connect_ms = c->setup.connect_ms,
		.creds = c->setup.creds,
		.reduced = j->step.mode == LADDER_REDUCED,
		.strict = host->asked > LEVEL_ENCRYPTED,
	};
	struct session *s;

	setup.client.name = sending_of(c, j)->ehlo_name;
	setup.client.lmtp = j->route.lmtp;
	/* What goes over a socket of this machine nobody can listen to. */
	setup.client.starttls = j->step.mode != LADDER_CLEAR &&
	    host->path == NULL;
	s = session_new(&setup);
	if (s == NULL)
		return NULL;
	s->fresh = j->step.fresh;
	fill_hop(&s->hop, j);
	/* RFC 7672 sec 8.1: the name that the records stand for. */
	(void)span_copy(span_str(host->base), s->base, sizeof(s->base));
	s->sni = s->base[0] != '\0' ? s->base : sni_of(s->hop.mx);
	s->courier = c;
	s->site = j->route.site;
	s->identity = j->route.identity;
	s->job = j;
	j->session = s;
	c->nsessions++;
	return s;
}

static bool
try_connect(struct courier *c, struct job *j)
{
	const char *path = j->route.hosts[j->step.host].path;
	struct fault f = { .class = FAULT_TEMP, .text = "no memory" };
	struct session *s = make_session(c, j);
	char peer[sizeof(s->hop.mx) + sizeof(s->hop.addr) + 3];
	char text[REPLY_LINE_SIZE];
	struct hop h;

	if (s == NULL) {
		fill_hop(&h, j);
	} else {
		if (session_connect(s, path, &f) == 0)
			return true;
		h = s->hop;
		courier_detach(s);
		c->nsessions--;
		session_close(&s);
	}
	courier_peer_text(&h, peer, sizeof(peer));
	(void)snprintf(text, sizeof(text), "%s: %s", peer, f.text);
	courier_note(j, &h, &courier_unreached, courier_unreached.dsn, text, false);
	return false;
}

void
courier_begin_hosts(struct job *j)
{
	const struct route *r = &j->route;
	unsigned h, a;

	ladder_init(&j->ladder, j->tls_failed_before);
	for (h = 0; h < r->nhosts; h++) {
		for (a = 0; a < r->hosts[h].naddrs; a++)
			ladder_add(&j->ladder, h, a, r->hosts[h].asked);
	}
}

/* All was tried. */
static void
give_up(struct courier *c, struct job *j)
{
	if (j->last_text[0] == '\0') {
		j->last_status = OUTCOME_DEFERRED;
		courier_note(j, &j->last, &courier_unreached, "4.4.4",
		    "no host to deliver to", false);
	}
	j->last_dsn[0] = j->last_status == OUTCOME_DEFERRED ? '4' : '5';
	courier_decide_rest(c, j, j->last_status, j->last_dsn, j->last_text,
	    &j->last);
	courier_finish(c, j);
	courier_pump(c);
}

void
courier_next(struct courier *c, struct job *j)
{
	while (ladder_next(&j->ladder, &j->step)) {
		if (try_connect(c, j))
			return;
		ladder_report(&j->ladder, LADDER_NO_HOST);
	}
	give_up(c, j);
}

void
courier_advance(struct courier *c, struct job *j, enum ladder_trouble t)
{
	ladder_report(&j->ladder, t);
	courier_next(c, j);
}
