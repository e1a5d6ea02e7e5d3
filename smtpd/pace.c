/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtpd/pace.c - clients that are too slow, looked at once a second.
 *
 * RFC 5321 sec 4.5.3.2.7 gives a client five minutes for each command, and so
 * anybody hours for nothing.  Here a whole session has an end, a body a least
 * rate, and when most places are taken, those who do nothing with theirs have
 * to make room: a busy server may do that (RFC 5321 sec 3.8). */
#include "smtpd/smtpd_priv.h"

#define SWEEP_MS	1000
#define RATE_MS		60000u		/* the least rate is an average over it */
#define CROWD_MS	10000u		/* when places are short: without progress, */
#define CROWD_BODY_MS	30000u		/* in a body, */
#define CROWD_MAIL_MS	60000u		/* and without a message */

void
pace_touch(struct client *c, uint64_t ms)
{
	c->progress = c->session.progress;
	c->touched = loop_now(c->d->env->loop);
	c->deadline = c->touched + ms;
}

static bool
in_body(const struct client *c)
{
	return (c->session.state & (ST_DATA | ST_CHUNK)) != 0;
}

/* Three quarters of all places are taken. */
static bool
places_short(const struct smtpd *d)
{
	return 4 * (d->nclients + channel_lingering()) >= 3 * d->most;
}

static void
rate_begin(struct client *c, uint64_t now)
{
	c->rate_at = now;
	c->rate_taken = c->session.taken;
}

/* Looks at the last minute, at its end. */
static bool
too_slow(struct client *c, uint64_t now)
{
	uint64_t least = (uint64_t)c->d->env->conf->limits.min_rate *
	    (RATE_MS / 1000);
	bool slow = false;

	if (!in_body(c))
		c->rate_at = 0;
	else if (c->rate_at == 0)
		rate_begin(c, now);
	else if (now - c->rate_at >= RATE_MS) {
		slow = c->session.taken - c->rate_taken < least;
		rate_begin(c, now);
	}
	return slow;
}

/* Of no use to us, where others could be. */
static bool
in_the_way(const struct client *c, uint64_t now)
{
	uint64_t idle = now - c->touched;

	if (!c->limited || !places_short(c->d))
		return false;
	if (in_body(c))
		return idle >= CROWD_BODY_MS;
	return idle >= CROWD_MS || now - c->mailed >= CROWD_MAIL_MS;
}

static const char *
why_end(struct client *c, uint64_t now)
{
	if (now >= c->deadline)
		return "idle";
	if (now - c->began >= c->d->env->conf->limits.session_time)
		return "session-time";
	if (too_slow(c, now))
		return "rate";
	return in_the_way(c, now) ? "crowd" : NULL;
}

static void
look(struct client *c, uint64_t now)
{
	const char *why;
	struct fault f;

	if (c->handshaking) {
		if (now < c->deadline)
			return;
		fault_set(&f, FAULT_TEMP, 0, "4.7.0", "handshake timed out");
		smtpd_client_unsecured(c, &f);
	} else if (session_owes(&c->session)) {
		pace_touch(c, session_patience(&c->session));	/* it is us who are slow */
		c->rate_at = 0;
	} else if ((why = why_end(c, now)) != NULL) {
		facts_slow(c, why);
		session_timeout(&c->session);
		smtpd_client_run(c);
	}
}

static void
on_sweep(void *arg)
{
	struct smtpd *d = arg;
	uint64_t now = loop_now(d->env->loop);

	loop_timer_set(d->sweep, SWEEP_MS);
	for (unsigned i = 0; i < CLIENT_SLOTS_MAX; i++)
		/* Without a channel: it has left, and a commit is open. */
		if (d->clients[i] != NULL && d->clients[i]->ch != NULL)
			look(d->clients[i], now);
}

int
pace_start(struct smtpd *d)
{
	d->sweep = loop_timer_new(d->env->loop, on_sweep, d);
	if (d->sweep == NULL)
		return -1;
	loop_timer_set(d->sweep, SWEEP_MS);
	return 0;
}

void
pace_stop(struct smtpd *d)
{
	loop_timer_close(&d->sweep);
}
