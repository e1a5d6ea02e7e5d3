/* SPDX-License-Identifier: ISC */
/* Copyright (c) 2026 The Sealane authors */
/* policy/watch.c - see policy/watch.h. */
#include "policy/watch_priv.h"

#include "base/log.h"

void
watch_result(struct watch *w, int rc, const struct fault *f)
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

static bool
take_address(struct span from, char to[ADDR_TEXT_SIZE])
{
	struct addr a;

	return span_copy(from, to, ADDR_TEXT_SIZE) && addr_parse_ip(from, &a);
}

/* ---- what is known of a host ---- */

int
watch_look_up(struct watch *w, const char *host, const char *domain,
    uint64_t now, struct watch_known *k)
{
	struct fault f = { .class = FAULT_NONE };
	int rc = 0;

	if (memory_get(w->memory, PEER_HOST, host, &k->host, &f) == -1 ||
	    memory_get(w->memory, PEER_DOMAIN, domain, &k->domain, &f) == -1 ||
	    memory_get_loss(w->memory, host, &k->loss, &f) == -1)
		rc = -1;
	watch_result(w, rc, &f);
	k->recall = rc == -1 ? RECALL_NOTHING : recall(&k->host, &k->domain,
	    &k->loss, memory_rules(w->memory), now);
	return rc;
}

enum recall
watch_recall(struct watch *w, const char *host, const char *domain)
{
	struct watch_known k;

	if (w == NULL)
		return RECALL_NOTHING;
	(void)watch_look_up(w, host, domain, w->wall_s(w->ctx), &k);
	return k.recall;
}

bool
watch_excepted(struct watch *w, const char *const names[],
    struct exception *x)
{
	struct fault f = { .class = FAULT_NONE };
	int rc = 0;

	if (w == NULL || w->exceptions == NULL)
		return false;
	for (size_t i = 0; names[i] != NULL && rc == 0; i++)
		rc = exceptions_get(w->exceptions, names[i],
		    w->wall_s(w->ctx), x, &f);
	watch_result(w, rc, &f);
	return rc == 1;
}

static void
since_text(uint64_t s, char out[CLOCK_RFC3339_SIZE])
{
	out[0] = '\0';
	if (s != 0)
		clock_rfc3339(s * 1000, false, out);
}

/* ---- TLS ---- */

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

/* Less than it ever had: a completed handshake cannot be talked down on the
 * way (RFC 8446 sec 4.1.3), so that this is the peer's own doing. */
static bool
is_downgrade(const struct peer *before, int version)
{
	return version >= 0 && before->versions != 0 &&
	    (before->versions & ((2u << version) - 1)) == 0;
}

static void
find_downgrade(struct watch *w, const struct ipc_peer_seen *m,
    const char *host, const char *domain, const struct peer *before,
    uint64_t now)
{
	struct watch_evidence e = { .session = m->session };
	struct finding_row r = { .kind = FINDING_DOWNGRADE,
	    .expected = LEVEL_ENCRYPTED, .why = WHY_MEMORY,
	    .reached = LEVEL_ENCRYPTED, .class = CLASS_AT_PEER,
	    .action = ACTION_OBSERVED };
	char reason[64] = "an older version than ever before: ";

	(void)span_copy(span_str(host), r.mx, sizeof(r.mx));
	(void)span_copy(span_str(domain), r.domain, sizeof(r.domain));
	(void)span_copy(m->addr, r.address, sizeof(r.address));
	(void)span_copy(m->tls, reason + strlen(reason),
	    sizeof(reason) - strlen(reason));
	e.reason = span_str(reason);
	since_text(before->first, e.since);
	watch_found(w, &r, &e, now);
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
	char address[ADDR_TEXT_SIZE];
	struct fault f = { .class = FAULT_NONE };
	struct peer before, after;
	int rc;

	if (!take_name(m->mx, host) || !take_name(m->domain, domain) ||
	    !take_address(m->addr, address)) {
		log_error("report-unreadable", KV_SPAN("session", m->session));
		return;
	}
	rc = memory_seen(w->memory, host, domain, &s, &before, &f);
	watch_result(w, rc, &f);
	if (rc == -1)
		return;
	if (peer_known(&before, memory_rules(w->memory))) {
		if (is_downgrade(&before, s.version))
			find_downgrade(w, m, host, domain, &before, s.now);
		return;
	}
	after = before;
	peer_take(&after, &s);
	if (peer_known(&after, memory_rules(w->memory)))
		log_info("peer-known", KV_S("mx", host),
		    KV_S("domain", domain), KV_N("sessions", after.sessions),
		    KV_N("days", after.days));
}

/* ---- none ---- */

/* TLS itself is gone; in the other kinds it is there, and not good enough. */
static bool
is_loss(enum finding k)
{
	return (k >= FINDING_STRIPPED && k <= FINDING_HANDSHAKE) ||
	    k == FINDING_INJECTION;
}

static enum finding_action
action_of(const struct ipc_peer_lost *m)
{
	if (m->reached == LEVEL_CLEAR)
		return ACTION_CLEAR;
	if (!is_loss((enum finding)m->finding))
		return ACTION_REFUSED;
	return m->asked > LEVEL_CLEAR ? ACTION_HELD : ACTION_OBSERVED;
}

static void
find_loss(struct watch *w, const struct ipc_peer_lost *m,
    struct finding_row *r, const struct watch_known *k,
    const struct heard_loss *h, uint64_t now)
{
	struct watch_evidence e = { .session = m->session,
	    .greeting = m->greeting, .ehlo = m->ehlo, .helo = m->helo,
	    .reason = m->reason, .clues = clues_of(&w->clues, h, now) };
	bool by_policy = m->asked > LEVEL_CLEAR;

	r->expected = by_policy ? (enum level)m->asked : LEVEL_ENCRYPTED;
	r->why = by_policy ? (enum why)m->why : WHY_MEMORY;
	r->reached = (enum level)m->reached;
	r->class = classify(e.clues, k->host.sessions > 0);
	r->action = action_of(m);
	since_text(k->host.first != 0 ? k->host.first : k->domain.first,
	    e.since);
	watch_found(w, r, &e, now);
}

static bool
is_sane(const struct ipc_peer_lost *m)
{
	return m->finding > FINDING_NONE && m->finding < FINDING_COUNT &&
	    m->asked < LEVEL_COUNT && m->why < WHY_COUNT &&
	    m->reached < LEVEL_COUNT;
}

void
watch_lost(struct watch *w, const struct ipc_peer_lost *m)
{
	struct finding_row r = { .kind = (enum finding)m->finding };
	struct heard_loss h = { .finding = r.kind, .greeting = m->greeting,
	    .ehlo = m->ehlo, .helo = m->helo, .why = (enum why)m->why };
	struct fault f = { .class = FAULT_NONE };
	uint64_t now = w->wall_s(w->ctx);
	struct watch_known k;
	bool expected;

	if (!take_name(m->mx, r.mx) || !take_name(m->domain, r.domain) ||
	    !take_address(m->addr, r.address) || !is_sane(m)) {
		log_error("report-unreadable", KV_SPAN("session", m->session));
		return;
	}
	h.mx = r.mx;
	h.addr = r.address;
	if (watch_look_up(w, r.mx, r.domain, now, &k) == -1)
		k = (struct watch_known){ .recall = RECALL_NOTHING };
	expected = m->asked > LEVEL_CLEAR || k.recall != RECALL_NOTHING;
	if (is_loss(r.kind) && k.recall != RECALL_NOTHING)
		watch_result(w, memory_lost(w->memory, r.mx, now, &k.loss, &f),
		    &f);
	if (expected)
		find_loss(w, m, &r, &k, &h, now);
	clues_add(&w->clues, &h, expected, now);
}

static void
end_exceptions(struct watch *w)
{
	struct fault f = { .class = FAULT_NONE };
	struct exception x;
	int rc;

	if (w->exceptions == NULL)
		return;
	while ((rc = exceptions_over(w->exceptions, w->wall_s(w->ctx), &x,
	    &f)) == 1)
		log_info("exception-ended", KV_S("name", x.name),
		    KV_S("by", "date"));
	watch_result(w, rc, &f);
}

void
watch_tick(struct watch *w)
{
	struct fault f = { .class = FAULT_NONE };

	watch_result(w, memory_tidy(w->memory, w->wall_s(w->ctx), &f), &f);
	end_exceptions(w);
}
