/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/facts.c - see facts.h. */
#include "relay/facts.h"

#include "relay/record.h"

void
facts_session(struct link *ledger, const struct job *j, const struct session *s)
{
	char not_after[24] = "", issuer[256] = "";
	struct ipc_fact_session m = {
		.out = 1, .time = clock_wall_ms(),
		.session = span_str(s->hop.session),
		.domain = span_str(j->route.domain != NULL ? j->route.domain :
		    ""),
		.mx = span_str(s->hop.mx), .addr = span_str(s->hop.addr),
		.reached = (uint8_t)s->level, .how = (uint8_t)s->hop.how,
		.tls = span_str(s->hop.tls.version),
		.cipher = span_str(s->hop.tls.cipher), .kx = span_str(s->hop.tls.kx),
		.spki = span_str(s->hop.tls.spki), .resumed = s->hop.tls.resumed,
		.weak = span_str(s->hop.tls.weak),
	};

	if (s->client.is_tls) {
		channel_peer_cert(s->channel, not_after, issuer,
		    sizeof(issuer));
		record_peer_cert(s, not_after, issuer);
	}
	m.not_after = span_str(not_after);
	m.issuer = span_str(issuer);
	if (ledger != NULL && !s->hop.local)
		(void)ipc_send_fact_session(ledger, &m, -1);
}

void
facts_retried(struct link *ledger, const struct job *j, const struct session *s,
    enum how how)
{
	const struct ipc_fact_session m = {
		.out = 1, .time = clock_wall_ms(),
		.session = span_str(s->hop.session),
		.domain = span_str(j->route.domain != NULL ? j->route.domain :
		    ""),
		.mx = span_str(s->hop.mx), .addr = span_str(s->hop.addr),
		.reached = LEVEL_NONE, .how = (uint8_t)how,
		.tls = SPAN_LIT("none"), .cipher = SPAN_LIT("none"),
		.kx = SPAN_LIT("none"), .spki = SPAN_LIT("none"),
		.weak = SPAN_LIT("none"),
	};

	if (ledger != NULL)
		(void)ipc_send_fact_session(ledger, &m, -1);
}

void
facts_delivery(struct link *ledger, const struct job *j, const struct hop *h,
    const struct job_rcpt *first, unsigned n)
{
	uint64_t now = clock_wall_ms();
	const struct ipc_fact_delivery m = {
		.out = 1, .time = now, .id = span_str(j->id),
		.session = span_str(h->session),
		.domain = span_head(job_domain(first->address), 255),
		.mx = span_str(h->mx), .addr = span_str(h->addr),
		.asked = (uint8_t)h->asked, .why = (uint8_t)h->why,
		.reached = (uint8_t)h->reached, .how = (uint8_t)h->how,
		.tls = span_str(h->tls.version), .cipher = span_str(h->tls.cipher),
		.kx = span_str(h->tls.kx), .weak = span_str(h->tls.weak),
		.status = span_str(outcome_name(first->status)),
		.dsn = span_str(first->dsn), .recipients = n,
		.bytes = first->status == OUTCOME_SENT ? j->body.size : 0,
		.delay = now > j->arrived ? now - j->arrived : 0,
	};

	if (ledger != NULL && !h->local)
		(void)ipc_send_fact_delivery(ledger, &m, -1);
}
