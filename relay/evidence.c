/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* relay/evidence.c - see relay/evidence.h. */
#include "relay/evidence.h"

#define REASON_MAX	512

static struct span
domain_of(const struct job *j)
{
	return j->route.domain != NULL ? span_str(j->route.domain) : SPAN_NONE;
}

static void
seen(struct link *policy, const struct job *j, const struct session *s)
{
	const struct tls_facts *t = &s->hop.tls;
	const struct ipc_peer_seen m = {
		.session = span_str(s->hop.session), .domain = domain_of(j),
		.mx = span_str(s->hop.mx), .addr = span_str(s->hop.addr),
		.reduced = s->reduced, .tls = span_str(t->version),
		.spki = span_str(t->spki),
	};

	(void)ipc_send_peer_seen(policy, &m, -1);
}

static void
lost(struct link *policy, const struct job *j, const struct session *s,
    enum finding finding, enum level reached, const char *reason)
{
	const struct heard *h = &s->client.heard;
	const struct ipc_peer_lost m = {
		.session = span_str(s->hop.session), .domain = domain_of(j),
		.mx = span_str(s->hop.mx), .addr = span_str(s->hop.addr),
		.asked = (uint8_t)s->hop.asked, .why = (uint8_t)s->hop.why,
		.finding = (uint8_t)finding, .reached = (uint8_t)reached,
		.greeting = span_str(h->greeting), .ehlo = span_str(h->ehlo),
		.helo = h->helo,
		.reason = span_head(span_str(reason), REASON_MAX),
	};

	(void)ipc_send_peer_lost(policy, &m, -1);
}

/* Records that do not match mean that this is another host, which says nothing
 * of the one that is meant. */
static bool
is_the_host(const struct job *j, const struct session *s)
{
	return s->level >= s->hop.asked &&
	    (j->route.hosts[j->step.host].ntlsa == 0 ||
	    s->hop.how == HOW_TLSA || s->hop.how == HOW_DANE_INSECURE_MX);
}

void
evidence_settled(struct link *policy, const struct job *j,
    const struct session *s)
{
	enum finding finding = finding_of_how(s->hop.how);

	if (policy == NULL || s->hop.local || link_full(policy))
		return;
	if (!s->client.is_tls)
		lost(policy, j, s, finding, LEVEL_CLEAR, "sent in clear");
	else if (is_the_host(j, s))
		seen(policy, j, s);
}

void
evidence_lost(struct link *policy, const struct job *j,
    const struct session *s, enum finding finding, const char *reason)
{
	if (policy != NULL && !s->hop.local)
		lost(policy, j, s, finding, LEVEL_NONE, reason);
}
