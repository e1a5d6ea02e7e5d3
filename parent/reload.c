/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* parent/reload.c - SIGHUP: from one configuration to the next in two phases.
 *
 *	load ── prepare: every role makes what may fail ── switch, by waves
 *	  └── an error anywhere: all stay with what they have
 *
 * Until the switch nothing has changed; from then on nothing can fail: a role
 * that does not answer is ended, and starts again under the new one.  Who
 * listens, keeps its socket; who talks to a client, keeps to the configuration
 * that the session began with. */
#include "parent/parent_priv.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"

#define ANSWER_MS	10000

static void	advance(struct parent *);

/* ---- saying it ---- */

static void
say_notes(const struct conf_notes *notes)
{
	for (size_t i = 0; i < notes->n; i++) {
		const struct conf_note *n = &notes->v[i];
		char place[300];

		snprintf(place, sizeof place, "%.250s:%u:%u", n->file, n->line,
		    n->column);
		log_event(n->warning ? LOG_WARN : LOG_ERROR, n->warning ?
		    "reload-warning" : "reload-error", (const struct kv[]){
		    KV_S("place", place), KV_Q("reason", n->text) }, 2);
	}
}

static void
finish(struct parent *p)
{
	generation_free(&p->next);
	p->reload.phase = RELOAD_NONE;
	loop_timer_stop(p->reload.timer);
	notify_say(p, "READY=1");
}

static void
fail(struct parent *p, const char *reason)
{
	const struct ipc_config_switch forget = { .take = 0 };

	log_error("reload-failed", KV_Q("reason", reason));
	for (size_t i = 0; p->reload.phase == RELOAD_PREPARE &&
	    i < p->nchildren; i++)
		if (p->children[i].state == CHILD_READY)
			ipc_send_config_switch(p->children[i].link, &forget, -1);
	finish(p);
	if (p->reload.again)
		reload_begin(p);	/* the file has changed since */
}

/* ---- what a running Sealane cannot change ---- */

static void
refuse(struct conf_notes *notes, const struct conf *next, const char *block,
    const char *key)
{
	struct conf_place at;

	conf_where(next, block, key, NULL, &at);
	conf_error(notes, at, "%s%s%s cannot change while Sealane runs: "
	    "restart it", block, block[0] != '\0' ? "." : "", key);
}

static void
check_fixed(const struct conf *now, const struct conf *next,
    struct conf_notes *notes)
{
	if (strcmp(now->state_directory, next->state_directory) != 0)
		refuse(notes, next, "state", "directory");
	if (strcmp(now->control_directory, next->control_directory) != 0)
		refuse(notes, next, "control", "directory");
	if (now->log_target != next->log_target)
		refuse(notes, next, "log", "target");
	if (now->smtpd_processes != next->smtpd_processes)
		refuse(notes, next, "processes", "smtpd");
	if (now->relay_processes != next->relay_processes)
		refuse(notes, next, "processes", "relay");
	/* Their sandboxes are closed: what a role may open or call was said
	 * at its start. */
	if (strcmp(now->tls.ca_file, next->tls.ca_file) != 0)
		refuse(notes, next, "tls", "ca-file");
	if (!conf_names_socket(now) && conf_names_socket(next))
		conf_error(notes, (struct conf_place){ next->file, 1, 1 },
		    "the first next hop that is a unix socket needs a restart");
}

static bool
same_dns(const struct conf *a, const struct conf *b)
{
	bool same = a->dns.nforward == b->dns.nforward &&
	    strcmp(a->dns.trust_anchor_file, b->dns.trust_anchor_file) == 0 &&
	    strcmp(a->dns.root_hints, b->dns.root_hints) == 0;

	for (size_t i = 0; same && i < a->dns.nforward; i++)
		same = strcmp(a->dns.forward[i], b->dns.forward[i]) == 0;
	return same;
}

/* ---- loading ---- */

static int
load(struct parent *p, struct conf_notes *notes, struct fault *f)
{
	struct generation *g = &p->next;
	struct conf_place at;
	size_t bad = 0;

	if (generation_load(g, p->path, notes, f) == -1)
		return -1;
	check_fixed(p->now.conf, g->conf, notes);
	if (notes->nerrors > 0)
		return -1;
	if (generation_listen(g, &p->now, &bad, f) == 0)
		return 0;
	conf_where(g->conf, "listen", "address", g->conf->listens[bad].label,
	    &at);
	conf_error(notes, at, "%s", f->text);
	return -1;
}

static void
ask(struct child *c)
{
	c->answered = false;
	child_send_config(c, &c->parent->next);
}

void
reload_begin(struct parent *p)
{
	struct conf_notes notes = { 0 };
	struct fault f = { 0 };
	int rc;

	if (p->stage != STAGE_RUNNING)
		return;
	/* `upgrade` may end all this before it is done. */
	p->reload.again = p->reload.phase != RELOAD_NONE || !p->announced ||
	    p->checker != 0;
	if (p->reload.again)
		return;
	notify_reloading(p);
	log_info("reloading", KV_S("file", p->path));
	rc = load(p, &notes, &f);
	say_notes(&notes);
	if (rc == -1) {
		fail(p, notes.nerrors > 0 ? "the configuration has errors" :
		    f.text);
		conf_notes_free(&notes);
		return;
	}
	conf_notes_free(&notes);
	p->next.number = ++p->reload.tried;
	p->reload.phase = RELOAD_PREPARE;
	loop_timer_set(p->reload.timer, ANSWER_MS);
	/* Who is down is not waited for: perhaps it cannot start under what is
	 * in force, and this is the cure. */
	for (size_t i = 0; i < p->nchildren; i++)
		if (p->children[i].state == CHILD_READY)
			ask(&p->children[i]);
	advance(p);
}

/* ---- switching ---- */

static void
start_wave(struct parent *p)
{
	const struct ipc_config_switch take = { .take = 1 };

	loop_timer_set(p->reload.timer, ANSWER_MS);
	for (size_t i = 0; i < p->nchildren; i++) {
		struct child *c = &p->children[i];

		/* One that was started after the switch has it already. */
		if (wiring_wave(c->role) != p->reload.wave ||
		    c->state != CHILD_READY ||
		    c->generation == p->now.number)
			continue;
		c->answered = false;
		ipc_send_config_switch(c->link, &take, -1);
		if (c->role == ROLE_SMTPD)
			generation_send_listeners(&p->now, &p->next, c);
	}
}

/* One after the other: some look-up is always possible. */
static void
renew_next(struct parent *p)
{
	for (size_t i = 0; i < p->nchildren && parent_all_ready(p); i++) {
		struct child *c = &p->children[i];

		if (!c->stale)
			continue;
		c->stale = false;
		child_renew(c);
		return;
	}
}

static void
switched(struct parent *p)
{
	bool dns = !same_dns(p->now.conf, p->next.conf);

	for (size_t i = 0; i < p->nchildren; i++)
		if (p->children[i].role == ROLE_RESOLVER)
			p->children[i].stale = dns;
	log_info("reloaded", KV_N("generation", p->now.number),
	    KV_N("listeners", p->now.conf->nlistens));
	finish(p);
	renew_next(p);
	if (p->reload.again)
		reload_begin(p);
}

static bool
wave_done(const struct parent *p)
{
	for (size_t i = 0; i < p->nchildren; i++) {
		const struct child *c = &p->children[i];

		if (c->state == CHILD_READY && !c->answered &&
		    (p->reload.phase == RELOAD_PREPARE ||
		    wiring_wave(c->role) == p->reload.wave))
			return false;
	}
	return true;
}

static void
begin_switch(struct parent *p)
{
	struct generation old = p->now;

	p->now = p->next;
	p->next = old;
	p->reload.phase = RELOAD_SWITCH;
	p->reload.wave = 0;
	log_open("parent", p->now.conf->log_format);
	tickets_adopt(p);
	start_wave(p);
}

static void
advance(struct parent *p)
{
	while (p->reload.phase != RELOAD_NONE && wave_done(p)) {
		if (p->reload.phase == RELOAD_PREPARE) {
			begin_switch(p);
		} else if (++p->reload.wave < WIRING_WAVES) {
			start_wave(p);
		} else {
			switched(p);
			return;
		}
	}
}

/* ---- what children do meanwhile ---- */

void
reload_answer(struct child *c, const struct ipc_config_done *m)
{
	struct parent *p = c->parent;
	bool preparing = p->reload.phase == RELOAD_PREPARE;
	char reason[400];

	if (p->reload.phase == RELOAD_NONE ||
	    m->generation != p->reload.tried || preparing == m->switched)
		return;
	if (m->error.n > 0 && !preparing) {
		/* From the switch on nothing can fail. */
		child_misbehaved(c, "parent", "it refuses what it had "
		    "agreed to");
		return;
	}
	if (m->error.n > 0) {
		snprintf(reason, sizeof reason, "%s %u: %.*s",
		    role_name(c->role), c->index, SPAN_FMT(m->error));
		fail(p, reason);
		return;
	}
	if (!preparing)
		c->generation = m->generation;
	c->answered = true;
	advance(p);
}

/* Before the switch it starts again under the old configuration, and would be
 * alone with it after. */
void
reload_child_down(struct child *c)
{
	struct parent *p = c->parent;
	char reason[64];

	if (p->reload.phase == RELOAD_PREPARE) {
		snprintf(reason, sizeof reason, "%s %u has died",
		    role_name(c->role), c->index);
		fail(p, reason);
	} else {
		advance(p);
	}
}

void
reload_child_ready(struct child *c)
{
	struct parent *p = c->parent;

	if (p->reload.phase == RELOAD_PREPARE) {
		ask(c);
		return;
	}
	if (c->generation != p->now.number) {
		child_renew(c);		/* it began before the switch */
		return;
	}
	c->answered = true;
	if (p->reload.phase != RELOAD_NONE || !parent_all_ready(p))
		return;
	renew_next(p);
	if (p->reload.again)
		reload_begin(p);
}

/* Who has not switched by now drains under the configuration that it has. */
void
reload_end(struct parent *p)
{
	p->reload.again = false;
	if (p->reload.phase == RELOAD_PREPARE)
		fail(p, "this is the end");
	else if (p->reload.phase == RELOAD_SWITCH)
		finish(p);
}

static void
on_timeout(void *arg)
{
	struct parent *p = arg;

	for (size_t i = 0; i < p->nchildren; i++) {
		struct child *c = &p->children[i];

		if (c->state != CHILD_READY || c->answered ||
		    (p->reload.phase == RELOAD_SWITCH &&
		    wiring_wave(c->role) != p->reload.wave))
			continue;
		log_error("reload-unanswered", KV_S("name", role_name(c->role)),
		    KV_N("instance", c->index));
		if (p->reload.phase == RELOAD_SWITCH)
			child_kill(c);
	}
	if (p->reload.phase == RELOAD_PREPARE)
		fail(p, "not every role has answered in time");
}

int
reload_start(struct parent *p)
{
	p->reload.timer = loop_timer_new(p->loop, on_timeout, p);
	return p->reload.timer == NULL ? -1 : 0;
}
