/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* queue/message.c - see message.h. */
#include "queue/message.h"

#include <assert.h>
#include <stdlib.h>

/* ---- recipients ---- */

struct span
rcpt_address(const struct rcpt *r)
{
	return span_of(r->address, r->address_len);
}

struct span
rcpt_domain(const struct rcpt *r)
{
	return span_skip(rcpt_address(r), r->domain_at);
}

struct span
rcpt_orcpt(const struct rcpt *r)
{
	return span_of(r->address + r->address_len, r->orcpt_len);
}

/* The nth text of the note. */
static struct span
note_text(const struct rcpt *r, unsigned n)
{
	struct span rest = words_text(r->note);

	for (; n > 0; n--)
		(void)span_cut(&rest, '\0');
	return span_cut(&rest, '\0');
}

struct span
rcpt_site(const struct rcpt *r)
{
	return note_text(r, 0);
}

struct span
rcpt_reply(const struct rcpt *r)
{
	return note_text(r, 1);
}

struct span
rcpt_dsn(const struct rcpt *r)
{
	return note_text(r, 2);
}

struct span
rcpt_mx(const struct rcpt *r)
{
	return note_text(r, 3);
}

uint64_t
rcpt_at(const struct rcpt *r)
{
	return r->noted;
}

/* A NUL would end a text early, and make the next ones wrong. */
static struct span
plain(struct span s, size_t max)
{
	s = span_head(s, max);
	return s.n == 0 ? SPAN_NONE : span_head(s, strnlen(s.p, s.n));
}

void
rcpt_note(struct rcpt *r, const struct record_change *c)
{
	const struct span texts[] = { plain(c->site, 255),
	    plain(c->reply, RECORD_REPLY_MAX), plain(c->dsn, RECORD_DSN_MAX),
	    plain(c->mx, 255) };
	char text[2 * 256 + RECORD_REPLY_MAX + RECORD_DSN_MAX + 2], *p = text;
	const struct words *note;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		memcpy(p, texts[i].p, texts[i].n);
		p += texts[i].n;
		*p++ = '\0';
	}
	note = words_get(span_of(text, (size_t)(p - text)));
	if (note == NULL)
		return;		/* only words for people */
	words_put(r->note);
	r->note = note;
	r->noted = c->at;
}

static bool
state_open(uint8_t state)
{
	return state != RCPT_DELIVERED && state != RCPT_FAILED;
}

bool
rcpt_open(const struct rcpt *r)
{
	return state_open(r->state);
}

void
rcpt_change(struct message *m, struct rcpt *r, const struct record_change *c,
    uint64_t next)
{
	if (state_open(r->state) && !state_open(c->state))
		m->nopen--;
	if (!state_open(r->state) && state_open(c->state))
		m->nopen++;
	m->nheld -= r->state == RCPT_HELD;
	m->nheld += c->state == RCPT_HELD;
	r->state = c->state;
	r->phase = PHASE_IDLE;
	r->tls_failed = c->tls_failed;
	r->asked = c->asked;
	r->attempts = c->attempts;
	r->next = next;
	m->ndue -= r->due != DUE_NONE;
	m->ndue += c->due != DUE_NONE;
	r->due = c->due;
	if (c->site.n > 0 || c->reply.n > 0)
		rcpt_note(r, c);
}

/* ---- messages ---- */

static struct span
keep(char **at, struct span s)
{
	struct span kept = span_of(*at, s.n);

	memcpy(*at, s.p, s.n);
	*at += s.n;
	return kept;
}

static void
take_rcpt(struct message *m, struct rcpt *r, char **at,
    const struct record_rcpt *rcpt, const struct record_change *c,
    uint64_t next)
{
	struct span kept = keep(at, rcpt->address);
	size_t i = kept.n;

	r->address = kept.p;
	r->address_len = (uint16_t)kept.n;
	r->orcpt_len = (uint16_t)keep(at, rcpt->orcpt).n;
	r->notify = rcpt->notify;
	while (i > 0 && kept.p[i - 1] != '@')
		i--;
	r->domain_at = (uint16_t)(i == 0 ? kept.n : i);
	r->state = RCPT_FAILED;		/* so that rcpt_change() counts */
	rcpt_change(m, r, c, next);
	if (r->state == RCPT_ACTIVE)
		r->state = RCPT_DEFERRED;	/* what was under way is due */
}

/* Bytes of text that a message keeps. */
static size_t
texts_of(const struct record_message *rec)
{
	size_t n = rec->sender.n + rec->client.n + rec->session.n +
	    rec->envid.n;
	struct span list = rec->rcpts;
	struct record_rcpt rcpt;
	struct record_change c;

	while (record_rcpt(&list, &rcpt, &c) == 1)
		n += rcpt.address.n + rcpt.orcpt.n;
	return n;
}

struct message *
message_new(const struct record_message *rec, uint64_t now_steady,
    uint64_t now_wall)
{
	size_t rcpts = rec->nrcpts * sizeof(struct rcpt);
	struct span list = rec->rcpts;
	struct record_rcpt rcpt;
	struct record_change c;
	struct message *m = calloc(1, sizeof(*m) + rcpts + texts_of(rec));
	char *at;
	uint32_t i = 0;

	if (m == NULL)
		return NULL;
	at = (char *)m->rcpts + rcpts;
	m->refs = 1;
	(void)span_copy(rec->id, m->id, sizeof(m->id));
	m->flags = rec->flags;
	m->envelope = rec->envelope;
	m->arrived = rec->arrived;
	m->size = rec->size;
	m->sum = rec->sum;
	message_running_set(m, rec->running, now_steady);
	m->nrcpts = rec->nrcpts;
	m->sender_len = (uint16_t)keep(&at, rec->sender).n;
	m->client_len = (uint8_t)keep(&at, rec->client).n;
	m->session_len = (uint8_t)keep(&at, rec->session).n;
	m->envid_len = (uint8_t)keep(&at, rec->envid).n;
	while (i < m->nrcpts && record_rcpt(&list, &rcpt, &c) == 1) {
		uint64_t left = c.next > now_wall ? c.next - now_wall : 0;

		take_rcpt(m, &m->rcpts[i++], &at, &rcpt, &c,
		    now_steady + left);
	}
	message_clock(m, now_steady);
	return m;
}

void
message_ref(struct message *m)
{
	m->refs++;
}

void
message_unref(struct message *m)
{
	assert(m->refs > 0);
	if (--m->refs > 0)
		return;
	assert(m->heap_at == 0 && m->grace == NULL && !m->is_placed);
	for (uint32_t i = 0; i < m->nrcpts; i++)
		words_put(m->rcpts[i].note);
	free(m);
}

bool
message_done(const struct message *m)
{
	return m->nopen == 0 && m->ndue == 0;
}

struct span
message_sender(const struct message *m)
{
	return span_of(&m->rcpts[m->nrcpts], m->sender_len);
}

struct span
message_client(const struct message *m)
{
	return span_of(message_sender(m).p + m->sender_len, m->client_len);
}

struct span
message_session(const struct message *m)
{
	return span_of(message_client(m).p + m->client_len, m->session_len);
}

struct span
message_envid(const struct message *m)
{
	return span_of(message_session(m).p + m->session_len, m->envid_len);
}

uint64_t
message_running(const struct message *m, uint64_t now_steady)
{
	return m->stands ? m->clock : now_steady - m->clock;
}

void
message_running_set(struct message *m, uint64_t ms, uint64_t now_steady)
{
	m->clock = m->stands ? ms : now_steady - ms;
}

void
message_clock(struct message *m, uint64_t now_steady)
{
	uint64_t ran = message_running(m, now_steady);

	m->stands = m->nopen > 0 && m->nheld == m->nopen;
	message_running_set(m, ran, now_steady);
}
