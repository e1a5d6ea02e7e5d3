/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* report/log_join.c - see log_join.h. */
#include "report/log_join.h"

#include <stdlib.h>
#include <sys/random.h>

#include "base/siphash.h"
#include "report/log_table.h"
#include "report/log_tls.h"

#define COMBOS_MOST	1024	/* kinds of TLS */

/* A process: what its session is. */
struct process {
	struct log_slot	slot;
	bool		dane;		/* a TLSA record has just matched */
	uint8_t		trust;		/* enum log_trust */
	uint16_t	tls;		/* of combos[]; 0: clear */
	uint64_t	session;	/* 0: none yet */
	uint64_t	peer;		/* hashes; 0: none */
	uint64_t	message;	/* that the session is for */
	uint64_t	failed;		/* message for which STARTTLS failed */
};

struct message {
	struct log_slot	slot;
	bool		accepted;	/* counted as come in */
	bool		by_smtp;
	uint16_t	tls;
	uint64_t	number, session, bytes;
	struct log_marks marks;
	char		host[64], addr[48];
};

struct peer {
	struct log_slot	slot;
	uint64_t	session;	/* the last one to it */
};

struct log_join {
	struct log_sink		 sink;
	struct siphash_key	 key;
	struct log_table	*processes, *messages, *peers;
	struct tls_facts	 combos[COMBOS_MOST];
	uint64_t		 combo_keys[COMBOS_MOST];
	size_t			 ncombos;
	uint64_t		 numbers;	/* given out so far */
	/* Of the line at hand: hashes of machine and message. */
	char			 origin_text[256];
	uint64_t		 origin, message;
	struct log_counts	 counts;
};

struct log_join *
log_join_new(const struct log_sink *sink, size_t most)
{
	struct log_join *j = calloc(1, sizeof *j);

	if (j == NULL)
		return NULL;
	j->sink = *sink;
	if (getrandom(&j->key, sizeof j->key, 0) != sizeof j->key) {
		free(j);
		return NULL;
	}
	tls_facts_clear(&j->combos[0]);
	j->ncombos = 1;
	j->processes = log_table_new(most / 8, sizeof(struct process));
	j->messages = log_table_new(most, sizeof(struct message));
	j->peers = log_table_new(most / 4, sizeof(struct peer));
	if (j->processes == NULL || j->messages == NULL || j->peers == NULL)
		log_join_free(&j);
	return j;
}

void
log_join_free(struct log_join **jp)
{
	if (*jp == NULL)
		return;
	log_table_free(&(*jp)->processes);
	log_table_free(&(*jp)->messages);
	log_table_free(&(*jp)->peers);
	free(*jp);
	*jp = NULL;
}

/* ---- finding ---- */

static uint64_t
hash_of(const struct log_join *j, struct span s)
{
	uint64_t h = siphash(&j->key, s);

	return h == 0 ? 1 : h;
}

/* Logs of several machines may be in one file: numbers and ids are each
 * machine's own. */
static uint64_t
mix(uint64_t a, uint64_t b)
{
	a ^= b + 0x9e3779b97f4a7c15u + (a << 6) + (a >> 2);
	return a == 0 ? 1 : a;
}

/* Most lines are of the machine of the line before. */
static void
look_up(struct log_join *j, const struct log_line *l, const struct log_fact *f)
{
	struct span name = span_head(l->origin, sizeof j->origin_text - 1);

	if (!span_eq(name, span_str(j->origin_text))) {
		(void)span_copy(name, j->origin_text, sizeof j->origin_text);
		j->origin = hash_of(j, name);
	}
	j->message = f->id.n == 0 ? 0 : mix(hash_of(j, f->id), j->origin);
}

/* The same number serves a client and later a server: not at once. */
static uint64_t
process_key(const struct log_join *j, const struct log_fact *f)
{
	return mix(mix(f->pid * 2 + f->out, j->key.k0), j->origin);
}

static struct process *
process_of(struct log_join *j, const struct log_fact *f)
{
	return log_table_put(j->processes, process_key(j, f));
}

static struct message *
message_of(struct log_join *j)
{
	struct message *m = log_table_put(j->messages, j->message);

	if (m->number == 0)
		m->number = ++j->numbers;
	return m;
}

/* One of few kinds: when there are more than anybody has, the last one. */
static uint16_t
combo_of(struct log_join *j, const struct log_fact *f)
{
	uint64_t key;
	size_t i;

	if (!f->has_tls)
		return 0;
	key = mix(mix(hash_of(j, f->version), hash_of(j, f->suite)),
	    f->kx.n == 0 ? 0 : hash_of(j, f->kx));
	for (i = 1; i < j->ncombos; i++)
		if (j->combo_keys[i] == key)
			return (uint16_t)i;
	if (j->ncombos == COMBOS_MOST)
		return COMBOS_MOST - 1;
	log_tls_fill(&j->combos[i], f->version, f->suite, f->kx);
	j->combo_keys[i] = key;
	j->ncombos++;
	return (uint16_t)i;
}

/* ---- telling ---- */

static struct log_hop
hop_of(const struct log_join *j, const struct log_line *l,
    const struct log_fact *f, uint64_t session, uint16_t tls,
    enum log_trust trust)
{
	struct log_hop h = { .time = l->time, .out = f->out, .host = f->host,
	    .addr = f->addr, .session = session, .tls = &j->combos[tls],
	    .level = LEVEL_CLEAR, .how = HOW_NONE };

	if (tls == 0)
		return h;
	/* Who a client is says nothing of the hop's level. */
	if (!f->out)
		trust = LOG_UNTRUSTED;
	h.level = trust == LOG_DANE ? LEVEL_DANE :
	    trust == LOG_VERIFIED ? LEVEL_VERIFIED : LEVEL_ENCRYPTED;
	h.how = trust == LOG_DANE ? HOW_TLSA :
	    trust == LOG_VERIFIED ? HOW_NAME : HOW_OPPORTUNISTIC;
	return h;
}

static uint64_t
begin_session(struct log_join *j, const struct log_line *l,
    const struct log_fact *f, uint16_t tls, enum log_trust trust, enum how how)
{
	struct log_hop h = hop_of(j, l, f, ++j->numbers, tls, trust);
	struct peer *p;

	if (h.level == LEVEL_CLEAR)
		h.how = how;
	j->sink.session(j->sink.ctx, &h);
	if (f->out) {
		p = log_table_put(j->peers, hash_of(j, f->peer));
		p->session = h.session;
	}
	return h.session;
}

/* A connection that was made for another message; it may be older than the
 * log. */
static uint64_t
session_again(struct log_join *j, const struct log_fact *f)
{
	struct peer *p = log_table_put(j->peers, hash_of(j, f->peer));

	if (p->session == 0)
		p->session = ++j->numbers;
	return p->session;
}

/* ---- out ---- */

static void
on_tls(struct log_join *j, const struct log_line *l, const struct log_fact *f)
{
	struct process *p = process_of(j, f);
	enum log_trust trust = f->trust;

	if (f->out)
		j->counts.tls_out++;
	else
		j->counts.tls_in++;
	if (trust == LOG_VERIFIED && p->dane)
		trust = LOG_DANE;
	p->dane = false;
	p->tls = combo_of(j, f);
	p->trust = (uint8_t)trust;
	p->peer = hash_of(j, f->peer);
	p->message = 0;
	p->session = f->reused ? session_again(j, f) :
	    begin_session(j, l, f, p->tls, trust, HOW_NONE);
}

/* A Postfix process serves one message at a time and says when it gets TLS:
 * a next message without such a line has none. */
static void
settle_session(struct log_join *j, const struct log_line *l,
    const struct log_fact *f, struct process *p)
{
	uint64_t message = j->message, peer = hash_of(j, f->peer);
	bool tls = p->tls != 0 && p->peer == peer &&
	    (p->message == 0 || p->message == message);
	bool same = p->session != 0 && p->peer == peer &&
	    p->message == message;

	if (!tls && !same) {
		p->tls = 0;
		p->peer = peer;
		p->session = f->reused ? session_again(j, f) :
		    begin_session(j, l, f, 0, LOG_UNTRUSTED,
		    p->failed == message ? HOW_FAILED : HOW_NONE);
	}
	p->message = message;
}

static void
tell_delivery(struct log_join *j, const struct log_fact *f, struct log_hop *h)
{
	struct message *m = message_of(j);

	h->domain = f->domain;
	h->message = m->number;
	h->marks = &m->marks;
	h->recipients = f->recipients;
	h->bytes = m->bytes;
	j->sink.delivery(j->sink.ctx, h);
}

static void
on_postfix_delivery(struct log_join *j, const struct log_line *l,
    const struct log_fact *f)
{
	struct process *p = process_of(j, f);
	struct log_hop h;

	settle_session(j, l, f, p);
	if (f->kind != LOG_DELIVERY)
		return;
	h = hop_of(j, l, f, p->session, p->tls, f->trust > p->trust ?
	    f->trust : (enum log_trust)p->trust);
	if (p->tls == 0 && p->failed == p->message)
		h.how = HOW_FAILED;
	tell_delivery(j, f, &h);
}

/* Exim has it all in one line; "->" is a further recipient of the "=>" above,
 * which had the same peer. */
static void
on_exim_delivery(struct log_join *j, const struct log_line *l,
    const struct log_fact *f)
{
	uint16_t tls = combo_of(j, f);
	uint64_t session = f->reused || f->again ? session_again(j, f) :
	    begin_session(j, l, f, tls, f->trust, HOW_NONE);
	struct log_hop h = hop_of(j, l, f, session, tls, f->trust);

	j->counts.tls_out += tls != 0;
	tell_delivery(j, f, &h);
}

static void
on_delivery(struct log_join *j, const struct log_line *l,
    const struct log_fact *f)
{
	if (f->exim)
		on_exim_delivery(j, l, f);
	else
		on_postfix_delivery(j, l, f);
}

/* ---- in ---- */

static void
on_connect(struct log_join *j, const struct log_line *l,
    const struct log_fact *f)
{
	struct process *p = process_of(j, f);

	(void)l;
	*p = (struct process){ .slot = p->slot };
}

static void
on_disconnect(struct log_join *j, const struct log_line *l,
    const struct log_fact *f)
{
	struct process *p = process_of(j, f);

	if (p->session == 0 && f->hello)
		p->session = begin_session(j, l, f, 0, LOG_UNTRUSTED,
		    HOW_NONE);
	if (p->tls == 0 && f->starttls)
		j->counts.untold++;
	log_table_remove(j->processes, process_key(j, f));
}

static void
on_message(struct log_join *j, const struct log_line *l,
    const struct log_fact *f)
{
	struct process *p = process_of(j, f);
	struct message *m;

	if (p->session == 0)
		p->session = begin_session(j, l, f, 0, LOG_UNTRUSTED,
		    HOW_NONE);
	/* The first line of any message: an id like it was another's. */
	m = message_of(j);
	*m = (struct message){ .slot = m->slot, .number = ++j->numbers };
	m->by_smtp = true;
	m->session = p->session;
	m->tls = p->tls;
	(void)span_copy(f->host, m->host, sizeof m->host);
	(void)span_copy(f->addr, m->addr, sizeof m->addr);
}

/* Said again at each attempt. */
static void
on_accepted(struct log_join *j, const struct log_line *l,
    const struct log_fact *f)
{
	struct message *m = message_of(j);
	struct log_hop h;

	m->bytes = f->bytes;
	if (!m->by_smtp || m->accepted)
		return;
	m->accepted = true;
	h = hop_of(j, l, f, m->session, m->tls, LOG_UNTRUSTED);
	h.host = span_str(m->host);
	h.addr = span_str(m->addr);
	h.domain = f->domain;
	h.message = m->number;
	h.marks = &m->marks;
	h.recipients = f->recipients;
	h.bytes = f->bytes;
	j->sink.delivery(j->sink.ctx, &h);
}

/* Exim's: messages of one process from one peer came in one session. */
static void
on_received(struct log_join *j, const struct log_line *l,
    const struct log_fact *f)
{
	struct process *p = f->pid == 0 ? NULL : process_of(j, f);
	uint64_t peer = hash_of(j, f->peer), session;
	uint16_t tls = combo_of(j, f);
	struct message *m;
	struct log_hop h;

	if (p != NULL && p->session != 0 && p->peer == peer && p->tls == tls)
		session = p->session;
	else
		session = begin_session(j, l, f, tls, LOG_UNTRUSTED, HOW_NONE);
	if (p != NULL)
		*p = (struct process){ .slot = p->slot, .session = session,
		    .peer = peer, .tls = tls };
	j->counts.tls_in += tls != 0;
	m = message_of(j);
	m->bytes = f->bytes;
	h = hop_of(j, l, f, session, tls, LOG_UNTRUSTED);
	tell_delivery(j, f, &h);
}

/* Postfix uses short ids again. */
static void
on_done(struct log_join *j, const struct log_line *l, const struct log_fact *f)
{
	(void)l, (void)f;
	log_table_remove(j->messages, j->message);
}

/* ---- all ---- */

static void
on_unknown(struct log_join *j, const struct log_line *l,
    const struct log_fact *f)
{
	(void)l, (void)f;
	j->counts.unknown++;
}

static void
on_local(struct log_join *j, const struct log_line *l,
    const struct log_fact *f)
{
	(void)l, (void)f;
	j->counts.local++;
}

static void
on_tls_failed(struct log_join *j, const struct log_line *l,
    const struct log_fact *f)
{
	struct process *p = process_of(j, f);

	(void)l;
	j->counts.failed++;
	p->failed = j->message;
}

static void
on_dane_matched(struct log_join *j, const struct log_line *l,
    const struct log_fact *f)
{
	(void)l;
	process_of(j, f)->dane = true;
}

void
log_join_fact(struct log_join *j, const struct log_line *l,
    const struct log_fact *f)
{
	static void (*const on[])(struct log_join *, const struct log_line *,
	    const struct log_fact *) = {
		[LOG_UNKNOWN] = on_unknown, [LOG_CONNECT] = on_connect,
		[LOG_DISCONNECT] = on_disconnect, [LOG_TLS] = on_tls,
		[LOG_TLS_FAILED] = on_tls_failed,
		[LOG_DANE_MATCHED] = on_dane_matched,
		[LOG_MESSAGE] = on_message, [LOG_ACCEPTED] = on_accepted,
		[LOG_RECEIVED] = on_received, [LOG_DELIVERY] = on_delivery,
		[LOG_DEFERRED] = on_delivery, [LOG_LOCAL] = on_local,
		[LOG_DONE] = on_done,
	};

	if (f->kind == LOG_NOTHING)
		return;
	look_up(j, l, f);
	on[f->kind](j, l, f);
}

struct log_counts
log_join_counts(const struct log_join *j)
{
	struct log_counts c = j->counts;

	c.forgotten = log_table_lost(j->processes) +
	    log_table_lost(j->messages);
	return c;
}
