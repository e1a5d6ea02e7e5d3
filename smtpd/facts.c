/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* smtpd/facts.c - what is told of a session and its messages: the log and,
 * from the same values, the ledger. */
#include "base/clock.h"
#include "base/log.h"
#include "smtp/received.h"
#include "smtpd/smtpd_priv.h"

#define SLOW_PERIOD_MS	10000u
#define SLOW_MOST	20

static void
send_session_fact(const struct client *c, struct link *ledger)
{
	const struct session *s = &c->session;
	char ip[ADDR_TEXT_SIZE];

	(void)ipc_send_fact_session(ledger, &(struct ipc_fact_session){
	    .out = 0,
	    .time = clock_wall_ms(),
	    .session = span_str(s->id),
	    .domain = SPAN_NONE,
	    .mx = span_str(s->helo),
	    .addr = span_str(addr_ip_text(&s->client, ip)),
	    .reached = (uint8_t)session_reached(s),
	    .how = (uint8_t)session_how(s),
	    .tls = span_str(s->tls.version),
	    .cipher = span_str(s->tls.cipher),
	    .kx = span_str(s->tls.kx),
	    .spki = span_str(s->tls.spki),
	    .resumed = s->tls.resumed,
	    .weak = span_str(s->tls.weak),
	    .not_after = SPAN_NONE,
	    .issuer = SPAN_NONE,
	}, -1);
}

void
facts_met(void *arg)
{
	struct client *c = arg;
	struct link *ledger = role_peer(c->d->env, ROLE_LEDGER);

	if (ledger != NULL)
		send_session_fact(c, ledger);
}

static void
send_delivery_fact(const struct client *c, struct link *ledger,
    const struct session_message *m)
{
	const struct session *s = &c->session;
	uint64_t now = clock_wall_ms();
	struct addr named;
	const struct addr *from = smtpd_intake_origin(s, &named);
	char ip[ADDR_TEXT_SIZE];

	(void)ipc_send_fact_delivery(ledger, &(struct ipc_fact_delivery){
	    .out = 0,
	    .time = now,
	    .id = span_str(m->id),
	    .session = span_str(s->id),
	    .domain = smtp_address_domain(&m->sender),
	    .mx = span_str(from == &named ? s->forward->helo : s->helo),
	    .addr = span_str(addr_ip_text(from, ip)),
	    .asked = LEVEL_NONE,
	    .why = WHY_NONE,
	    .reached = (uint8_t)session_reached(s),
	    .how = (uint8_t)session_how(s),
	    .tls = span_str(s->tls.version),
	    .cipher = span_str(s->tls.cipher),
	    .kx = span_str(s->tls.kx),
	    .weak = span_str(s->tls.weak),
	    .status = SPAN_LIT("accepted"),
	    .dsn = SPAN_LIT("2.0.0"),
	    .recipients = m->nrcpts,
	    .bytes = m->size,
	    .delay = now > m->arrived ? now - m->arrived : 0,
	}, -1);
}

/* Of whom a Postfix has it, there are words only where it has said some. */
#define MESSAGE_KEYS	16
#define FORWARD_KEYS	7

void
facts_accepted(void *arg, const struct session_message *m)
{
	static const struct smtp_xforward unknown;
	struct client *c = arg;
	const struct session *s = &c->session;
	const struct smtp_xforward *x = s->forward != NULL ? s->forward :
	    &unknown;
	struct link *ledger = role_peer(c->d->env, ROLE_LEDGER);
	char ip[ADDR_TEXT_SIZE];

	c->mailed = loop_now(c->d->env->loop);
	log_event(LOG_INFO, "message", (const struct kv[]){
	    KV_S("id", m->id),
	    KV_S("session", s->id),
	    KV_S("client", addr_ip_text(&s->client, ip)),
	    KV_S("helo", s->helo),
	    KV_ADDR("from", span_of(m->sender.text, m->sender.n)),
	    KV_N("rcpts", m->nrcpts),
	    KV_N("size", m->size),
	    KV_S("proto", smtp_protocol(s->ehlo, s->secured,
		m->flags & ENVELOPE_SMTPUTF8)),
	    KV_S("reached", level_name(session_reached(s))),
	    KV_S("how", how_name(session_how(s))),
	    KV_S("tls", s->tls.version),
	    KV_S("cipher", s->tls.cipher),
	    KV_S("kx", s->tls.kx),
	    KV_S("resumed", s->tls.resumed ? "true" : "false"),
	    KV_S("weak", s->tls.weak),
	    KV_S("spki", s->tls.spki),
	    KV_S("xname", x->name),
	    KV_S("xaddr", x->addr),
	    KV_S("xport", x->port),
	    KV_S("xproto", x->proto),
	    KV_S("xhelo", x->helo),
	    KV_S("xident", x->ident),
	    KV_S("xsource", x->source) },
	    s->forward != NULL ? MESSAGE_KEYS + FORWARD_KEYS : MESSAGE_KEYS);
	if (ledger != NULL)
		send_delivery_fact(c, ledger, m);
}

static void
log_client(const struct client *c, const char *event, const char *key,
    struct span value)
{
	const struct session *s = &c->session;
	char ip[ADDR_TEXT_SIZE];

	log_info(event, KV_S("session", s->id),
	    KV_S("client", addr_ip_text(&s->client, ip)),
	    KV_S("helo", s->helo), KV_SPAN(key, value));
}

void
facts_rejected(void *arg, struct span what)
{
	log_client(arg, "rejected", "reason", what);
}

void
facts_abuse(void *arg, const char *kind)
{
	log_client(arg, "protocol-abuse", "kind", span_str(kind));
}

void
facts_handshake_failed(struct client *c, const struct fault *f)
{
	log_client(c, "handshake-failed", "reason", span_str(f->text));
}

/* Thousands at a time when somebody wants it: a few in each period are enough
 * to see who and why. */
void
facts_slow(struct client *c, const char *why)
{
	const struct session *s = &c->session;
	struct smtpd *d = c->d;
	uint64_t now = loop_now(d->env->loop);
	char ip[ADDR_TEXT_SIZE];

	if (now - d->slow_at >= SLOW_PERIOD_MS) {
		d->slow_at = now;
		d->slow_said = 0;
	}
	if (d->slow_said++ >= SLOW_MOST) {
		d->slow_unsaid++;
		return;
	}
	log_info("slow-client", KV_S("session", s->id),
	    KV_S("client", addr_ip_text(&s->client, ip)),
	    KV_S("helo", s->helo), KV_S("why", why),
	    KV_SEC("age", now - c->began), KV_N("unsaid", d->slow_unsaid));
	d->slow_unsaid = 0;
}
