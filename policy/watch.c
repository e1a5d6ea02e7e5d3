/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/watch.c - see policy/watch.h. */
#include "policy/watch.h"

#include "base/finding.h"
#include "base/log.h"
#include "dns/name.h"

/* One line when trouble begins and one when it ends. */
static void
note_result(struct watch *w, int rc, const struct fault *f)
{
	if (rc == -1 && w->failed++ == 0)
		log_error("memory-failed", KV_Q("reason", f->text),
		    KV_Q("effect", "peers are not remembered; mail goes on by "
		    "published policy alone"));
	if (rc == -1 || w->failed == 0)
		return;
	log_warn("memory-recovered", KV_N("failed", w->failed));
	w->failed = 0;
}

static bool
take_name(struct span from, char to[DNS_NAME_SIZE])
{
	struct addr a;

	return span_copy(from, to, DNS_NAME_SIZE) &&
	    (dns_name_valid(from) || addr_parse_ip(from, &a));
}

static enum recall
recall_now(struct watch *w, const char *host, const char *domain, uint64_t now,
    struct fault *f)
{
	struct peer of_host, of_domain;
	struct loss loss;

	if (memory_get(w->memory, PEER_HOST, host, &of_host, f) == -1 ||
	    memory_get(w->memory, PEER_DOMAIN, domain, &of_domain, f) == -1 ||
	    memory_get_loss(w->memory, host, &loss, f) == -1)
		return RECALL_COUNT;
	return recall(&of_host, &of_domain, &loss, memory_rules(w->memory),
	    now);
}

enum recall
watch_recall(struct watch *w, const char *host, const char *domain)
{
	struct fault f = { .class = FAULT_NONE };
	enum recall r;

	if (w == NULL)
		return RECALL_NOTHING;
	r = recall_now(w, host, domain, w->wall_s(w->ctx), &f);
	note_result(w, r == RECALL_COUNT ? -1 : 0, &f);
	return r == RECALL_COUNT ? RECALL_NOTHING : r;
}

/* "TLS1.3" -> 3; what is no such word is not noted. */
static int
version_of(struct span tls)
{
	const struct span head = SPAN_LIT("TLS1.");

	if (tls.n != head.n + 1 || !span_eq(span_head(tls, head.n), head) ||
	    tls.p[head.n] < '0' || tls.p[head.n] > '3')
		return -1;
	return tls.p[head.n] - '0';
}

void
watch_seen(struct watch *w, const struct ipc_peer_seen *m)
{
	/* The small hello offers less than the peer may be able to. */
	const struct peer_session s = {
		.version = m->reduced ? -1 : version_of(m->tls),
		.spki = m->spki, .now = w->wall_s(w->ctx),
	};
	char host[DNS_NAME_SIZE], domain[DNS_NAME_SIZE];
	struct fault f = { .class = FAULT_NONE };
	struct peer before, after;
	int rc;

	if (!take_name(m->mx, host) || !take_name(m->domain, domain)) {
		log_error("report-unreadable", KV_SPAN("session", m->session));
		return;
	}
	rc = memory_seen(w->memory, host, domain, &s, &before, &f);
	note_result(w, rc, &f);
	if (rc == -1)
		return;
	after = before;
	peer_take(&after, &s);
	if (!peer_known(&before, memory_rules(w->memory)) &&
	    peer_known(&after, memory_rules(w->memory)))
		log_info("peer-known", KV_S("mx", host),
		    KV_S("domain", domain), KV_N("sessions", after.sessions),
		    KV_N("days", after.days));
}

void
watch_lost(struct watch *w, const struct ipc_peer_lost *m)
{
	uint64_t now = w->wall_s(w->ctx);
	char host[DNS_NAME_SIZE], domain[DNS_NAME_SIZE];
	struct fault f = { .class = FAULT_NONE };
	struct loss before, loss;
	enum recall r;
	int rc;

	if (!take_name(m->mx, host) || !take_name(m->domain, domain) ||
	    m->finding >= FINDING_COUNT) {
		log_error("report-unreadable", KV_SPAN("session", m->session));
		return;
	}
	r = recall_now(w, host, domain, now, &f);
	if (r == RECALL_NOTHING)
		return;
	rc = r == RECALL_COUNT ? -1 :
	    memory_get_loss(w->memory, host, &before, &f);
	if (rc != -1)
		rc = memory_lost(w->memory, host, now, &loss, &f);
	note_result(w, rc, &f);
	if (rc != -1 && before.since != loss.since)
		log_warn("peer-lost-tls", KV_S("mx", host),
		    KV_S("domain", domain), KV_SPAN("addr", m->addr),
		    KV_S("finding", finding_name((enum finding)m->finding)),
		    KV_S("memory", recall_name(r)),
		    KV_QSPAN("reason", m->reason));
}

void
watch_tick(struct watch *w)
{
	struct fault f = { .class = FAULT_NONE };

	note_result(w, memory_tidy(w->memory, w->wall_s(w->ctx), &f), &f);
}
